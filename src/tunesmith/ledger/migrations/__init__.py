"""The history of the tables, run by Alembic when a ledger is opened that is behind."""

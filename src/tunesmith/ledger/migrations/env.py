"""Alembic runs this file; the connection, already in its transaction, comes from `tunesmith.ledger.migrate`."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    render_as_batch=True,
)
context.run_migrations()

"""What happened: runs, artifacts, scorecards, predictions and verdicts, in SQLite by default, in PostgreSQL by URL."""

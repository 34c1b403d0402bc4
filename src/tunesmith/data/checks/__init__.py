"""What `tunesmith check` looks for: one file per question about the rows."""

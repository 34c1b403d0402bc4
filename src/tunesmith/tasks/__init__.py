"""What is wanted: the task, and its family, which parses, validates and scores one answer and measures a set."""

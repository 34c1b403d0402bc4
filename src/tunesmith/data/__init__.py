"""The examples: read, check, set aside, find leaks, split. Standard library and pydantic only."""

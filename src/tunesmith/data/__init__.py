"""The examples: read, bring from other layouts and back, check, set aside, find leaks, split."""

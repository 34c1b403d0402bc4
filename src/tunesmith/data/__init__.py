"""The examples: read, bring from other layouts and back, check, set aside, find leaks, review, make, split, compare,
forget.

Standard library and pydantic, but for what a function loads when it is called.
"""

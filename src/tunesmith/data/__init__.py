"""The examples: read, check, set aside, find leaks, review, make, split, compare, forget.

Standard library and pydantic, but for what a function loads when it is called.
"""

"""What every room shares: records, digests, errors, units. Standard library and pydantic only."""

"""The base of everything that is written down: immutable, and strict about its keys."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable record. Records that are persisted add `schema_version`, and old versions are migrated."""

    model_config = ConfigDict(extra="forbid", frozen=True)

"""The file that holds a task's JSON Schema: read, and refused where no record could be scored by it."""

import json
from pathlib import Path
from typing import Any

from tunesmith.core.errors import ConfigError
from tunesmith.tasks import json_schema
from tunesmith.tasks.records import refuse_unfit
from tunesmith.workflows import json_file

ADVICE = "docs/extraction.md shows one."


def read(path: Path, name: str) -> Any:
    """The schema as its file has it; `name` is what messages call that. Raises ConfigError."""
    absent = f"The schema {name} does not exist. Write it, or name another file under [task] output_schema."
    return json_file.read(path, name, absent=absent, advice=ADVICE)


def text_of(schema: Any, name: str) -> str:
    """The one text of `schema`. Raises ConfigError where it is none of a record; whether it is a schema at all is told
    by `checked`, which loads what knows that."""
    try:
        refuse_unfit(schema)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}. {ADVICE}") from None
    return json.dumps(schema, ensure_ascii=False)


def checked(schema: Any, name: str) -> str:
    """The text of `schema`. Raises ConfigError where it is no schema of a record."""
    try:
        json_schema.check(schema)
    except json_schema.SchemaError as error:
        raise ConfigError(f"{name}: {str(error).rstrip('.')}. {ADVICE}") from None
    return text_of(schema, name)

"""Extraction: the fields of a message as a JSON object under the task's output schema.

What is no JSON object, or breaks the schema, is `invalid`. White space around the object does not count, nor a code
fence around all of it, which chat models like to write. The answer is the record's one text (`records`).
"""

from collections.abc import Mapping, Sequence

from tunesmith.core.texts import unfenced
from tunesmith.tasks.base import Parsed
from tunesmith.tasks.json_schema import SchemaError, faults_of
from tunesmith.tasks.records import RecordError, parsed, schema_of, text_of
from tunesmith.tasks.spec import Task

LABELLED = False
OUTPUT = "record"
METRICS: Mapping[str, str] = {
    "record_exact": "exact record",
    "field_accuracy": "fields right",
    "field_precision": "field precision",
    "field_recall": "field recall",
    "field_f1": "field F1",
    "invalid_rate": "no answer",
    "no_json_rate": "no JSON",
    "schema_rate": "breaks the schema",
    "unsupported_rate": "not in the input",
    "ece": "calibration error",
}
PRIMARY: tuple[str, ...] = ("record_exact", "field_accuracy")
SUCCESS: str | None = "record_exact"
RATIOS: frozenset[str] = frozenset()
BREAKS = "breaks the schema"


def sliced(primary: str) -> str:
    return primary


def parse(text: str, task: Task, *, cut: bool = False, tools: Sequence[str] = ()) -> Parsed:
    if cut:
        return Parsed(None, f"ended by the limit of {task.max_new_tokens:,} tokens")
    assert task.output_schema is not None
    try:
        return Parsed(canonical(unfenced(text), task.output_schema))
    except RecordError as error:
        return Parsed(None, str(error))


def canonical(text: str, schema: str) -> str:
    """The one text of the record that `text` is. Raises RecordError where it is none, or breaks the schema."""
    return of_value(parsed(text), schema)


def of_value(record: Mapping[str, object], schema: str) -> str:
    """The one text of `record`. Raises RecordError where it breaks the schema."""
    try:
        fault = faults_of(schema, trusted=True)(record)
    except SchemaError as error:
        fault = str(error)
    if fault is not None:
        raise RecordError("output-schema", f"{BREAKS}: {fault.rstrip('.')}")
    return text_of(record, schema_of(schema))

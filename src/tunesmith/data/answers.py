"""The expected output of a row: a text, or the record or the set of labels that a task expects, as its one text.

A record that is no JSON object, or breaks the task's schema, is a fault of its row; so is a set with another label than
the task declares.
"""

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.core.texts import shown
from tunesmith.data import fields
from tunesmith.data.fields import RowError
from tunesmith.data.section import DataSection, RecordSection, SetSection
from tunesmith.tasks import extraction
from tunesmith.tasks.label_sets import EMPTY, SetError, of_text, of_values
from tunesmith.tasks.records import RecordError, parsed, schema_of, typed


def answer_of(value: Any, field: str, section: DataSection) -> str:
    """The answer that the column `field` holds. Raises RowError."""
    if isinstance(section, SetSection):
        return label_set(value, field, section)
    if not isinstance(section, RecordSection):
        return fields.text(value, field)
    if isinstance(value, dict):
        return record(value, field, section)
    text = fields.text(value, field)
    try:
        return record(parsed(text), field, section)
    except RecordError as error:
        message = f"'{shown(field)}' is {error}; expected a record, as an object or as the text of one."
        raise RowError(error.check, message, field=shown(field), excerpt=text) from None


def label_set(value: Any, field: str, section: SetSection) -> str:
    """The text of the set that a list or a text names. Raises RowError."""
    try:
        if isinstance(value, list):
            return fields.whole(of_values(value, section.labels), field)
        return of_text(fields.text(value, field), section.labels)
    except SetError as error:
        excerpt = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        message = f"'{shown(field)}' {error}. Labels are a list, or a text with commas; none: [] or \"{EMPTY}\"."
        raise RowError("unknown-label", message, field=shown(field), excerpt=excerpt) from None


def record(values: Mapping[str, Any], field: str, section: DataSection, *, cells: bool = False) -> str:
    """The text of the record that `values` are; `cells`: all of them are texts of a table. Raises RowError."""
    schema = section.output_schema if isinstance(section, RecordSection) else None
    try:
        if schema is None:
            return fields.whole(json.dumps(values, ensure_ascii=False, allow_nan=False), field)
        found = typed(values, schema_of(schema)) if cells else values
        return fields.whole(extraction.of_value(found, schema), field)
    except RecordError as error:
        excerpt = json.dumps(values, ensure_ascii=False)
        message = f"'{shown(field)}' {error}."
        raise RowError(error.check, message, field=shown(field), excerpt=excerpt) from None
    except (ValueError, RecursionError):
        raise RowError("json", f"'{shown(field)}' holds what JSON cannot carry.", field=shown(field)) from None

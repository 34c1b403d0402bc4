"""The first draft of schema.json, from the records that the data expects: the fields, their types, and the values of
those that choose among a few.

A field chooses among a few where its texts repeat and mostly do not stand in the message. Where some row has no value,
null is one. Everything is required: a model that must say null says so, one that may leave a field out forgets it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.core.example import Example
from tunesmith.tasks.comparing import absent
from tunesmith.tasks.grounding import stands_in
from tunesmith.tasks.records import fields_of, schema_at, schema_of, types_of, value_at

MOST_CHOICES = 24
LEAST_REPEATS = 5  # rows to each value, on average
COPIED = 0.2  # of the values stand in their message: then they are copied, not chosen


def draft(rows: Sequence[Example], *, cells: bool) -> dict[str, Any]:
    """The schema of what `rows` expect, each the text of a JSON object; `cells`: their values are all texts."""
    records = [json.loads(row.expected) for row in rows]
    return _object(records, [row.text for row in rows], cells=cells)


def apart(rows: Sequence[Example], schema: str) -> list[str]:
    """The fields whose texts are neither chosen among a few nor, most of them, copied from the message: there is more
    than one right way to write them, so that no record would be exact."""
    if not rows:
        return []
    records = [(json.loads(row.expected), row.text) for row in rows]
    found = []
    for field in fields_of(schema_of(schema), {}):
        if not field.copied or "string" not in types_of(schema_at(schema_of(schema), field.path)):
            continue
        known = [(value, text) for record, text in records if not absent(value := value_at(record, field.path))]
        if known and 2 * sum(stands_in(value, text) for value, text in known) < len(known):
            found.append(field.name)
    return found


def empty() -> dict[str, Any]:
    """The schema of a project that has no data yet."""
    fields = {"first_field": {"type": ["string", "null"]}, "second_field": {"type": ["number", "null"]}}
    return {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}


def _object(records: Sequence[Mapping[str, Any]], texts: Sequence[str], *, cells: bool) -> dict[str, Any]:
    keys = list(dict.fromkeys(key for record in records for key in record))
    return {
        "type": "object",
        "properties": {key: _field([record.get(key) for record in records], texts, cells=cells) for key in keys},
        "required": keys,
        "additionalProperties": False,
    }


def _field(values: Sequence[Any], texts: Sequence[str], *, cells: bool) -> dict[str, Any]:
    if cells:
        values = _typed(values)
    known = [(value, text) for value, text in zip(values, texts, strict=True) if value is not None]
    schema = _of_values([value for value, _ in known], [text for _, text in known])
    if len(known) == len(values) or "type" not in schema:
        return schema
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return {**schema, "type": [schema["type"], "null"]}


def _of_values(values: Sequence[Any], texts: Sequence[str]) -> dict[str, Any]:
    """Of values that are not null; where they are of several types, anything goes."""
    types = {_type(value) for value in values}
    if types == {"integer", "number"}:
        types = {"number"}
    if len(types) != 1:
        return {"type": "string"} if not types else {}
    [kind] = types
    if kind == "object":
        return _object(values, texts, cells=False)
    if kind == "array":
        items = [(each, text) for value, text in zip(values, texts, strict=True) for each in value]
        return {"type": "array", "items": _of_values([each for each, _ in items], [text for _, text in items])}
    if kind == "string" and (choices := _choices(values, texts)):
        return {"type": "string", "enum": choices}
    return {"type": kind}


def _choices(values: Sequence[str], texts: Sequence[str]) -> list[str] | None:
    distinct = sorted(set(values))
    if len(distinct) > MOST_CHOICES or len(distinct) * LEAST_REPEATS > len(values):
        return None
    copied = sum(stands_in(value, text) for value, text in zip(values, texts, strict=True))
    return distinct if copied <= COPIED * len(values) else None


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def _typed(cells: Sequence[Any]) -> list[Any]:
    """The cells of a column as JSON, where all of them are, and an empty one as null; texts otherwise."""
    full = [cell for cell in cells if isinstance(cell, str) and cell.strip()]
    values = {}
    for cell in full:
        try:
            values[cell] = json.loads(cell.strip())
        except ValueError:
            return [cell if isinstance(cell, str) and cell.strip() else None for cell in cells]
        if isinstance(values[cell], str) or (cell.strip()[0] == "0" and cell.strip() not in ("0", "0.0")):
            return [cell if cell in values or cell.strip() else None for cell in cells]
    return [values.get(cell) if isinstance(cell, str) else None for cell in cells]

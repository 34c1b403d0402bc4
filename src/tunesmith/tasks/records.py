"""Records: JSON objects under the output schema of a task, their fields, and the one text that stands for each.

A field is a property of the schema; those of an object within are fields of their own ("address.city"). The text of a
record has its keys in the order of the schema and is otherwise what `json.dumps(…, ensure_ascii=False)` writes, so that
what a model is trained on is what decoding under the schema can say.
"""

import json
import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from tunesmith.core.errors import ConfigError, nearest
from tunesmith.core.texts import shown
from tunesmith.tasks.comparing import Comparator, absent
from tunesmith.tasks.json_text import DECODER

How = Comparator | float
NO_JSON, NO_OBJECT = "no JSON", "JSON, but no object"


class Field(NamedTuple):
    """`how` its values are compared; "apart": scored for itself, not as part of the record. `copied`: a value that is
    no choice among a few, so that it should stand in the input."""

    name: str
    path: tuple[str, ...]
    how: How
    copied: bool


class RecordError(ValueError):
    """Why a text is no record of the schema: `check` names the kind of fault, the message says it."""

    def __init__(self, check: str, message: str):
        super().__init__(message)
        self.check = check


@lru_cache(maxsize=16)
def schema_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def refuse_unfit(schema: Any) -> None:
    """Raise ConfigError where `schema`, valid JSON, does not describe one object whose keys are all known."""
    if not isinstance(schema, dict) or schema.get("type") != "object" or not properties_of(schema):
        raise ConfigError('expected a schema of an object: "type": "object" with "properties"')
    if schema.get("additionalProperties") is not False:
        raise ConfigError(
            'expected "additionalProperties": false beside "properties": a key that the schema does not name could '
            "not be scored"
        )


def fields_of(schema: Mapping[str, Any], compare: Mapping[str, How]) -> tuple[Field, ...]:
    """The fields in the order of the schema. Raises ConfigError where `compare` names another one."""
    found = tuple(_fields(schema, (), compare))
    names = [field.name for field in found]
    if unknown := next((name for name in compare if name not in names), None):
        known = ", ".join(shown(name, 30) for name in names[:12])
        raise ConfigError(
            f"[task] compare names the field {unknown!r}, which the schema does not have{nearest(unknown, names)}. Its "
            f"fields: {known}."
        )
    if all(field.how == "apart" for field in found):
        raise ConfigError(
            '[task] compare sets every field "apart", so that nothing is left to score a record by. Leave one.'
        )
    return found


def _fields(schema: Mapping[str, Any], path: tuple[str, ...], compare: Mapping[str, How]) -> Iterator[Field]:
    for key, part in properties_of(schema).items():
        place = (*path, key)
        part = part if isinstance(part, dict) else {}
        if "object" in types_of(part) and properties_of(part):
            yield from _fields(part, place, compare)
            continue
        name = ".".join(place)
        yield Field(name, place, compare.get(name, _usual(part)), _is_copied(part))


def properties_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def schema_at(schema: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    """What the schema says of a field."""
    for key in path:
        schema = properties_of(schema)[key]
    return schema


def types_of(schema: Mapping[str, Any]) -> set[str]:
    """The types of JSON that a value may have, null apart; those of its `anyOf` among them."""
    given = schema.get("type", ())
    found = {given} if isinstance(given, str) else set(given)
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        found |= types_of(part) if isinstance(part, dict) else set()
    return found - {"null"}


def choices_of(schema: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The values that a field may have, null apart, where the schema lists them."""
    if "const" in schema:
        return (schema["const"],)
    if isinstance(schema.get("enum"), list):
        return tuple(value for value in schema["enum"] if value is not None)
    parts = [part for part in schema.get("anyOf", ()) if isinstance(part, dict) and part.get("type") != "null"]
    return choices_of(parts[0]) if len(parts) == 1 else None


def _usual(schema: Mapping[str, Any]) -> Comparator:
    types = types_of(schema)
    if types and types <= {"number", "integer"}:
        return "number"
    return "list" if types == {"array"} else "exact"


def _is_copied(schema: Mapping[str, Any]) -> bool:
    return bool(types_of(schema) & {"string", "number", "integer"}) and choices_of(schema) is None


def value_at(record: Any, path: tuple[str, ...]) -> Any:
    """The value of a field; None where it is missing."""
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def text_of(record: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """The one text of a record."""
    return json.dumps(ordered(record, schema), ensure_ascii=False, allow_nan=False)


def ordered(value: Any, schema: Mapping[str, Any]) -> Any:
    """`value` with the keys of its objects in the order of the schema, those that it does not name behind them."""
    if isinstance(value, dict):
        known = properties_of(schema)
        keys = [*(key for key in known if key in value), *(key for key in value if key not in known)]
        return {key: ordered(value[key], known[key] if isinstance(known.get(key), dict) else {}) for key in keys}
    if isinstance(value, list):
        items = schema.get("items")
        return [ordered(each, items if isinstance(items, dict) else {}) for each in value]
    return value


def parsed(text: str) -> dict[str, Any]:
    """The object that a text is. Raises RecordError."""
    try:
        found = DECODER.decode(text)
    except (ValueError, RecursionError):
        raise RecordError("no-json", NO_JSON) from None
    if not isinstance(found, dict):
        raise RecordError("no-json", NO_OBJECT)
    return found


def typed(cells: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a table's row, whose cells are all texts: each as its field's type wants it, an empty one absent.

    A cell that cannot be what its field wants stays as it is, for the schema to refuse.
    """
    known = properties_of(schema)
    return {key: _cell(cell, known[key] if isinstance(known.get(key), dict) else {}) for key, cell in cells.items()}


def _cell(cell: Any, schema: Mapping[str, Any]) -> Any:
    if not isinstance(cell, str):
        return cell
    types = types_of(schema)
    if not cell.strip():
        return [] if types == {"array"} else None if "string" not in types or may_be_null(schema) else cell
    if "string" in types or not types:
        return cell
    try:
        value = json.loads(cell.strip().lower() if "boolean" in types else cell)
    except (ValueError, RecursionError):
        return cell
    return cell if isinstance(value, float) and not math.isfinite(value) else value


def may_be_null(schema: Mapping[str, Any]) -> bool:
    given = schema.get("type", ())
    return (
        "null" in ([given] if isinstance(given, str) else given)
        or None in (schema.get("enum") or ())
        or any(may_be_null(part) for part in schema.get("anyOf", ()) if isinstance(part, dict))
    )


def counted_text(fields: tuple[Field, ...], text: str) -> str:
    """What of the record that `text` is decides whether it is right: its values, but for those apart."""
    record = parsed(text)
    counted = {field.name: value_at(record, field.path) for field in fields if field.how != "apart"}
    return json.dumps({name: value for name, value in counted.items() if not absent(value)}, ensure_ascii=False)

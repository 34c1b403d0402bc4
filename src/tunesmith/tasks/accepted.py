"""Whether calls are those that a row accepts, by the rules of the Berkeley Function-Calling Leaderboard.

Accepted is a list of calls, each {name: {argument: [value, …]}}: an argument may have any of its values, and "" among
them says that it may be left out. All accepted calls must be made, in any order, and no other.

A call is right where it has the name, every argument that the schema requires, none that the schema or the row does not
know, and each with an accepted value: of the schema's type or of the accepted values' own (a whole number may stand
where the schema wants any number, though not inside a list), texts without case, spaces and ,./-_*^, lists in
their order, objects by their keys, each of which lists its own accepted values. Where the accepted values are of
another type than the schema's, they must be met exactly.

S. Patil et al., The Berkeley Function Calling Leaderboard (ICML 2025); the rules as of bfcl-eval 2026.3.23. What they
settle by accident is kept where it decides: an empty list is right where a list may be left out.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from tunesmith.tasks.calls import Call
from tunesmith.tasks.records import may_be_null, properties_of, types_of

Kind = Literal["count", "tool", "missing", "extra", "type", "value"]
Accepted = Sequence[Mapping[str, Mapping[str, Sequence[Any]]]]
LEFT_OUT = ""
TYPES = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict}
LEVEL = str.maketrans({"'": '"'} | dict.fromkeys(" ,./-_*^"))


class Fault(NamedTuple):
    """Why calls are not right; `what` is the tool or the argument that is at fault."""

    kind: Kind
    what: str


@lru_cache(maxsize=1024)
def schemas_of(tools: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Of each tool, by its name, the JSON Schema of its arguments."""
    functions = (json.loads(tool)["function"] for tool in tools)
    return {each["name"]: each.get("parameters") or {} for each in functions}


def alone(calls: Sequence[Call], schemas: Mapping[str, Any]) -> Accepted:
    """What is accepted where a row says no more than its own calls."""
    return [
        {call.name: {key: [_alone(value, _property(schemas, call.name, key))] for key, value in call.arguments.items()}}
        for call in calls
    ]


def _alone(value: Any, schema: Mapping[str, Any]) -> Any:
    """An accepted object lists the accepted values of its keys."""
    kind, inner = _types(schema, value)
    if kind is dict and isinstance(value, dict):
        return {key: [each] for key, each in value.items()}
    if kind is list and inner is dict and isinstance(value, list):
        return [{key: [each] for key, each in item.items()} if isinstance(item, dict) else item for item in value]
    return value


def fault(calls: Sequence[Call], accepted: Accepted, schemas: Mapping[str, Any]) -> Fault | None:
    """The first that keeps `calls` from being right; None where they are."""
    if len(calls) != len(accepted):
        return Fault("count", f"{len(calls)} of {len(accepted)}")
    left = list(calls)
    for wanted in accepted:
        [(name, arguments)] = wanted.items()
        faults = [_fault_of(call, name, arguments, schemas.get(name)) for call in left]
        if None not in faults:
            return next((each for each in faults if each and each.kind != "tool"), faults[0])
        left.pop(faults.index(None))
    return None


def _fault_of(
    call: Call, name: str, accepted: Mapping[str, Sequence[Any]], schema: Mapping[str, Any] | None
) -> Fault | None:
    if call.name != name or schema is None:
        return Fault("tool", call.name)
    properties = properties_of(schema)
    for key in schema.get("required") or ():
        if key not in call.arguments:
            return Fault("missing", key)
    for key, value in call.arguments.items():
        if key not in properties or key not in accepted:
            return Fault("extra", key)
        if kind := _fault_in(value, accepted[key], properties[key]):
            return Fault(kind, key)
    for key, values in accepted.items():
        if key not in call.arguments and LEFT_OUT not in values:
            return Fault("missing", key)
    return None


def _fault_in(given: Any, accepted: Sequence[Any], schema: Mapping[str, Any]) -> Kind | None:
    kind, inner = _types(schema, given)
    value: Any = float(given) if kind is float and type(given) is int else given
    own, of_schema = _own_type(accepted), type(value) is kind
    if not _has_type(value, accepted, kind) or (of_schema and not _have_types(value, accepted, inner)):
        return "type"
    if not of_schema or own not in (None, kind):
        return None if value in accepted else "value"
    if kind is dict:
        right = any(_is_object(value, each) for each in accepted if each != LEFT_OUT)
    elif kind is list and inner is dict:
        right = any(_are_objects(value, each) for each in accepted)
    elif kind is list:
        right = [*map(_level, value)] in [[*map(_level, each)] for each in accepted if isinstance(each, list | str)]
    else:
        right = _level(value) in [_level(each) for each in accepted]
    return None if right else "value"


def _has_type(value: Any, accepted: Sequence[Any], kind: type) -> bool:
    return type(value) is kind or type(value) is _own_type(accepted)


def _have_types(value: Any, accepted: Sequence[Any], inner: type | None) -> bool:
    """Whether the items of a list have the type of the schema's, or of those of one accepted list."""
    if inner is None:
        return True
    return any(not isinstance(each, list) or all(_has_type(item, each, inner) for item in value) for each in accepted)


def _own_type(accepted: Sequence[Any]) -> type | None:
    """That of the accepted values; None where there are none but to leave it out."""
    return next((type(each) for each in accepted if each != LEFT_OUT), None)


def _is_object(value: Mapping[str, Any], accepted: Any) -> bool:
    if not isinstance(accepted, dict):
        return False
    lists = {key: each if isinstance(each, list) else [each] for key, each in accepted.items()}
    known = all(key in lists and _level(each) in [*map(_level, lists[key])] for key, each in value.items())
    return known and all(key in value or LEFT_OUT in each for key, each in lists.items())


def _are_objects(value: Sequence[Any], accepted: Any) -> bool:
    if not isinstance(accepted, list | str) or len(value) != len(accepted):
        return False
    pairs = zip(value, accepted, strict=True)
    return all(isinstance(each, dict) and _is_object(each, wanted) for each, wanted in pairs)


def _level(value: Any) -> Any:
    return value.translate(LEVEL).lower() if isinstance(value, str) else value


def _types(schema: Mapping[str, Any], value: Any) -> tuple[type, type | None]:
    """The type that an argument has by its schema, and that of its items where it is a list that says so.

    A schema that allows several is met by the value's own, one that says nothing is taken to want text.
    """
    kind = _type(schema, value)
    items = schema.get("items")
    if kind is not list or not isinstance(items, dict):
        return kind, None
    return kind, _type(items, value[0] if isinstance(value, list) and value else None)


def _type(schema: Mapping[str, Any], value: Any) -> type:
    if value is None and may_be_null(schema):
        return type(None)
    allowed = {TYPES[each] for each in types_of(schema) if each in TYPES}
    if len(allowed) == 1:
        return next(iter(allowed))
    return type(value) if type(value) in allowed else str


def _property(schemas: Mapping[str, Any], tool: str, key: str) -> Mapping[str, Any]:
    found = properties_of(schemas.get(tool, {})).get(key)
    return found if isinstance(found, dict) else {}

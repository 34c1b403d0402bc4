"""A fault in tunesmith.toml as one sentence: the key, what stands there, what was expected, what the key is for."""

import json
import re
from typing import Any, Literal, get_args, get_origin

from tunesmith.core.errors import nearest
from tunesmith.core.record import Record

BOUNDS = {
    "greater_than": ("gt", "a number above {}"),
    "greater_than_equal": ("ge", "a number of at least {}"),
    "less_than": ("lt", "a number below {}"),
    "less_than_equal": ("le", "a number of at most {}"),
}
TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": 'text in quotes, such as "…"',
    "bool_type": "true or false",
    "tuple_type": 'a list, such as ["…", "…"]',
    "finite_number": "a finite number",
    "too_short": "a longer list",
    "string_too_short": "a text that is not empty",
}


def sentence(key: str, value: Any, fault: Any, record: type[Record]) -> str:
    """What is wrong with one key of a section, as pydantic found it in `fault`, and what was expected there."""
    if fault["type"] == "missing":
        annotation = record.model_fields[key].annotation
        choices = get_args(annotation) if get_origin(annotation) is Literal else ()
        expected = f"Expected {' or '.join(json.dumps(choice) for choice in choices)}. " if choices else ""
        return f"{key} is missing. {expected}{_purpose(record, key)}"
    if fault["type"] == "value_error":
        subject = f"{key}: " if _is_secret(key, value) else f"{key} = {shown(value)}: " if key else ""
        return f"{subject}{fault['ctx']['error']}"
    expected = _expected(fault, record, key)
    place = _within(fault["loc"], value)
    return f"{key} = {shown(value)}{place}: expected {expected}. {_purpose(record, key)}"


def _within(loc: tuple[Any, ...], value: Any) -> str:
    """Where within the value of a key: the item of a list, the names of what is nested."""
    if len(loc) > 1 and isinstance(loc[1], int):
        return f" (item {loc[1] + 1})"
    names: list[str] = []
    for part in loc[1:]:
        if not isinstance(value, dict) or part not in value:
            break
        names, value = [*names, part], value[part]
    return f" (at {'.'.join(names)})" if names else ""


def _is_secret(key: str, value: Any) -> bool:
    """Whether someone may have put a key or a password there by mistake, which no message may repeat."""
    return key == "api_key_env" or (key == "base_url" and "@" in str(value))


def _purpose(record: type[Record], key: str) -> str:
    field = record.model_fields.get(key)
    return (field.description or "") if field else ""


def _expected(fault: Any, record: type[Record], key: str) -> str:
    kind = fault["type"]
    if kind in BOUNDS:
        name, text = BOUNDS[kind]
        return text.format(f"{fault['ctx'][name]:g}")
    if kind == "literal_error":
        choices = fault["ctx"]["expected"]
        hint = nearest(str(fault["input"]), re.findall(r"[\w-]+", choices))
        return f"one of {choices}{hint}"
    words = TYPES.get(kind, fault["msg"][:1].lower() + fault["msg"][1:])
    optional = type(None) in get_args(record.model_fields[key].annotation) if key in record.model_fields else False
    return f"{words} (or no such line)" if optional else words


def shown(value: Any) -> str:
    """A value as it stands in the file, at most 60 characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"

"""The turns and tools of a row, brought into OpenAI's present form; what cannot be is a fault of the row.

Null keys are absent ones (tables write them so), a function call of the former form is a call of a tool, a text in
parts is a text, and what stands as JSON inside a text (as a cell of a table has it) is what it says.
"""

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.core.texts import shown
from tunesmith.data import fields
from tunesmith.data.fields import MOST_WEIGHT, RowError
from tunesmith.data.layouts.base import Row

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
ROLES |= {"function": "tool"}
KEYS = {"role", "content", "tool_calls", "tool_call_id", "function_call", "name", "weight"}
EMPTY: tuple[Any, ...] = (None, [], {}, "")


def turns(value: Any, field: str) -> list[Row]:
    value = parsed(value)
    if not isinstance(value, list) or not value:
        found = "empty" if value == [] else fields.kind(value)
        raise RowError("type", f"'{field}' is {found}; expected a list of turns with role and content.", field=field)
    return [turn(each, f"{field}[{number}]") for number, each in enumerate(value)]


def turn(value: Any, field: str) -> Row:
    if not isinstance(value, dict):
        raise RowError(
            "type", f"'{field}' is {fields.kind(value)}; expected an object with role and content.", field=field
        )
    role = value.get("role")
    if not isinstance(role, str) or role not in ROLES:
        found = f"'{shown(role, 30)}'" if isinstance(role, str) else fields.kind(role)
        raise RowError("role", f"The role of '{field}' is {found}; expected {', '.join(ROLES)}.", field=field)
    if extra := next((key for key, said in value.items() if key not in KEYS and said not in EMPTY), None):
        raise RowError(
            "unknown-key",
            f"'{field}' has the key '{shown(extra, 30)}', which the canonical form cannot carry.",
            field=field,
        )
    made: Row = {"role": ROLES[role]}
    calls = _calls(value, field)
    content = plain_text(value.get("content"), f"{field}.content", missing=bool(calls))
    if content is not None:
        made["content"] = content
    if calls:
        if made["role"] != "assistant":
            raise RowError("tools", f"'{field}.tool_calls': only a turn of the assistant's calls tools.", field=field)
        made["tool_calls"] = calls
    for key in ("tool_call_id", "name"):
        if value.get(key) is not None:
            made[key] = string(value[key], f"{field}.{key}")
    if value.get("weight") is not None:
        made["weight"] = weight(value["weight"], made["role"], f"{field}.weight")
    return made


def said(role: str, text: Any, field: str) -> Row:
    return {"role": role, "content": string(text, field)}


def plain_text(value: Any, field: str, *, missing: bool = False) -> str | None:
    """A content: text, or parts that are all text. None only where it may be `missing`."""
    if value is None and missing:
        return None
    if isinstance(value, list) and value and all(_is_text(part) for part in value):
        return string("".join(part["text"] for part in value), field)
    if isinstance(value, list):
        other = next((part for part in value if not _is_text(part)), None)
        what = other.get("type") if isinstance(other, dict) else None
        raise RowError(
            "type",
            f"'{field}' has a part that is no text ({shown(str(what or 'nothing'), 30)}); images and "
            "sounds are not read.",
            field=field,
        )
    return string(value, field)


def string(value: Any, field: str) -> str:
    """A text, which may be empty: whether that is a fault is for the checks to say."""
    if not isinstance(value, str):
        raise RowError("type", f"'{shown(field)}' is {fields.kind(value)}; expected text.", field=shown(field))
    return fields.whole(value, field)


def weight(value: Any, role: str, field: str) -> Any:
    if role != "assistant" or not 0 <= fields.number(value) <= MOST_WEIGHT or isinstance(value, str):
        raise RowError(
            "weight",
            f"'{field}' must be a number from 0 to {MOST_WEIGHT:,.0f}, in a turn of the assistant's alone.",
            field=field,
        )
    return value


def call(name: Any, arguments: Any, field: str, identity: Any = None) -> Row:
    """A call of a tool; its arguments, an object or the text of one, become text."""
    if isinstance(arguments, dict):
        arguments = dumped(arguments, field)
    text = string(arguments, f"{field}.arguments")
    if not isinstance(parsed(text), dict):
        raise RowError(
            "tools",
            f"The arguments of '{field}' are no JSON object; expected one.",
            field=f"{field}.arguments",
            excerpt=text,
        )
    made: Row = {"type": "function", "function": {"name": string(name, f"{field}.name"), "arguments": text}}
    return ({"id": string(identity, f"{field}.id")} if identity is not None else {}) | made


def dumped(value: Any, field: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise RowError("json", f"'{shown(field)}' holds what JSON cannot say.", field=shown(field)) from None


def tools(value: Any, field: str = "tools") -> list[Row]:
    """A list of tools, each in OpenAI's form or as the function alone; or the JSON text of such a list."""
    value = parsed(value)
    if not isinstance(value, list):
        raise RowError("tools", f"'{field}' is {fields.kind(value)}; expected a list of tools.", field=field)
    return [_tool(each, f"{field}[{number}]") for number, each in enumerate(value)]


def parsed(value: Any) -> Any:
    """What a text that looks like a list or an object says in JSON; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def chat(row: Mapping[str, Any], field: str = "messages") -> Row:
    """`messages`, `tools` and `parallel_tool_calls` of a row in OpenAI's form."""
    made: Row = {"messages": turns(row.get(field), field)}
    if (given := row.get("tools", row.get("functions"))) is not None and given != "":
        made["tools"] = tools(given, "tools" if "tools" in row else "functions")
    if (parallel := row.get("parallel_tool_calls")) is not None:
        parallel = {"true": True, "false": False}.get(parallel.lower()) if isinstance(parallel, str) else parallel
        if not isinstance(parallel, bool):
            raise RowError("type", "'parallel_tool_calls' must be true or false.", field="parallel_tool_calls")
        made["parallel_tool_calls"] = parallel
    return made


def _is_text(part: Any) -> bool:
    return (
        isinstance(part, dict)
        and part.get("type", "text") in ("text", "input_text", "output_text")
        and isinstance(part.get("text"), str)
    )


def _calls(value: Row, field: str) -> list[Row]:
    given = parsed(value.get("tool_calls")) or []
    if not isinstance(given, list):
        raise RowError("tools", f"'{field}.tool_calls' is {fields.kind(given)}; expected a list.", field=field)
    calls = [_call(each, f"{field}.tool_calls[{number}]") for number, each in enumerate(given)]
    if former := value.get("function_call"):
        if not isinstance(former, dict):
            raise RowError(
                "tools", f"'{field}.function_call' is {fields.kind(former)}; expected an object.", field=field
            )
        calls.append(call(former.get("name"), former.get("arguments"), f"{field}.function_call"))
    return calls


def _call(value: Any, field: str) -> Row:
    function = value.get("function") if isinstance(value, dict) else None
    if not isinstance(function, dict):
        raise RowError("tools", f"'{field}' is no call; expected an object with 'function'.", field=field)
    return call(function.get("name"), function.get("arguments"), f"{field}.function", value.get("id"))


def _tool(value: Any, field: str) -> Row:
    if isinstance(value, dict) and "function" not in value and isinstance(value.get("name"), str):
        value = {"function": {key: said for key, said in value.items() if (key, said) != ("type", "function")}}
    function = value.get("function") if isinstance(value, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise RowError("tools", f"'{field}' is no tool; expected an object with a name and parameters.", field=field)
    tool: Row = value if "type" in value else {"type": "function"} | value
    return tool

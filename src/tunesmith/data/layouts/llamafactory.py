"""LLaMA-Factory's second layout (v1): turns whose content is a list of parts, each turn with a weight of its loss.

{"messages": [{"role": "user", "content": [{"type": "text", "value": …}], "loss_weight": 0.0}, …], "tools": "[…]"}

A turn of the user's has the weight 0 and one of the assistant's 1 unless it says otherwise.
"""

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.core.texts import shown
from tunesmith.data import fields
from tunesmith.data.fields import RowError
from tunesmith.data.layouts.base import COLUMNS, Layout, Row
from tunesmith.data.layouts.turns import call, dumped, parsed, string, tools, weight

ROLES = ("system", "user", "assistant", "tool")


def _fits(row: Mapping[str, Any]) -> bool:
    turns = parsed(row.get("messages"))
    return isinstance(turns, list) and any(_has_values(turn) for turn in turns)


def _has_values(turn: Any) -> bool:
    content = turn.get("content") if isinstance(turn, dict) else None
    return isinstance(content, list) and any(isinstance(part, dict) and "value" in part for part in content)


def _read(row: Mapping[str, Any]) -> Row:
    turns = parsed(row["messages"])
    if not isinstance(turns, list) or not turns:
        raise RowError("type", f"'messages' is {fields.kind(turns)}; expected a list of turns.", field="messages")
    made: Row = {"messages": [_turn(turn, f"messages[{number}]") for number, turn in enumerate(turns)]}
    if row.get("tools") not in (None, ""):
        made["tools"] = tools(row["tools"])
    return made


def _turn(turn: Any, field: str) -> Row:
    role = turn.get("role") if isinstance(turn, dict) else None
    if role not in ROLES or turn.keys() - {"role", "content", "loss_weight"}:
        raise RowError("role", f"'{field}' is no turn; expected role, content and loss_weight alone.", field=field)
    parts = turn.get("content")
    if not isinstance(parts, list) or not parts:
        raise RowError("type", f"'{field}.content' is {fields.kind(parts)}; expected a list of parts.", field=field)
    texts, calls = [], []
    for number, part in enumerate(parts):
        what = part.get("type") if isinstance(part, dict) else None
        place = f"{field}.content[{number}]"
        if what == "text":
            texts.append(string(part.get("value"), place))
        elif what == "tool_call" and role == "assistant":
            value = parsed(part.get("value"))
            if not isinstance(value, dict):
                raise RowError("tools", f"'{place}' is no call; expected name and arguments.", field=place)
            calls.append(call(value.get("name"), value.get("arguments"), place))
        else:
            raise RowError(
                "type", f"'{place}' is {shown(str(what), 30)}; only text and calls of tools are read.", field=place
            )
    made: Row = (
        {"role": role} | ({"content": "".join(texts)} if texts else {}) | ({"tool_calls": calls} if calls else {})
    )
    given = turn.get("loss_weight")
    if given is not None and not (role != "assistant" and given == 0):
        made["weight"] = weight(given, role, f"{field}.loss_weight")
    return made


def _write(row: Row) -> Row:
    made: Row = {"messages": [_written(turn) for turn in row["messages"]]}
    if "tools" in row:
        made["tools"] = dumped(row["tools"], "tools")
    return made


def _written(turn: Row) -> Row:
    parts = [{"type": "text", "value": turn["content"]}] if turn.get("content") is not None else []
    for each in turn.get("tool_calls", ()):
        function = {"name": each["function"]["name"], "arguments": json.loads(each["function"]["arguments"])}
        parts.append({"type": "tool_call", "value": dumped(function, "tool_calls")})
    made = {"role": turn["role"], "content": parts}
    if turn["role"] != "assistant":
        return made | {"loss_weight": 0.0}
    return made | ({"loss_weight": turn["weight"]} if "weight" in turn else {})


LLAMAFACTORY = Layout(
    name="llamafactory-v1",
    what="LLaMA-Factory v1: messages whose content is a list of parts, loss_weight",
    fits=_fits,
    read=_read,
    write=_write,
    keys=frozenset({"messages", "tools"}),
    carries=frozenset({"request", "system", "turns", "tools", "calls", "text beside calls", "several calls", "weights"})
    | {"free end"}
    | COLUMNS,
    over=frozenset({"openai", "kto-chat", "tunesmith"}),
)

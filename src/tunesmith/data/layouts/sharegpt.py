"""ShareGPT: turns of `from` and `value`; with calls of tools as LLaMA-Factory has them (its Glaive file), and pairs.

{"conversations": [{"from": "human", "value": …}, {"from": "gpt", "value": …}], "system": …, "tools": "[…]"}
{"conversations": […], "chosen": {"from": "gpt", "value": …}, "rejected": {…}}

A turn from function_call holds {"name", "arguments"} as JSON, or a list of such; the tool answers from observation.
"""

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.core.texts import shown
from tunesmith.data import fields
from tunesmith.data.fields import RowError
from tunesmith.data.layouts.base import COLUMNS, Layout, Row
from tunesmith.data.layouts.turns import call, dumped, parsed, said, string, tools

ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "system": "system",
    "observation": "tool",
    "tool": "tool",
    "function_response": "tool",
}
CALL = "function_call"
NAMES = {"user": "human", "assistant": "gpt", "system": "system", "tool": "observation"}
TURNS = ("conversations", "conversation")
CARRIES = frozenset({"system", "turns", "tools", "calls", "several calls", "free end"}) | COLUMNS


def _turns(value: Any, field: str) -> list[Row]:
    value = parsed(value)
    if not isinstance(value, list) or not value:
        found = "empty" if value == [] else fields.kind(value)
        raise RowError("type", f"'{field}' is {found}; expected a list of turns with from and value.", field=field)
    return [_turn(turn, f"{field}[{number}]") for number, turn in enumerate(value)]


def _turn(turn: Any, field: str) -> Row:
    if not isinstance(turn, dict):
        raise RowError(
            "type", f"'{field}' is {fields.kind(turn)}; expected an object with from and value.", field=field
        )
    extra = next((key for key in turn if key not in ("from", "value") and turn[key] not in (None, "")), None)
    if extra:
        raise RowError(
            "unknown-key",
            f"'{field}' has the key '{shown(extra, 30)}', which the canonical form cannot carry.",
            field=field,
        )
    speaker = turn.get("from")
    if speaker == CALL:
        return {"role": "assistant", "tool_calls": _calls(string(turn.get("value"), f"{field}.value"), field)}
    if not isinstance(speaker, str) or speaker not in ROLES:
        found = f"'{shown(speaker, 30)}'" if isinstance(speaker, str) else fields.kind(speaker)
        raise RowError("role", f"'{field}' is from {found}; expected {', '.join([*ROLES, CALL])}.", field=field)
    return said(ROLES[speaker], turn.get("value"), f"{field}.value")


def _calls(text: str, field: str) -> list[Row]:
    value = parsed(text)
    calls = value if isinstance(value, list) else [value]
    if not calls or not all(isinstance(each, dict) and "name" in each for each in calls):
        raise RowError(
            "tools",
            f"'{field}' is no call; expected JSON with name and arguments.",
            field=f"{field}.value",
            excerpt=text,
        )
    return [call(each["name"], each.get("arguments", {}), f"{field}.value") for each in calls]


def _asked(row: Mapping[str, Any]) -> Row:
    name = next((name for name in TURNS if name in row), TURNS[0])
    turns = _turns(row.get(name), name)
    if row.get("system") not in (None, ""):
        turns.insert(0, said("system", row["system"], "system"))
    made: Row = {"messages": turns}
    if row.get("tools") not in (None, ""):
        made["tools"] = tools(row["tools"])
    return made


def _read_pair(row: Mapping[str, Any]) -> Row:
    chosen, rejected = ([_turn(parsed(row[key]), key)] for key in ("chosen", "rejected"))
    return {"input": _asked(row), "preferred_output": chosen, "non_preferred_output": rejected}


def _written(turn: Row) -> Row:
    if "tool_calls" not in turn:
        return {"from": NAMES[turn["role"]], "value": turn["content"]}
    functions = [each["function"] for each in turn["tool_calls"]]
    calls = [{"name": each["name"], "arguments": json.loads(each["arguments"])} for each in functions]
    return {"from": CALL, "value": dumped(calls[0] if len(calls) == 1 else calls, "tool_calls")}


def _write(row: Row) -> Row:
    made: Row = {"conversations": [_written(turn) for turn in row["messages"]]}
    if "tools" in row:
        bare = [tool["function"] if tool.keys() <= {"type", "function"} else tool for tool in row["tools"]]
        made["tools"] = dumped(bare, "tools")
    return made


def _write_pair(row: Row) -> Row:
    made = _write(row["input"])
    return made | {"chosen": _written(row["preferred_output"][0]), "rejected": _written(row["non_preferred_output"][0])}


def _fits(row: Mapping[str, Any]) -> bool:
    return any(name in row for name in TURNS)


SHAREGPT = Layout(
    name="sharegpt",
    what="ShareGPT: conversations of from and value (Glaive: with tools)",
    fits=lambda row: _fits(row) and not row.keys() >= {"chosen", "rejected"},
    read=_asked,
    write=_write,
    keys=frozenset({*TURNS, "system", "tools"}),
    carries=CARRIES | {"request"},
)
DPO_SHAREGPT = Layout(
    name="dpo-sharegpt",
    what="DPO (LLaMA-Factory): conversations, chosen, rejected",
    fits=lambda row: _fits(row) and row.keys() >= {"chosen", "rejected"},
    read=_read_pair,
    write=_write_pair,
    keys=frozenset({*TURNS, "system", "tools", "chosen", "rejected"}),
    carries=CARRIES | {"pair"},
    only="pair",
)

"""OpenAI's chat rows, the canonical form itself, and OpenAI's pairs.

{"messages": [{"role", "content", "tool_calls", "weight"}, …], "tools": […], "parallel_tool_calls": false}
{"input": {"messages": […], "tools": […]}, "preferred_output": [turn], "non_preferred_output": [turn]}
"""

from collections.abc import Mapping
from typing import Any

from tunesmith.data import fields
from tunesmith.data.fields import RowError
from tunesmith.data.finding import from_there
from tunesmith.data.layouts import base
from tunesmith.data.layouts.base import CHAT, COLUMNS, OTHER, PAIR, Layout, Row, is_pair
from tunesmith.data.layouts.turns import chat, parsed, turns

KEYS = frozenset({"messages", "tools", "functions", "parallel_tool_calls"})


def read_pair(row: Mapping[str, Any]) -> Row:
    asked = parsed(row["input"])
    if not isinstance(asked, dict):
        raise RowError("type", f"'input' is {fields.kind(asked)}; expected an object with messages.", field="input")
    if extra := next((key for key in asked if key not in KEYS and asked[key] is not None), None):
        raise RowError(
            "unknown-key", f"'input' has the key '{extra}', which the canonical form cannot carry.", field="input"
        )
    return {"input": chat(asked)} | {key: answers(row[key], key) for key in PAIR[1:]}


def answers(value: Any, field: str) -> list[Row]:
    """The turns of an answer: of the assistant's, and of the tools it calls in between."""
    made = turns(value, field)
    if made[-1]["role"] != "assistant":
        raise RowError("order", f"The last turn of '{field}' is not the assistant's.", field=field)
    return made


def _canonical(row: Mapping[str, Any]) -> bool:
    return (
        ("messages" in row or is_pair(row)) and from_there(row.get("origin")) and row.keys() <= {*base.ORDER, "source"}
    )


def _read_canonical(row: Mapping[str, Any]) -> Row:
    made = read_pair(row) if is_pair(row) else chat(row)
    if "label" in row:
        if not isinstance(row["label"], bool):
            raise RowError("type", f"'label' is {fields.kind(row['label'])}; expected true or false.", field="label")
        made["label"] = row["label"]
    if place := next((row[key] for key in ("source", "origin") if from_there(row.get(key))), None):
        made["origin"] = place  # the first: `split` says in `source` where a row stood before it was imported
    other = row.get(OTHER, {})
    if not isinstance(other, dict):
        raise RowError("type", f"'{OTHER}' is {fields.kind(other)}; expected an object.", field=OTHER)
    return made | ({OTHER: other} if other else {})


def _without(row: Row, keys: frozenset[str]) -> Row:
    return {key: value for key, value in row.items() if key in keys}


TUNESMITH = Layout(
    name="tunesmith",
    what="the canonical form: chats, pairs and judgements with 'origin' and 'other'",
    fits=_canonical,
    read=_read_canonical,
    write=lambda row: dict(row),
    keys=frozenset({*KEYS, *PAIR, "label", "origin", "source", OTHER}),
    carries=CHAT | COLUMNS | {"pair", "judgement", "origin"},
    over=frozenset({"openai", "openai-preference", "kto-chat"}),
)
OPENAI = Layout(
    name="openai",
    what="OpenAI chat rows: messages, tools, parallel_tool_calls, weight",
    fits=lambda row: "messages" in row and not isinstance(row.get("label"), bool),
    read=chat,
    write=lambda row: _without(row, KEYS),
    keys=KEYS,
    carries=CHAT,  # and no column beside them, which a provider could refuse
)
OPENAI_PREFERENCE = Layout(
    name="openai-preference",
    what="OpenAI preference rows: input, preferred_output, non_preferred_output",
    fits=is_pair,
    read=read_pair,
    write=lambda row: _without(row, frozenset(PAIR)),
    keys=frozenset(PAIR),
    carries=CHAT | {"pair"},
    only="pair",
)

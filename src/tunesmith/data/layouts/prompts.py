"""A prompt and what follows it, as TRL has it: text, or turns where there are several.

{"prompt", "completion"} · {"prompt"} alone, a request · {"prompt", "completion", "label"} (KTO) ·
{"prompt", "chosen", "rejected"} (DPO), where the prompt may also be what both answers begin with
"""

from collections.abc import Mapping
from typing import Any

from tunesmith.data import fields
from tunesmith.data.fields import RowError
from tunesmith.data.layouts.base import CHAT, COLUMNS, Layout, Row
from tunesmith.data.layouts.openai import answers
from tunesmith.data.layouts.turns import chat, parsed, said, turns

EXTRA = ("tools", "parallel_tool_calls")


def _listed(value: Any) -> bool:
    """Whether a value is turns, as a list or, in a cell of a table, as its JSON."""
    value = parsed(value)
    return isinstance(value, list) and bool(value) and all(isinstance(turn, dict) and "role" in turn for turn in value)


def _asked(value: Any, field: str) -> list[Row]:
    return turns(value, field) if _listed(value) else [said("user", value, field)]


def _answered(value: Any, field: str) -> list[Row]:
    return answers(value, field) if _listed(value) else [said("assistant", value, field)]


def _with_tools(row: Mapping[str, Any], messages: list[Row]) -> Row:
    return chat({"messages": messages} | {key: row[key] for key in EXTRA if row.get(key) not in (None, "")})


def verdict(value: Any) -> bool:
    """True or false, which a table may have written as text."""
    given = {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(given, bool):
        raise RowError("type", f"'label' is {fields.kind(value)}; expected true or false.", field="label")
    return given


def _read(row: Mapping[str, Any]) -> Row:
    return _with_tools(row, [*_asked(row["prompt"], "prompt"), *_answered(row["completion"], "completion")])


def _read_prompt(row: Mapping[str, Any]) -> Row:
    return _with_tools(row, _asked(row["prompt"], "prompt"))


def _read_judged(row: Mapping[str, Any]) -> Row:
    return _read(row) | {"label": verdict(row["label"])}


def _read_pair(row: Mapping[str, Any]) -> Row:
    if "prompt" in row:
        asked = _asked(row["prompt"], "prompt")
        chosen, rejected = (_answered(row[key], key) for key in ("chosen", "rejected"))
        if len(chosen) > len(asked) and chosen[: len(asked)] == asked == rejected[: len(asked)]:
            chosen, rejected = chosen[len(asked) :], rejected[len(asked) :]  # TRL's older form repeats the prompt
    else:
        chosen, rejected = (turns(row[key], key) for key in ("chosen", "rejected"))
        shared = next((n for n, (a, b) in enumerate(zip(chosen, rejected, strict=False)) if a != b), 0)
        asked, chosen, rejected = (
            chosen[:shared],
            answers(chosen[shared:], "chosen"),
            answers(rejected[shared:], "rejected"),
        )
        if not asked:
            raise RowError("pair", "'chosen' and 'rejected' share no turn to begin with, so nothing was asked.")
    return {"input": _with_tools(row, asked), "preferred_output": chosen, "non_preferred_output": rejected}


def _value(messages: list[Row], role: str) -> Any:
    """One plain turn as text, anything else as turns; a text that would be read as turns is one of these, too."""
    one = len(messages) == 1 and messages[0].keys() == {"role", "content"} and messages[0]["role"] == role
    return messages[0]["content"] if one and not _listed(messages[0]["content"]) else messages


def _extra(row: Mapping[str, Any]) -> Row:
    return {key: row[key] for key in EXTRA if key in row}


def _write(row: Row) -> Row:
    messages = row["messages"]
    asked = messages[:-1]
    return {"prompt": _value(asked, "user"), "completion": _value(messages[-1:], "assistant")} | _extra(row)


def _write_judged(row: Row) -> Row:
    return _write(row) | {"label": row["label"]}


def _write_pair(row: Row) -> Row:
    made = {"prompt": _value(row["input"]["messages"], "user")}
    made |= {"chosen": _value(row["preferred_output"], "assistant")}
    return made | {"rejected": _value(row["non_preferred_output"], "assistant")} | _extra(row["input"])


def _fits_pair(row: Mapping[str, Any]) -> bool:
    if "chosen" not in row or "rejected" not in row:
        return False
    return "prompt" in row or (_listed(row["chosen"]) and "conversations" not in row and "instruction" not in row)


def _write_prompt(row: Row) -> Row:
    return {"prompt": _value(row["messages"], "user")} | _extra(row)


_ALL = CHAT - {"request", "free end"} | COLUMNS
PROMPT_COMPLETION = Layout(
    name="prompt-completion",
    what="prompt and completion, as text or (TRL) as turns",
    fits=lambda row: row.keys() >= {"prompt", "completion"} and not _is_verdict(row.get("label")),
    read=_read,
    write=_write,
    keys=frozenset({"prompt", "completion", *EXTRA}),
    carries=_ALL,
)
PROMPT = Layout(
    name="prompt",
    what="requests without an answer: a prompt alone",
    fits=lambda row: "prompt" in row and not row.keys() & {"completion", "chosen", "rejected"},
    read=_read_prompt,
    write=_write_prompt,
    keys=frozenset({"prompt", *EXTRA}),
    carries=CHAT | COLUMNS,
    only="request",
)
KTO = Layout(
    name="kto",
    what="KTO (TRL): prompt, completion, label true or false",
    fits=lambda row: row.keys() >= {"prompt", "completion"} and _is_verdict(row.get("label")),
    read=_read_judged,
    write=_write_judged,
    keys=frozenset({"prompt", "completion", "label", *EXTRA}),
    carries=_ALL | {"judgement"},
    only="judgement",
)
KTO_CHAT = Layout(
    name="kto-chat",
    what="KTO (LLaMA-Factory): messages, label true or false",
    fits=lambda row: "messages" in row and _is_verdict(row.get("label")),
    read=lambda row: chat(row) | {"label": verdict(row["label"])},
    write=lambda row: {key: row[key] for key in ("messages", *EXTRA, "label") if key in row},
    keys=frozenset({"messages", "functions", "label", *EXTRA}),
    carries=CHAT | COLUMNS | {"judgement"},
    only="judgement",
    over=frozenset({"openai"}),
)
DPO = Layout(
    name="dpo",
    what="DPO (TRL): prompt, chosen, rejected",
    fits=_fits_pair,
    read=_read_pair,
    write=_write_pair,
    keys=frozenset({"prompt", "chosen", "rejected", *EXTRA}),
    carries=_ALL | {"pair"},
    only="pair",
)


def _is_verdict(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value.lower() in ("true", "false"))

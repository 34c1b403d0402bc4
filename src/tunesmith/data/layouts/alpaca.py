"""Alpaca: an instruction, its input and its output; in LLaMA-Factory also with `system`, `history`, and as pairs.

{"instruction", "input", "output", "system", "history": [["asked", "answered"], …]}
{"instruction", "input", "chosen", "rejected"}

What the model is asked is the instruction and, below an empty line, its input, as LLaMA-Factory joins the two: a
canonical row goes back as an instruction alone unless the input still stands there under `other`.
"""

from collections.abc import Mapping
from typing import Any

from tunesmith.data import fields
from tunesmith.data.fields import RowError
from tunesmith.data.layouts.base import COLUMNS, OTHER, Layout, Row
from tunesmith.data.layouts.turns import parsed, said, string

KEPT = "alpaca.input"  # under `other`: the part of the message that was the input
KEYS = frozenset({"instruction", "input", "output", "system", "history"})
PAIR_KEYS = frozenset({"instruction", "input", "system", "history", "chosen", "rejected"})


def _asked(row: Mapping[str, Any]) -> tuple[list[Row], Row]:
    """The turns before the answer, and what `other` must keep."""
    instruction = string(row["instruction"], "instruction")
    given = row.get("input")
    added = "" if given is None else string(given, "input")
    system = row.get("system")
    turns = [said("system", system, "system")] if system not in (None, "") else []
    for number, pair in enumerate(_history(row.get("history"))):
        turns += [said("user", pair[0], f"history[{number}][0]"), said("assistant", pair[1], f"history[{number}][1]")]
    text = f"{instruction}\n\n{added}" if added and instruction else added or instruction
    kept = {} if given is None else {KEPT: added}
    return [*turns, said("user", text, "instruction")], kept


def _history(value: Any) -> list[Any]:
    value = parsed(value)
    if value in (None, "", []):
        return []
    if not isinstance(value, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        raise RowError(
            "type", f"'history' is {fields.kind(value)}; expected pairs of texts in a list.", field="history"
        )
    return value


def _read(row: Mapping[str, Any]) -> Row:
    asked, kept = _asked(row)
    return {"messages": [*asked, said("assistant", row["output"], "output")]} | ({OTHER: kept} if kept else {})


def _read_pair(row: Mapping[str, Any]) -> Row:
    asked, kept = _asked(row)
    chosen, rejected = ([said("assistant", row[key], key)] for key in ("chosen", "rejected"))
    pair = {"input": {"messages": asked}, "preferred_output": chosen, "non_preferred_output": rejected}
    return pair | ({OTHER: kept} if kept else {})


def _write_asked(messages: list[Row], other: Mapping[str, Any]) -> Row:
    turns = list(messages)
    system = turns.pop(0)["content"] if turns[0]["role"] == "system" else None
    text = turns.pop()["content"]
    made: Row = {"instruction": text}
    given = other.get(KEPT)
    if isinstance(given, str):
        if not given:
            made = {"instruction": text, "input": ""}
        elif text == given:
            made = {"instruction": "", "input": given}
        elif text.endswith(f"\n\n{given}"):
            made = {"instruction": text.removesuffix(f"\n\n{given}"), "input": given}
    if system is not None:
        made["system"] = system
    if turns:
        made["history"] = [
            [asked["content"], told["content"]] for asked, told in zip(turns[::2], turns[1::2], strict=True)
        ]
    return made


def _write(row: Row) -> Row:
    made = _write_asked(row["messages"][:-1], row.get(OTHER, {}))
    return _placed(made, {"output": row["messages"][-1]["content"]})


def _write_pair(row: Row) -> Row:
    made = _write_asked(row["input"]["messages"], row.get(OTHER, {}))
    answers = {"chosen": row["preferred_output"], "rejected": row["non_preferred_output"]}
    return _placed(made, {key: turns[0]["content"] for key, turns in answers.items()})


def _placed(asked: Row, answered: Row) -> Row:
    """instruction, input, what is answered, and the rest: the order that people know."""
    first = {key: asked[key] for key in ("instruction", "input") if key in asked}
    return first | answered | asked


ALPACA = Layout(
    name="alpaca",
    what="Alpaca: instruction, input, output (LLaMA-Factory: system, history)",
    fits=lambda row: row.keys() >= {"instruction", "output"},
    read=_read,
    write=_write,
    keys=KEYS,
    carries=frozenset({"system", "turns"}) | COLUMNS,
    over=frozenset({"table"}),
)
DPO_ALPACA = Layout(
    name="dpo-alpaca",
    what="DPO (LLaMA-Factory): instruction, input, chosen, rejected",
    fits=lambda row: row.keys() >= {"instruction", "chosen", "rejected"},
    read=_read_pair,
    write=_write_pair,
    keys=PAIR_KEYS,
    carries=frozenset({"system", "turns", "pair"}) | COLUMNS,
    only="pair",
)

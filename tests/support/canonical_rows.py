"""Canonical rows of every kind, made up to have only such features as a layout carries."""

import json
from typing import Any

from hypothesis import strategies as st

from tunesmith.data.layouts.base import Layout

Row = dict[str, Any]
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
VALUES = st.one_of(TEXT.filter(bool), st.integers(-9, 9), st.booleans(), st.floats(-5, 5, allow_nan=False))
ARGUMENTS = st.dictionaries(NAMES, st.one_of(VALUES, st.lists(VALUES, max_size=2)), max_size=2)
SCHEMAS = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(NAMES, st.just({"type": "number"}), max_size=2)}
)
PLAIN_COLUMNS = st.dictionaries(st.from_regex(r"col_[a-z]{1,4}", fullmatch=True), TEXT.filter(bool), max_size=2)


def rows_for(layout: Layout) -> st.SearchStrategy[Row]:
    return st.composite(_row)(layout)  # type: ignore[no-any-return]


def _row(draw: Any, layout: Layout) -> Row:
    has = layout.carries
    turns = _asked(draw, has)
    answer = _answer(draw, layout)
    extra: Row = {}
    if "tools" in has and draw(st.booleans()):
        extra["tools"] = draw(st.lists(_tool(), min_size=1, max_size=2))
    if "parallel_tool_calls" in has and draw(st.booleans()):
        extra["parallel_tool_calls"] = draw(st.booleans())
    kinds = [layout.only] if layout.only else ["chat", *sorted({"pair", "judgement", "request"} & has)]
    kind = draw(st.sampled_from(kinds))
    if layout.name == "bfcl":
        extra.setdefault("tools", [])
    if kind == "pair":
        row = {
            "input": {"messages": turns} | extra,
            "preferred_output": [answer],
            "non_preferred_output": [_answer(draw, layout)],
        }
    else:
        row = {"messages": turns if kind == "request" else [*turns, answer]} | extra
        row |= {"label": draw(st.booleans())} if kind == "judgement" else {}
    for key in ("slice", "group"):
        if key in has and draw(st.booleans()):
            row[key] = draw(TEXT.filter(bool))
    if "weight" in has and draw(st.booleans()):
        row["weight"] = draw(st.floats(0.1, 10))
    if "other" in has and (other := draw(PLAIN_COLUMNS)):
        row["other"] = other
    return row


def _asked(draw: Any, has: frozenset[str]) -> list[Row]:
    turns = [{"role": "system", "content": draw(TEXT.filter(bool))}] if "system" in has and draw(st.booleans()) else []
    for _ in range(draw(st.integers(0, 2)) if "turns" in has else 0):
        turns += [{"role": "user", "content": draw(TEXT)}, _said(draw, has)]
        if turns[-1].get("tool_calls"):
            for call in turns[-1]["tool_calls"]:
                turns.append(
                    {"role": "tool", "content": draw(TEXT)} | ({"tool_call_id": call["id"]} if "id" in call else {})
                )
            turns.append({"role": "assistant", "content": draw(TEXT)})
    return [*turns, {"role": "user", "content": draw(TEXT)}]


def _said(draw: Any, has: frozenset[str]) -> Row:
    """A turn of the assistant's between others."""
    turn: Row = {"role": "assistant"}
    calls = (
        _calls(draw, has)
        if "calls" in has and "turns" in has and has & {"free end", "weights"} and draw(st.booleans())
        else []
    )
    if calls:
        turn |= {"content": draw(TEXT.filter(bool))} if "text beside calls" in has and draw(st.booleans()) else {}
        turn["tool_calls"] = calls
    else:
        turn["content"] = draw(TEXT)
    if "weights" in has and draw(st.booleans()):
        turn["weight"] = draw(st.sampled_from([0, 0.5, 1.0]))
    return turn


def _answer(draw: Any, layout: Layout) -> Row:
    if layout.name == "bfcl" or ("calls" in layout.carries and draw(st.booleans())):
        return {"role": "assistant", "tool_calls": _calls(draw, layout.carries)}
    return {"role": "assistant", "content": draw(TEXT)}


def _calls(draw: Any, has: frozenset[str]) -> list[Row]:
    calls = []
    for number in range(draw(st.integers(1, 2)) if "several calls" in has else 1):
        arguments = json.dumps(draw(ARGUMENTS), ensure_ascii=False)
        call: Row = {"id": f"call_{number}"} if "ids of calls" in has else {}
        calls.append(call | {"type": "function", "function": {"name": draw(NAMES), "arguments": arguments}})
    return calls


def _tool() -> st.SearchStrategy[Row]:
    function = st.fixed_dictionaries({"name": NAMES, "description": TEXT, "parameters": SCHEMAS})
    return st.fixed_dictionaries({"type": st.just("function"), "function": function})

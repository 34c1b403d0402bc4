"""The seam of the layouts: how a row is recognised, read into the canonical form, and written back.

A canonical row is one of three. A chat: `messages` (a system turn at most first; without an answer at the end it is a
request), `tools`, `parallel_tool_calls`. A judgement: a chat with a true or false `label` of its last turn. A pair:
OpenAI's `input`, `preferred_output`, `non_preferred_output`. Beside these stand `slice`, `group`, `weight`, `origin`
("file:line") and, under `other`, the columns that nobody here reads.

What a row has and a layout cannot carry is found out from the row, once for all layouts: a feature that changes what
is learnt makes the row one that does not fit, any other is left out and counted.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.core.texts import shown
from tunesmith.data import fields
from tunesmith.data.fields import SURROGATE, RowError
from tunesmith.data.lines import ROW_LIMIT

Row = dict[str, Any]
PAIR = ("input", "preferred_output", "non_preferred_output")
OTHER = "other"
NAMED = ("slice", "group", "weight")
ORDER = ("messages", *PAIR, "tools", "parallel_tool_calls", "label", *NAMED, "origin", OTHER)

MEANING = {  # features without which the row would teach something else
    "pair": "two answers of which one is preferred",
    "judgement": "a verdict on its answer",
    "request": "no answer",
    "system": "a system turn",
    "turns": "several turns",
    "tools": "tools",
    "calls": "calls of tools",
    "text beside calls": "text and calls in one turn",
    "several calls": "several calls in one turn",
    "weights": "weights of turns",
    "free end": "turns that do not run from the user to the assistant",
}
ASIDE = {  # features that can be left out, with a count
    "ids of calls": "the ids of calls",
    "names": "the names of who speaks",
    "parallel_tool_calls": "'parallel_tool_calls'",
    "slice": "'slice'",
    "group": "'group'",
    "weight": "'weight'",
    "origin": "'origin'",
    OTHER: "other columns",
}
PRIVATE = ("alpaca.", "bfcl.", "promptfoo.")  # so begin the keys under `other` that one layout alone reads and writes
COLUMNS = frozenset({*NAMED, OTHER})
CHAT = frozenset({"request", "system", "turns", "tools", "calls", "text beside calls", "several calls", "weights"})
CHAT |= {"ids of calls", "names", "parallel_tool_calls", "free end"}


class Columns(NamedTuple):
    """The names of columns that the user gave; None where the layout knows them."""

    input: str | None = None
    label: str | None = None
    slice: str | None = None
    group: str | None = None


class Layout(NamedTuple):
    """`keys` are the columns that `read` reads; a row that `fits` may look like those `over` which this one goes.

    `read` and `write` raise RowError. `unfold` takes a line that holds several rows apart, `beside` finds a file that
    lies beside the source and belongs to its rows.
    """

    name: str
    what: str
    fits: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Mapping[str, Any]], Row]
    write: Callable[[Row], Row]
    keys: frozenset[str]
    carries: frozenset[str]
    over: frozenset[str] = frozenset()
    only: str = ""  # the feature that every row of the layout has
    leaves: frozenset[str] = frozenset()  # keys of `keys` of which `read` leaves a part under `other`
    unfold: Callable[[Row], Iterator[Row]] = lambda row: iter((row,))
    beside: Callable[[Path, str], "Beside | None"] = lambda path, name: None


class Beside(NamedTuple):
    """A file beside the source, by name, and what it adds to each row."""

    name: str
    joined: Callable[[Row], Row]


class NotMeantError(Exception):
    """The row is no example by its nature, such as the span of another kind of work: it is counted, not a fault."""


def imported(row: Row, layout: Layout, columns: Columns, origin: str) -> Row:
    """The canonical row. Raises RowError, or NotMeantError."""
    made = layout.read(row)
    rest = {key: value for key, value in row.items() if key not in layout.keys}
    made |= _named(rest, columns)
    made.setdefault("origin", origin)
    other = rest | made.pop(OTHER, {})
    if other:
        made[OTHER] = other
    return ordered(made)


def exported(row: Row, layout: Layout) -> tuple[Row, list[str]]:
    """The row as `layout` has it, and what was left out of it. Raises RowError where its meaning would change."""
    has = features(row)
    for feature, words in MEANING.items():
        if feature in has and feature not in layout.carries:
            raise RowError("not-carried", f"The row has {words}, which the layout {layout.name} cannot carry.")
    if layout.only and layout.only not in has:
        raise RowError("not-carried", f"The row has not {MEANING[layout.only]}, which every row of {layout.name} has.")
    made = layout.write(row)
    beside = {key: row[key] for key in NAMED if key in row and key in layout.carries and key not in made}
    other = _others(row) if OTHER in layout.carries and OTHER not in made else {}
    if taken := [key for key in other if key in (layout.keys - layout.leaves) or key in NAMED]:
        raise RowError("not-carried", f"The other column '{shown(taken[0])}' has the name of one that the layout uses.")
    left = [feature for feature in ASIDE if feature in has and feature not in layout.carries]
    return made | {key: value for key, value in (beside | other).items() if key not in made}, left


def _others(row: Mapping[str, Any]) -> Row:
    """The other columns, without what a layout keeps there to write its rows back as they were."""
    return {key: value for key, value in row.get(OTHER, {}).items() if not key.startswith(PRIVATE)}


def features(row: Mapping[str, Any]) -> frozenset[str]:
    """What the row has that not every layout can carry."""
    found = {key for key in (*NAMED, "origin") if row.get(key) not in (None, "")}
    found |= {OTHER} if _others(row) else set()
    if is_pair(row):
        found.add("pair")
        messages = [*row["input"]["messages"], *row["preferred_output"], *row["non_preferred_output"]]
        holder = row["input"]
        asked = row["input"]["messages"]
        single = len(row["preferred_output"]) == len(row["non_preferred_output"]) == 1
        shape = _shape([*asked, row["preferred_output"][-1]]) if row["preferred_output"] else {"free end"}
        found |= shape | (set() if single else {"turns"})
    else:
        messages, holder = row["messages"], row
        found |= _shape(messages) | ({"judgement"} if "label" in row else set())
    found |= {"tools"} if holder.get("tools") else set()
    found |= {"parallel_tool_calls"} if "parallel_tool_calls" in holder else set()
    for turn in messages:
        calls = turn.get("tool_calls", ())
        found |= {"calls"} if calls or turn["role"] == "tool" else set()
        found |= {"text beside calls"} if calls and turn.get("content") else set()
        found |= {"several calls"} if len(calls) > 1 else set()
        neutral = turn is messages[-1] and turn.get("weight") == 1  # an answer has this weight anyway
        found |= {"weights"} if "weight" in turn and not neutral else set()
        found |= {"names"} if "name" in turn else set()
        found |= {"ids of calls"} if "tool_call_id" in turn or any("id" in call for call in calls) else set()
    return frozenset(found)


def _shape(messages: list[Row]) -> set[str]:
    """Whether the turns are a question and its answer, and what else they are."""
    roles = [turn["role"] for turn in messages]
    found = set()
    if roles[:1] == ["system"]:
        found.add("system")
        roles.pop(0)
    if roles[-1:] != ["assistant"]:
        found.add("request")
        roles.append("assistant")
    if roles != ["user", "assistant"]:
        found.add("turns")
    spoken = [role for role, before in zip(roles, ["", *roles], strict=False) if role != "tool" or before != "tool"]
    asked, told = spoken[::2], spoken[1::2]
    if not {*asked} <= {"user", "tool"} or {*told} != {"assistant"} or asked[:1] != ["user"] or len(asked) != len(told):
        found.add("free end")
    return found


def is_pair(row: Mapping[str, Any]) -> bool:
    return all(key in row for key in PAIR)


def kind(row: Mapping[str, Any]) -> str:
    """pair, judgement, request (a chat that nobody has answered yet) or chat."""
    if is_pair(row):
        return "pair"
    if "label" in row:
        return "judgement"
    return "chat" if row["messages"] and row["messages"][-1]["role"] == "assistant" else "request"


def ordered(row: Row) -> Row:
    return {key: row[key] for key in ORDER if key in row}


def line(row: Row) -> str:
    """The canonical row as a line of a file. Raises RowError where no file can carry it."""
    try:
        text = json.dumps(row, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        raise RowError(
            "number", "The row holds a number that JSON has not (NaN or infinity), or is nested too deep."
        ) from None
    if not text.isascii() and SURROGATE.search(text):
        raise RowError("surrogate", "The row holds half of a surrogate pair, which no file can carry. Take it out.")
    if len(text) > ROW_LIMIT / 4 and len(text.encode()) > ROW_LIMIT:
        raise RowError("too-large", "The row has more than 1 MiB in the canonical form; no later step would read it.")
    return text


def _named(rest: Row, columns: Columns) -> Row:
    """slice, group and weight, taken out of the columns that are left."""
    made: Row = {}
    for key, column in (("slice", columns.slice or "slice"), ("group", columns.group or "group"), ("weight", "weight")):
        if column in rest:
            value = rest.pop(column)
            if key == "weight":
                fields.weight(value)
            else:
                fields.name(value, column)
            if value not in (None, ""):
                made[key] = value
    return made

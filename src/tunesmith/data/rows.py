"""One row → one example, or the fault that keeps it from being one.

Three forms: the columns named under [data]; `messages`; `prompt` and `completion`. A row that has several is read by
the first of these. Reading stops at the first fault of a row.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from tunesmith.core.errors import DataError, nearest
from tunesmith.core.example import Example, Message
from tunesmith.core.texts import shown
from tunesmith.data import fields
from tunesmith.data.answers import accepted_in, answer_of, answer_of_turn, in_order, record, results_in
from tunesmith.data.conversation import conversation, tools_of
from tunesmith.data.fields import RowError
from tunesmith.data.finding import from_there
from tunesmith.data.section import CallSection, DataSection

PAIR = ("prompt", "completion")
NAMED = 8  # columns that a message lists
COMPARED = 1000  # columns that the nearest is sought among
NAMING, NAMING_FIELDS = 'input = "…", output = "…"', 'input = "…", fields = ["…", "…"]'
PROSE = re.compile(r"\s*(?:[-*#>]+\s+)?[^\W\d_][\w'’-]*[,;:.!?]?\s+[^\W\d_]")  # a word, and another one behind it


def parse_json(text: str) -> dict[str, Any]:
    """The row of one line of JSON Lines."""
    try:
        row = json.loads(text.rstrip(), object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        if PROSE.match(text):
            raise RowError(
                "prose",
                "The line is prose, not a row. Take it out, or make it a row: one JSON object on one line.",
                excerpt=text,
            ) from None
        fault = f"{error.msg.removesuffix(' at')} at character {error.pos + 1}"
        raise RowError(
            "json",
            f"Not valid JSON: {fault}. Expected one object on one line.",
            excerpt=text,
            at=error.pos,
        ) from None
    except (ValueError, RecursionError):
        raise RowError("json", "JSON nested too deep, or a number too long, to be a row.", excerpt=text) from None
    if not isinstance(row, dict):
        raise RowError("type", f"The row is {fields.kind(row)}; expected a JSON object.", excerpt=text)
    return row


def object_at(text: str, place: str) -> dict[str, Any]:
    """`parse_json`, whose fault is a DataError that names `place`."""
    try:
        return parse_json(text)
    except RowError as fault:
        raise DataError(f"{place}: {fault.message}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise RowError("form", f"The key '{shown(key)}' stands in it twice; keep one.", field=shown(key))
            seen.add(key)
    return row


def columns_of(keys: Iterable[str], section: DataSection) -> tuple[str, str] | None:
    """The columns of input and output among `keys`: those named under [data], else prompt and completion."""
    keys = set(keys)
    if keys.issuperset({section.input, *section.answer}):
        return named(section)
    return PAIR if keys.issuperset(PAIR) else None


def named(section: DataSection) -> tuple[str, str]:
    """The columns of input and output under [data]; of several that make a record, the first."""
    return section.input, section.answer[0]


@lru_cache(maxsize=64)  # a file in which every row has the same fault says the same again and again
def missing_columns(keys: tuple[str, ...], section: DataSection) -> str:
    """What to say where no form fits: what is missing, what there is, what would help."""
    missing = [name for name in (section.input, *section.answer) if name not in keys]
    others = [shown(key) for key in keys[:COMPARED]]
    words = listed([f"'{shown(name)}'{nearest(name, others)}" for name in missing])
    return (
        f"Missing {'column' if len(missing) == 1 else 'columns'} {words}. Columns found: {found_columns(keys)}. "
        f"Name the columns in tunesmith.toml: [data] {NAMING_FIELDS if section.fields else NAMING}."
    )


def found_columns(keys: Sequence[str]) -> str:
    """The columns that there are, as a message lists them."""
    names = ", ".join(f"'{shown(key, 30)}'" for key in keys[:NAMED]) or "none"
    return f"{names} and {len(keys) - NAMED} more" if len(keys) > NAMED else names


def listed(words: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def example_of(row: Mapping[str, Any], section: DataSection, *, prompt: str | None, origin: str) -> Example:
    """The example that `row` is. Raises RowError. `prompt` None: no system turn is allowed at all."""
    columns = columns_of(row, section)
    if columns == named(section) or (columns and "messages" not in row):
        return from_columns(row, columns, section, origin=origin)
    if "messages" in row:
        said = conversation(row, prompt)
        expected = answer_of_turn(said.answer, section)
        return _example(said.turns, expected, row, section, origin, said.tools)
    raise RowError("columns", missing_columns(tuple(row), section))


def from_columns(
    row: Mapping[str, Any], columns: tuple[str, str], section: DataSection, *, origin: str, cells: bool = False
) -> Example:
    """`cells`: the row is one of a table whose values are all texts."""
    text = fields.text(row[columns[0]], columns[0])
    if section.fields and columns == named(section):
        field = ", ".join(section.fields)
        expected = record({name: row[name] for name in section.fields}, field, section, cells=cells)
    else:
        expected = answer_of(row[columns[1]], columns[1], section)
    tools = tools_of(row.get("tools")) if isinstance(section, CallSection) else ()
    return _example((Message(role="user", content=text),), expected, row, section, origin, tools)


def _example(
    turns: tuple[Message, ...],
    expected: str,
    row: Mapping[str, Any],
    section: DataSection,
    origin: str,
    tools: tuple[str, ...] = (),
) -> Example:
    calling = isinstance(section, CallSection)
    if isinstance(section, CallSection) and not section.written:
        tools = tools or section.tools
        expected = in_order(expected, tools)
    return Example(
        messages=turns,
        expected=expected,
        tools=tools,
        accepted=accepted_in(row) if calling else "",
        results=results_in(row) if calling else "",
        slice=fields.name(row.get(section.slice), section.slice),
        group=fields.name(row.get(section.group), section.group),
        weight=fields.weight(row.get("weight")),
        origin=origin,
        source=row["source"] if "messages" in row and from_there(row.get("source")) else "",
        behaviour=fields.behaviour(row.get(section.behaviour), section.behaviour) if section.behaviour else None,
        tests=fields.text(row[section.tests], section.tests) if section.tests and row.get(section.tests) else "",
        time=fields.moment(row.get(section.time), section.time) if section.time else None,
    )

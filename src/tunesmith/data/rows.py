"""One row → one example, or the fault that keeps it from being one.

Three forms: the columns named under [data]; `messages`; `prompt` and `completion`. A row that has several is read by
the first of these. Reading stops at the first fault of a row.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast, get_args

from tunesmith.core.errors import DataError, nearest
from tunesmith.core.example import Example, Message, Role
from tunesmith.data.finding import shown
from tunesmith.data.section import DataSection

PAIR = ("prompt", "completion")
TOOL_KEYS = ("tools", "functions", "tool_calls", "function_call")
SURROGATE = re.compile("[\ud800-\udfff]")
MOST_WEIGHT = 1_000_000.0
NAMED = 8  # columns that a message lists
COMPARED = 1000  # columns that the nearest is sought among


class RowError(Exception):
    """Why a row is no example. It never leaves this room: it becomes a Finding or a DataError."""

    def __init__(self, kind: str, message: str, *, field: str | None = None, excerpt: str = ""):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.field = field
        self.excerpt = shown(excerpt)


def parse_json(text: str) -> dict[str, Any]:
    """The row of one line of JSON Lines."""
    try:
        row = json.loads(text.rstrip(), object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise RowError(
            "json",
            f"Not valid JSON: {error.msg} at character {error.pos + 1}. Expected one object on one line.",
            excerpt=text[max(0, error.pos - 20) :],
        ) from None
    except (ValueError, RecursionError):
        raise RowError("json", "JSON nested too deep, or a number too long, to be a row.", excerpt=text) from None
    if not isinstance(row, dict):
        raise RowError("type", f"The row is {_kind(row)}; expected a JSON object.", excerpt=text)
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
    return next((pair for pair in ((section.input, section.output), PAIR) if keys.issuperset(pair)), None)


@lru_cache(maxsize=64)  # a file in which every row has the same fault says the same again and again
def missing_columns(keys: tuple[str, ...], section: DataSection) -> str:
    """What to say where no form fits: what is missing, what there is, what would help."""
    missing = [name for name in (section.input, section.output) if name not in keys]
    others = [shown(key) for key in keys[:COMPARED]]
    words = listed([f"'{shown(name)}'{nearest(name, others)}" for name in missing])
    return (
        f"Missing {'column' if len(missing) == 1 else 'columns'} {words}. Columns found: {found_columns(keys)}. "
        'Name the columns in tunesmith.toml: [data] input = "…", output = "…".'
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
    if columns == (section.input, section.output) or (columns and "messages" not in row):
        return from_columns(row, columns, section, origin=origin)
    if "messages" in row:
        turns, expected = _conversation(row, prompt)
        return _example(turns, expected, row, section, origin)
    raise RowError("columns", missing_columns(tuple(row), section))


def from_columns(row: Mapping[str, Any], columns: tuple[str, str], section: DataSection, *, origin: str) -> Example:
    text, expected = (_text(row[column], column) for column in columns)
    return _example((Message(role="user", content=text),), expected, row, section, origin)


def _example(
    turns: tuple[Message, ...], expected: str, row: Mapping[str, Any], section: DataSection, origin: str
) -> Example:
    return Example(
        messages=turns,
        expected=expected,
        slice=_name(row.get(section.slice), section.slice),
        group=_name(row.get(section.group), section.group),
        weight=_weight(row.get("weight")),
        origin=origin,
    )


def _conversation(row: Mapping[str, Any], prompt: str | None) -> tuple[tuple[Message, ...], str]:
    for key in TOOL_KEYS:
        if row.get(key):
            raise RowError("tools", f"The row has '{key}'; tool calls are not read. Take the row out.", field=key)
    turns = row["messages"]
    if not isinstance(turns, list) or not turns:
        what = "empty" if turns == [] else _kind(turns)
        raise RowError(
            "type", f"'messages' is {what}; expected a list of turns with role and content.", field="messages"
        )
    messages = [_turn(turn, f"messages[{number}]") for number, turn in enumerate(turns)]
    if messages[0].role == "system":
        _check_system(messages.pop(0), prompt)
    _check_order(messages, len(turns))
    return tuple(messages[:-1]), messages[-1].content


def _turn(turn: Any, field: str) -> Message:
    if not isinstance(turn, dict):
        raise RowError("type", f"'{field}' is {_kind(turn)}; expected an object with role and content.", field=field)
    for key in TOOL_KEYS:
        if turn.get(key):
            raise RowError("tools", f"'{field}' has '{key}'; tool calls are not read. Take the row out.", field=field)
    for key, value in turn.items():
        if key not in ("role", "content") and value is not None:
            raise RowError(
                "unknown-key",
                f"'{field}' has the key '{shown(key, 30)}', which would be lost; a turn has role and content only.",
                field=field,
            )
    role = turn.get("role")
    if role not in get_args(Role) or not isinstance(role, str):
        found = f"'{shown(role, 30)}'" if isinstance(role, str) else _kind(role)
        raise RowError("role", f"The role of '{field}' is {found}; expected system, user or assistant.", field=field)
    return Message(role=cast(Role, role), content=_text(turn.get("content"), f"{field}.content"))


def _check_system(turn: Message, prompt: str | None) -> None:
    if prompt is None:
        raise RowError(
            "system",
            "The first turn is a system turn; the task's prompt is added to every row, so leave it out of the rows.",
            field="messages[0]",
        )
    if _plain(turn.content) != _plain(prompt):
        raise RowError(
            "system",
            "The system turn differs from the task's prompt. Put its text into the prompt file ([task] prompt), or "
            "take the turn out of the rows.",
            field="messages[0]",
            excerpt=turn.content,
        )


def _check_order(messages: list[Message], turns: int) -> None:
    """User and assistant by turns, from a user to the assistant's answer: what every chat template takes."""
    before = turns - len(messages)
    for number, message in enumerate(messages):
        expected = "assistant" if number % 2 else "user"
        if message.role != expected:
            raise RowError(
                "order",
                f"Turn {number + before + 1} is from the {message.role}; expected the {expected}. After an optional "
                "system turn, user and assistant take turns.",
                field=f"messages[{number + before}]",
            )
    if len(messages) < 2 or messages[-1].role != "assistant":
        raise RowError(
            "order", "The last turn must be the assistant's: the expected output, after an input.", field="messages"
        )


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        advice = "; put it in quotes" if isinstance(value, (int, float)) else ""
        raise RowError("type", f"'{shown(field)}' is {_kind(value)}; expected text{advice}.", field=shown(field))
    if not value.strip():
        raise RowError("empty", f"'{shown(field)}' is empty; expected text.", field=shown(field))
    return _whole(value, field)


def _name(value: Any, field: str) -> str | None:
    """A slice or a group; a whole number counts as its digits."""
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise RowError("type", f"'{shown(field)}' is {_kind(value)}; expected a name, or nothing.", field=shown(field))
    return _whole(value, field)


def _whole(text: str, field: str) -> str:
    """`text`, unless it holds half of a surrogate pair: no tokenizer, database or file takes that."""
    if not text.isascii() and SURROGATE.search(text):
        raise RowError(
            "surrogate",
            f"'{shown(field)}' holds half of a surrogate pair, which is no character. Take it out.",
            field=shown(field),
            excerpt=text,
        )
    return text


def _weight(value: Any) -> float:
    if value is None or value == "":
        return 1.0
    try:
        weight = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        weight = math.nan
    if not 0 < weight <= MOST_WEIGHT:
        raise RowError(
            "weight",
            f"'weight' must be a number above 0 and at most {MOST_WEIGHT:,.0f}, or nothing.",
            field="weight",
            excerpt=str(value) if isinstance(value, (str, float)) else "",
        )
    return weight


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    names = {int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), "no text")


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()

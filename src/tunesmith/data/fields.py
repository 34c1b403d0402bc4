"""The fields of a row: a value as text, name or weight, or the fault that keeps the row from being an example."""

import math
import re
from datetime import UTC, datetime
from typing import Any, get_args

from tunesmith.core.example import Behaviour
from tunesmith.core.texts import shown
from tunesmith.data.sensitive.quoting import quoted_at

SURROGATE = re.compile("[\ud800-\udfff]")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff]")  # all but tab and line ends
BEHAVIOURS: tuple[Behaviour, ...] = get_args(Behaviour)
MOST_WEIGHT = 1_000_000.0
MILLISECONDS = 1e11  # a larger number is no time in seconds that anybody means: it would lie after the year 5138


class RowError(Exception):
    """Why a row is no example. It never leaves this room: it becomes a Finding or a DataError."""

    def __init__(self, check: str, message: str, *, field: str | None = None, excerpt: str = "", at: int = 0):
        """`excerpt` is quoted from shortly before the place `at` on."""
        super().__init__(message)
        self.check = check
        self.message = message
        self.field = field
        self.excerpt = quoted_at(excerpt, at)


def text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        advice = "; put it in quotes" if isinstance(value, (int, float)) else ""
        raise RowError("type", f"'{shown(field)}' is {kind(value)}; expected text{advice}.", field=shown(field))
    if not value.strip():
        raise RowError("empty", f"'{shown(field)}' is empty; expected text.", field=shown(field))
    return whole(value, field)


def name(value: Any, field: str) -> str | None:
    """A slice or a group; a whole number counts as its digits."""
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise RowError("type", f"'{shown(field)}' is {kind(value)}; expected a name, or nothing.", field=shown(field))
    return whole(value, field)


def behaviour(value: Any, field: str) -> Behaviour | None:
    if value is None or value == "":
        return None
    if value in BEHAVIOURS:
        found: Behaviour = value
        return found
    raise RowError(
        "behaviour",
        f"'{shown(field)}' must be {', '.join(BEHAVIOURS[:-1])} or {BEHAVIOURS[-1]}, or nothing.",
        field=shown(field),
        excerpt=value if isinstance(value, str) else "",
    )


def whole(text: str, field: str) -> str:
    """`text`, unless it holds half of a surrogate pair: no tokenizer, database or file takes that."""
    if not text.isascii() and SURROGATE.search(text):
        raise RowError(
            "surrogate",
            f"'{shown(field)}' holds half of a surrogate pair, which is no character. Take it out.",
            field=shown(field),
            excerpt=text,
        )
    return text


def weight(value: Any) -> float:
    if value is None or value == "":
        return 1.0
    found = number(value)
    if not 0 < found <= MOST_WEIGHT:
        raise RowError(
            "weight",
            f"'weight' must be a number above 0 and at most {MOST_WEIGHT:,.0f}, or nothing.",
            field="weight",
            excerpt=str(value) if isinstance(value, (str, float)) else "",
        )
    return found


def moment(value: Any, field: str) -> str | None:
    """A time as ISO 8601 in UTC: an ISO date or time (without a zone: UTC), or seconds since 1970, or milliseconds."""
    if value is None or value == "":
        return None
    seconds = number(value)
    if isinstance(value, str) and len(value.strip()) == len("20260301"):
        seconds = math.nan  # a date without dashes, or none at all
    try:
        if math.isfinite(seconds):
            return datetime.fromtimestamp(seconds / 1000 if abs(seconds) > MILLISECONDS else seconds, UTC).isoformat()
        found = datetime.fromisoformat(value.strip() if isinstance(value, str) else "")
        return (found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)).isoformat()
    except (ValueError, OverflowError, OSError):
        raise RowError(
            "time",
            f"'{shown(field)}' is no time; expected an ISO date such as 2026-03-01T14:30:00, or seconds since 1970.",
            field=shown(field),
            excerpt=value if isinstance(value, str) else "",
        ) from None


def number(value: Any) -> float:
    """NaN where it is none."""
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    names = {int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), "no text")

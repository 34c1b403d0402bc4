"""When two values of a field are the same: the comparators of extraction.

A value is absent where it is null, missing, or an empty text, list or object; two absent values are the same. Numbers
are compared as numbers everywhere (95 is 95.0), true is not 1.
"""

import json
import math
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Literal

Comparator = Literal["exact", "normalised", "number", "date", "list", "set", "apart"]

WRITTEN = ("%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%B %d %Y")  # dates with the month as a word


def absent(value: Any) -> bool:
    return value is None or value in ("", [], {})


def same(a: Any, b: Any, how: Comparator | float) -> bool:
    """`how`: a number is the tolerance of "number"."""
    if absent(a) or absent(b):
        return absent(a) and absent(b)
    if isinstance(how, (int, float)):
        return _near(a, b, float(how))
    return COMPARATORS[how](a, b)


def _exact(a: Any, b: Any) -> bool:
    return bool(_key(a) == _key(b))


def _key(value: Any) -> Any:
    """A value that equals another one exactly where both are the same JSON."""
    if isinstance(value, dict):
        return {key: _key(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_key(each) for each in value]
    return (type(value).__name__, value) if isinstance(value, bool) else value


def _normalised(a: Any, b: Any) -> bool:
    return levelled(a) == levelled(b)


def levelled(value: Any) -> str:
    """The text of a value without what seldom means anything: case, width, white space, punctuation at its ends."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return words.strip(" .,;:!?'\"()") or words


def _near(a: Any, b: Any, tolerance: float) -> bool:
    x, y = number(a), number(b)
    if x is None or y is None:
        return _exact(a, b)
    return math.isclose(x, y, rel_tol=1e-12, abs_tol=tolerance)


def number(value: Any) -> float | None:
    """The number that a value is, also where it stands in a text ("1,250.00")."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value.replace(",", "") if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _date(a: Any, b: Any) -> bool:
    x, y = day(a), day(b)
    return _normalised(a, b) if x is None or y is None else x == y


def day(value: Any) -> date | None:
    """The day that a text names: ISO, or with its month as a word. What could be two days (3/4/2026) is none."""
    if not isinstance(value, str):
        return None
    text = " ".join(value.split())
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        pass
    for form in WRITTEN:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def _set(a: Any, b: Any) -> bool:
    if not isinstance(a, list) or not isinstance(b, list):
        return _exact(a, b)
    return {json.dumps(each, sort_keys=True) for each in a} == {json.dumps(each, sort_keys=True) for each in b}


COMPARATORS: dict[Comparator, Callable[[Any, Any], bool]] = {
    "exact": _exact,
    "normalised": _normalised,
    "number": lambda a, b: _near(a, b, 0.0),
    "date": _date,
    "list": _exact,
    "set": _set,
    "apart": _exact,
}

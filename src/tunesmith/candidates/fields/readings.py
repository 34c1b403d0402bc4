"""How a stretch of a message is read as the value of a field: as it is written, as a number, or as a day.

Of a number, the last separator is a decimal point, unless three digits follow it and all are alike ("1,250", "1.022").
"k", "m", "bn" and the words for them count ("94k", "11.4 million"). Days are those that `comparing.day` knows, for
fields whose values are all written as 2026-03-02.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from tunesmith.candidates.fields.stretches import LONGEST, stretches_of, tokens_of
from tunesmith.tasks.comparing import day, number
from tunesmith.tasks.grounding import DAY
from tunesmith.tasks.records import types_of

ISO = re.compile(r"\d{4}-\d\d-\d\d")
NUMBER = re.compile(r"(-?)(\d+(?:[.,]\d+)*)(?:\s?([a-z]+))?", re.IGNORECASE)
TIMES = {"k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "bn": 9, "billion": 9}  # powers of ten


class Reading(NamedTuple):
    """`whole`: a number without a fraction is written as an integer; `fraction`: it may have one."""

    kind: Literal["text", "number", "day"]
    whole: bool = False
    fraction: bool = True

    def value(self, stretch: str) -> Any:
        """None where it is none."""
        if self.kind == "text":
            return stretch
        if self.kind == "day":
            found = day(stretch) if DAY.fullmatch(stretch) else None
            return found and found.isoformat()
        figure = _number(stretch)
        if figure is None or not figure.is_integer():
            return figure if self.fraction else None
        return int(figure) if self.whole else figure

    def written(self, value: Any, text: str) -> str | None:
        """The first stretch of `text` that says `value`."""
        if self.kind == "text" and value not in text:
            return None
        stretches = stretches_of(text, tokens_of(text), LONGEST)
        return next((each.text for each in stretches if self.value(each.text) == value), None)


def reading_of(part: Mapping[str, Any], values: Sequence[Any]) -> Reading | None:
    """Of a field of the schema `part` with these values; None where they are neither texts nor numbers."""
    types = types_of(part)
    if types and types <= {"number", "integer"}:
        fraction = "number" in types
        whole = not fraction or all(isinstance(value, int) for value in values)
        return Reading("number", whole=whole, fraction=fraction)
    if not all(isinstance(value, str) for value in values):
        return None
    return Reading("day" if all(map(ISO.fullmatch, values)) else "text")


def _number(stretch: str) -> float | None:
    found = NUMBER.fullmatch(stretch)
    power = TIMES.get(found[3].lower()) if found and found[3] else 0
    if not found or power is None:
        return None
    marks, parts = re.findall("[.,]", found[2]), re.split("[.,]", found[2])
    grouped = len(set(marks)) == 1 and all(len(part) == 3 for part in parts[1:]) and found[2][0] != "0"
    if marks and not grouped and marks[-1] in marks[:-1]:
        return None
    whole, fraction = (parts, "0") if grouped or not marks else (parts[:-1], parts[-1])
    return number(f"{found[1]}{''.join(whole)}.{fraction}e{power}")

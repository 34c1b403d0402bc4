"""How a stretch of a message is read as the value of a field: as it is written, or as a number.

Of a number, the last separator is a decimal point, unless three digits follow it and all are alike ("1,250", "1.022").
"k", "m", "bn" and the words for them count ("94k", "11.4 million").
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from tunesmith.candidates.fields.stretches import stretches_of, tokens_of
from tunesmith.tasks.comparing import number
from tunesmith.tasks.records import types_of

NUMBER = re.compile(r"(-?)(\d+(?:[.,]\d+)*)(?:\s?([a-z]+))?", re.IGNORECASE)
TIMES = {"k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "bn": 9, "billion": 9}  # powers of ten
LONGEST = 3  # tokens of a number


class Reading(NamedTuple):
    """`whole`: a number without a fraction is written as an integer; `fraction`: it may have one."""

    kind: Literal["text", "number"]
    whole: bool = False
    fraction: bool = True

    def value(self, stretch: str) -> Any:
        """None where it is none."""
        if self.kind == "text":
            return stretch
        found = _number(stretch)
        if found is None or not found.is_integer():
            return found if self.fraction else None
        return int(found) if self.whole else found

    def written(self, value: Any, text: str) -> list[str]:
        """The stretches of `text` that say `value`."""
        if self.kind == "text":
            return [value] if isinstance(value, str) and value in text else []
        wanted = number(value)
        stretches = (each.text for each in stretches_of(text, tokens_of(text), LONGEST))
        return [each for each in stretches if each[0] in "-0123456789" and _number(each) == wanted]


def reading_of(part: Mapping[str, Any], values: list[Any]) -> Reading:
    """Of a field of the schema `part` with these values."""
    types = types_of(part)
    if not types or not types <= {"number", "integer"}:
        return Reading("text")
    fraction = "number" in types
    return Reading("number", whole=not fraction or all(isinstance(value, int) for value in values), fraction=fraction)


def _number(stretch: str) -> float | None:
    found = NUMBER.fullmatch(stretch)
    power = TIMES.get(found[3].lower()) if found and found[3] else 0
    if not found or power is None:
        return None
    marks, parts = re.findall(r"[.,]", found[2]), re.split(r"[.,]", found[2])
    grouped = len(set(marks)) == 1 and all(len(part) == 3 for part in parts[1:]) and found[2][0] != "0"
    if marks and not grouped and marks[-1] in marks[:-1]:
        return None
    whole, fraction = (parts, "") if grouped or not marks else (parts[:-1], parts[-1])
    return number(f"{found[1]}{''.join(whole)}.{fraction}0e{power}")

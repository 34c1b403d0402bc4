"""Whether a value stands in the input, so that an answer did not make it up.

A text stands there as a whole, after levelling case, width and white space; a number where the input has it as
a number ("£1,250" holds 1250); a day where the input has it in any form that `comparing.day` knows. A list stands there
with all its items. What follows from the input without standing in it ("tomorrow" → 2026-03-02) is not told apart from
what was made up, unless it is the expected value.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Any

from tunesmith.tasks.comparing import day, number

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
DAY = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2} [^\W\d_]+ \d{4}|[^\W\d_]+ \d{1,2},? \d{4}")


def stands_in(value: Any, text: str) -> bool:
    if isinstance(value, list):
        return all(stands_in(each, text) for each in value)
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, (int, float)):
        return abs(float(value)) in _numbers(text)
    if not isinstance(value, str):
        return all(stands_in(each, text) for each in value.values())
    if _level(value) in _level(text):
        return True
    written = day(value)
    return written is not None and any(day(found) == written for found in DAY.findall(" ".join(text.split())))


@lru_cache(maxsize=256)
def _numbers(text: str) -> frozenset[float]:
    found = (number(each) for each in NUMBER.findall(unicodedata.normalize("NFKC", text)))
    return frozenset(each for each in found if each is not None)


@lru_cache(maxsize=256)
def _level(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())

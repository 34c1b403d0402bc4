"""The key under which two texts count as the same: what they say, not how they are set.

Case, compatibility forms (NFKC), punctuation, currency signs and spaces are levelled; letters of every script with
their marks, digits, mathematical signs and emoji are kept. A text of nothing else ("???") keeps its punctuation.
"""

import re
import unicodedata
from typing import Any

# Python sorts a run of combining marks in quadratic time, so a hostile megabyte of them would take minutes.
# A joiner after every 30 bounds that, as the Stream-Safe Text Format does (Unicode Standard Annex 15).
MARKS = re.compile(r"[^\w\s]{64,}")
JOINER = "\u034f"
SEPARATORS = {"Cc", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Zl", "Zp", "Zs"}
INVISIBLE = {ord(JOINER), *range(0xFE00, 0xFE10)}  # the joiner itself, and whether an emoji is drawn in colour


class _Levelling(dict[int, Any]):
    """Code point → what stands for it in a key; filled as code points are met."""

    def __missing__(self, point: int) -> int | str | None:
        category = unicodedata.category(chr(point))
        level: int | str | None = point
        if category in SEPARATORS:
            level = " "
        elif category == "Cf" or point in INVISIBLE:
            level = None
        self[point] = level
        return level


_LEVELLING = _Levelling()


def normalise(text: str) -> str:
    """The key of exact duplicates and leaks."""
    folded = _fold(text)
    return " ".join(folded.translate(_LEVELLING).split()) or " ".join(folded.split())


def currencies(text: str) -> tuple[str, ...]:
    """The currency signs of `text`, in order: "£1" and "€1" share a key and may rightly have different labels."""
    return () if text.isascii() and "$" not in text else tuple(s for s in text if unicodedata.category(s) == "Sc")


def _fold(text: str) -> str:
    if text.isascii():
        return text.casefold()
    safe = MARKS.sub(lambda run: JOINER.join(_pieces(run[0], 30)), text)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", safe).casefold())


def _pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]

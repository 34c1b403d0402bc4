"""How a message is written: in which case, with or without punctuation, at which length."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tunesmith.core.example import Example

RARE = 0.01  # of the training rows: a manner that fewer have was hardly trained on
BEYOND = 1.5  # times the longest, or one part of the shortest


class Shape(NamedTuple):
    """`case` is "small", "capital" or "mixed"; "small" where letters have none."""

    case: str
    punctuated: bool
    letters: int


def shape(example: Example) -> Shape:
    """Of the message that is answered."""
    text = example.text
    case = "capital" if text == text.upper() != text.lower() else "small" if text == text.lower() else "mixed"
    return Shape(case, any(unicodedata.category(each).startswith("P") for each in text), len(text))


class Manner(NamedTuple):
    """How training rows are written."""

    known: frozenset[tuple[str, bool]]  # case and punctuation
    shortest: int
    longest: int

    def has(self, seen: Shape) -> bool:
        fits = self.shortest / BEYOND <= seen.letters <= self.longest * BEYOND
        return fits and (seen.case, seen.punctuated) in self.known


def manner(train: Sequence[Example]) -> Manner:
    """Raises ValueError where there are no rows."""
    shapes = [shape(row) for row in train]
    ways = Counter((each.case, each.punctuated) for each in shapes)
    letters = [each.letters for each in shapes]
    known = frozenset(way for way, number in ways.items() if number >= RARE * len(shapes))
    return Manner(known, min(letters), max(letters))

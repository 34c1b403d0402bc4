"""The stretches of a message that may be the value of a field, and what is told about each.

A stretch is a run of tokens: a word, a number with its separators, a mark. Its shape is what is left when letters and
digits are generalised: "INV-10492" is "A-9", "Half past 7" is "Aa a 9". A field wants the stretches whose shape, case
apart, its training values have, and those which were such a value. What is told about a stretch are short texts, hashed
into columns: its words and shape, the words beside it, where it stands, how many others are like it.
"""

# Axes: S stretches, F columns.

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction import FeatureHasher
from sklearn.preprocessing import normalize

TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|_|[^\w\s]")
COLUMNS = 1 << 17
LONGEST = 10  # tokens of a stretch
EDGE = "‖"  # stands for the words before the first and behind the last


class Token(NamedTuple):
    start: int
    end: int
    word: str  # case-folded
    shape: str


class Stretch(NamedTuple):
    """Tokens `first` to `last`, that one included."""

    text: str
    shape: str
    first: int
    last: int


class Wanted(NamedTuple):
    """`shapes` without case, `seen`: how often a text, case-folded, was a value; at most `longest` tokens."""

    shapes: frozenset[str] = frozenset()
    seen: Mapping[str, int] = {}
    longest: int = 0

    def wants(self, stretch: Stretch) -> bool:
        return caseless(stretch.shape) in self.shapes or stretch.text.casefold() in self.seen


def wanted(values: Sequence[str]) -> Wanted:
    """What is like `values`, which are stretches of messages."""
    tokens = {text: tokens_of(text) for text in values}
    return Wanted(
        shapes=frozenset(caseless(_shape_of(found, text)) for text, found in tokens.items()),
        seen=Counter(text.casefold() for text in values),
        longest=max(map(len, tokens.values())),
    )


def any_of(parts: Sequence[Wanted]) -> Wanted:
    """What one of `parts` wants."""
    return Wanted(
        shapes=frozenset().union(*(part.shapes for part in parts)),
        seen={text: 1 for part in parts for text in part.seen},
        longest=max((part.longest for part in parts), default=0),
    )


class Stretches:
    """The stretches of `texts` that are wanted: `owners` are the places of their texts, `columns` (S, F), sparse, what
    is told about them, each row of unit length."""

    def __init__(self, texts: Sequence[str], wanted: Wanted):
        self.found: list[Stretch] = []
        owners: list[int] = []
        told: list[list[str]] = []
        for place, text in enumerate(texts):
            tokens = tokens_of(text)
            found = [each for each in stretches_of(text, tokens, wanted.longest) if wanted.wants(each)]
            self.found += found
            owners += [place] * len(found)
            told += _told(tokens, found)
        hasher = FeatureHasher(COLUMNS, input_type="string", dtype=np.float32, alternate_sign=False)
        self.owners = np.array(owners, np.int64)
        self.columns = (
            normalize(hasher.transform(told), copy=False) if told else csr_matrix((0, COLUMNS), dtype=np.float32)
        )


def tokens_of(text: str) -> list[Token]:
    found = TOKEN.finditer(text)
    return [Token(each.start(), each.end(), each[0].casefold(), _shape(each[0])) for each in found]


def stretches_of(text: str, tokens: Sequence[Token], longest: int) -> Iterator[Stretch]:
    """Every stretch of at most `longest` tokens."""
    for first, begin in enumerate(tokens):
        for last in range(first, min(first + longest, len(tokens))):
            yield Stretch(text[begin.start : tokens[last].end], _shape_of(tokens[first : last + 1], text), first, last)


def caseless(shape: str) -> str:
    return shape.replace("Aa", "a").replace("A", "a")


def _shape(token: str) -> str:
    if token[0].isdigit():
        return re.sub(r"\d+", "9", token)
    if not token[0].isalpha():
        return token
    if token.isupper():
        return "A"
    return "Aa" if token[0].isupper() else "a"


def _shape_of(tokens: Sequence[Token], text: str) -> str:
    parts = [tokens[0].shape]
    for before, token in pairwise(tokens):
        parts += [" " * (token.start > before.end), token.shape]
    return "".join(parts)


def _told(tokens: Sequence[Token], found: Sequence[Stretch]) -> Iterator[list[str]]:
    words = [EDGE, EDGE, *(token.word for token in tokens), EDGE, EDGE]
    alike = Counter(each.shape for each in found)
    nth: Counter[str] = Counter()
    for each in found:
        nth[each.shape] += 1
        far, before, *inside, after, beyond = words[each.first : each.last + 5]
        yield [
            f"text {' '.join(inside)}",
            f"shape {each.shape}",
            f"digits {re.sub('[0-9]', '9', each.text) if '9' in each.shape else ''}",
            f"-1 {before}",
            f"-2 {far}",
            f"-2-1 {far} {before}",
            f"+1 {after}",
            f"+2 {beyond}",
            f"+1+2 {after} {beyond}",
            f"-1+1 {before} {after}",
            f"-1 {before} {each.shape}",
            f"+1 {after} {each.shape}",
            f"first {inside[0]}",
            f"last {inside[-1]}",
            f"first {before} {inside[0]}",
            f"last {inside[-1]} {after}",
            f"begin {inside[0][:3]}",
            f"end {inside[-1][-3:]}",
            f"length {len(inside)}",
            f"quarter {4 * each.first // len(tokens)}",
            f"nth {each.shape} {min(nth[each.shape], 3)} of {min(alike[each.shape], 3)}",
            f"tokens {min(len(tokens), 12) // 2}",
            *(f"in {word}" for word in inside),
        ]

"""ROUGE: how many words, pairs of words, or words in the same order an answer shares with the expected text.

F1 of precision and recall, as the package rouge-score computes it without its stemmer; on English its figures are
these. That package drops every letter but a to z and digits, so that "größer" is "gr" and "er" and a Russian answer has
no words at all; here a word is any run of letters and digits, in small letters.

C.-Y. Lin, Text Summarization Branches Out (2004) 74.
"""

import re
from collections import Counter
from collections.abc import Sequence

from tunesmith.core.errors import MissingExtraError

try:
    from rapidfuzz.distance import LCSseq
except ImportError as error:
    raise MissingExtraError("Comparing texts needs rapidfuzz. Run `pip install 'tunesmith[evidence]'`.") from error

WORD = re.compile(r"[^\W_]+")
SIGNATURE = "f1|words:unicode|case:lower|stemmer:no"


def rouge(expected: str, answer: str) -> tuple[float, float, float]:
    """ROUGE-1, ROUGE-2 and ROUGE-L, each between 0 and 1."""
    a, b = (WORD.findall(text.lower()) for text in (expected, answer))
    return _shared(a, b, 1), _shared(a, b, 2), _f1(LCSseq.similarity(a, b), len(a), len(b))


def _shared(a: Sequence[str], b: Sequence[str], size: int) -> float:
    first, second = (Counter(zip(*(words[start:] for start in range(size)), strict=False)) for words in (a, b))
    return _f1((first & second).total(), first.total(), second.total())


def _f1(hits: int, expected: int, answered: int) -> float:
    return 2 * hits / (expected + answered) if hits else 0.0

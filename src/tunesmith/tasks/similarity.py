"""How alike two texts are: 1 minus the edits from one to the other (Levenshtein), by the length of the longer; and how
many of the words are to be edited.
"""

from collections.abc import Sequence

from tunesmith.core.errors import MissingExtraError

try:
    from rapidfuzz.distance import Levenshtein
except ImportError as error:
    raise MissingExtraError("Comparing texts needs rapidfuzz. Run `pip install 'tunesmith[evidence]'`.") from error


def similarity(a: str, b: str) -> float:
    return float(Levenshtein.normalized_similarity(a, b))


def edits(a: Sequence[str], b: Sequence[str]) -> float:
    """The words to insert, delete or replace between two texts, by the words of the longer."""
    return float(Levenshtein.normalized_distance(a, b))

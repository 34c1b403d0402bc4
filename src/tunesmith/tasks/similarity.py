"""How alike two texts are: 1 minus the edits from one to the other (Levenshtein), by the length of the longer."""

from tunesmith.core.errors import MissingExtraError

try:
    from rapidfuzz.distance import Levenshtein
except ImportError as error:
    raise MissingExtraError("Comparing texts needs rapidfuzz. Run `pip install 'tunesmith[evidence]'`.") from error


def similarity(a: str, b: str) -> float:
    return float(Levenshtein.normalized_similarity(a, b))

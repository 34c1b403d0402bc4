"""Which texts mean nearly the same, by the vectors that an embedding gives them.

All are compared with all, a block at a time: the work grows with the square of their number, so it is bounded.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith.data.joining import Joined
from tunesmith.tasks.base import Embed

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

SAME = 0.95  # cosine of the vectors
MOST = 100_000  # texts that are compared
BLOCK = 1024


def vectors_of(texts: Sequence[str], embed: Embed) -> "Array":
    import numpy as np

    return np.asarray(embed(texts), np.float32).reshape(len(texts), -1)


def clusters_by_meaning(vectors: "Array") -> list[list[int]]:
    """Positions of texts that mean the same as one another, directly or by way of others; alone ones left out."""
    joined = Joined(len(vectors))
    for start, alike in _blocks(vectors, vectors):
        ones, others = (alike >= SAME).nonzero()
        later = others > ones + start
        joined.join(zip((ones[later] + start).tolist(), others[later].tolist(), strict=True))
    return joined.groups()


def twins_by_meaning(vectors: "Array", others: "Array") -> dict[int, tuple[int, float]]:
    """Position in `vectors` → that of the most alike of `others`, and how alike, where that is enough."""
    found: dict[int, tuple[int, float]] = {}
    for start, alike in _blocks(vectors, others) if len(others) else ():
        best = alike.argmax(axis=1).tolist()
        for row, (other, likeness) in enumerate(zip(best, alike.max(axis=1).tolist(), strict=True)):
            if likeness >= SAME:
                found[start + row] = (other, likeness)
    return found


def _blocks(vectors: "Array", others: "Array") -> "Iterator[tuple[int, Array]]":
    for start in range(0, len(vectors), BLOCK):
        yield start, vectors[start : start + BLOCK] @ others.T

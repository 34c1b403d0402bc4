"""Finding passages: BM25 by the words they share with a request, MiniLM by what they mean, merged by their ranks.

BM25 as Lucene has it (k1 = 1.5, b = 0.75), over lower-case words without stemming, which knows no language. The two
orders are merged by reciprocal rank (Cormack et al., SIGIR 2009): a passage gets 1 / (60 + rank) of each, so neither
scale has to be compared with the other. A passage that shares no word with the request has no rank among the first.
"""

# Axes: N passages, H the width of a vector.

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

K1, B = 1.5, 0.75
RANK = 60
DIGITS = 4  # of a similarity; what differs by less than rounding counts as equal, and the earlier passage wins
WORD = re.compile(r"\w+")


class BM25:
    def __init__(self, texts: Sequence[str]):
        counts = [Counter(words(text)) for text in texts]
        lengths_N = np.array([counter.total() for counter in counts], dtype=np.float64)
        self._size = len(texts)
        held: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, counter in enumerate(counts):
            for word, number in counter.items():
                held[word].append((place, number))
        norms_N = K1 * (1 - B + B * lengths_N / max(lengths_N.mean(), 1.0))
        self._scores = {word: self._weighed(found, norms_N) for word, found in held.items()}

    def _weighed(self, found: Sequence[tuple[int, int]], norms_N: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which passages hold a word, and what it is worth in each."""
        places, numbers = np.array(found).T
        rarity = np.log1p((self._size - len(found) + 0.5) / (len(found) + 0.5))
        return places, rarity * numbers / (numbers + norms_N[places])

    def scores(self, request: str) -> np.ndarray:
        scores_N = np.zeros(self._size)
        for word in words(request):
            if word in self._scores:
                places, worth = self._scores[word]
                scores_N[places] += worth
        return scores_N


def words(text: str) -> list[str]:
    return WORD.findall(text.casefold())


def merged(shared_N: np.ndarray, alike_N: np.ndarray, count: int) -> list[int]:
    """The `count` best passages by both orders, the best first."""
    worth_N = np.zeros(len(shared_N))
    for scores_N, ranked in ((shared_N, shared_N > 0), (alike_N, np.ones(len(alike_N), dtype=bool))):
        order = np.argsort(-np.round(scores_N, DIGITS), kind="stable")
        order = order[ranked[order]]
        worth_N[order] += 1 / (RANK + 1 + np.arange(len(order)))
    return [int(place) for place in np.argsort(-worth_N, kind="stable")[:count]]

"""Which texts are nearly the same: those whose sets of shingles have a Jaccard index of 0.8 or more.

Texts whose sketches agree in all 7 values of one of 18 bands are candidates (locality-sensitive hashing, Indyk and
Motwani 1998), which finds 98.6 % of the pairs at 0.8 and 99.9 % of those at 0.85. Of candidates whose sketches have
enough in common the sets themselves are compared. All of it goes band by band over sorted arrays, so a million texts
need no table of buckets.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith.data.joining import Joined
from tunesmith.data.normal import normalise
from tunesmith.data.sketches import HASHES, Shingles, Sketches, likeness, shingles

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

NEAR = 0.8
PROMISING = 0.66  # share of equal values in sketches below which a pair at 0.8 is not to be expected (4 sigma)
WIDEST = 64  # neighbours in a bucket that a text is compared with
PAIRS_PER_TEXT = 8  # in one band: where most texts are alike, a few comparisons join them all
CHUNK = 1 << 18  # pairs whose sketches are compared at once
REMEMBERED = 1 << 12  # sets of shingles: a text is compared with several others in a row
LONGEST_REMEMBERED = 1 << 11  # shingles: all those remembered take half a gigabyte at most

KeyOf = Callable[[int], str]


def near_clusters(texts: Sequence[str]) -> list[list[int]]:
    """The positions of texts that are near one another, directly or by way of others, in order; alone ones left out."""
    keys = [normalise(text) for text in texts]
    return clusters(Sketches(keys), keys.__getitem__)


def near_twins(texts: Sequence[str], others: Sequence[str]) -> dict[int, int]:
    """Position in `texts` → that of one of `others` that is near."""
    keys, other_keys = ([normalise(text) for text in each] for each in (texts, others))
    return twins(Sketches(keys), Sketches(other_keys), keys.__getitem__, other_keys.__getitem__)


def clusters(sketches: Sketches, key_of: KeyOf) -> list[list[int]]:
    """`near_clusters` of texts that are sketched already; `key_of` gives the normalised text of a position."""
    import numpy as np

    bands, values = sketches.arrays()
    number = bands.shape[1]
    joined, compare = Joined(number), _Comparison(values, values, key_of, key_of)
    for band in bands:
        order = np.argsort(band, kind="stable")
        ordered, left = band[order], PAIRS_PER_TEXT * number
        for distance in range(1, min(WIDEST, number - 1) + 1):
            at = np.flatnonzero(ordered[distance:] == ordered[:-distance])
            if not len(at) or left <= 0:
                break
            ones, others = joined.apart(order[at], order[at + distance])
            left -= len(ones)
            joined.join(compare.near(ones, others, joined.are_apart))
    return joined.groups()


def twins(sketches: Sketches, of_others: Sketches, key_of: KeyOf, other_key_of: KeyOf) -> dict[int, int]:
    """`near_twins` of texts that are sketched already."""
    import numpy as np

    (bands, values), (other_bands, other_values) = sketches.arrays(), of_others.arrays()
    compare = _Comparison(values, other_values, key_of, other_key_of)
    found: dict[int, int] = {}
    alone = np.ones(bands.shape[1], bool)
    for band, other_band in zip(bands, other_bands, strict=True):
        order = np.argsort(other_band, kind="stable")
        ordered = other_band[order]
        first = np.searchsorted(ordered, band)
        for distance in range(min(WIDEST, len(ordered))):
            at = np.flatnonzero(alone & (first + distance < len(ordered)))
            at = at[ordered[first[at] + distance] == band[at]]
            if not len(at):
                break
            for one, other in compare.near(at, order[first[at] + distance]):
                found[one] = other
                alone[one] = False
    return dict(sorted(found.items()))


class _Comparison:
    """Pairs of candidates → those that are near; a pair that was found not to be is not compared again."""

    def __init__(self, values: "Array", other_values: "Array", key_of: KeyOf, other_key_of: KeyOf):
        import numpy as np

        self._values, self._other_values = values, other_values
        self._set = _sets(key_of)
        self._other_set = self._set if other_key_of is key_of else _sets(other_key_of)
        self._refused = np.zeros(0, np.int64)  # sorted

    def near(
        self, ones: "Array", others: "Array", wanted: Callable[[int, int], bool] = lambda one, other: True
    ) -> Iterator[tuple[int, int]]:
        """Those of the pairs that are near; whether a pair is `wanted` is asked when its turn has come."""
        import numpy as np

        codes = ones.astype(np.int64) * max(len(self._other_values), 1) + others
        codes = codes[self._promising(ones, others)]
        codes = codes[~self._is_refused(codes)]
        refused = []
        for code in codes.tolist():
            one, other = divmod(code, len(self._other_values))
            if not wanted(one, other):
                continue
            if likeness(self._set(one), self._other_set(other)) >= NEAR:
                yield one, other
            else:
                refused.append(code)
        if refused:
            together = np.concatenate((self._refused, np.sort(np.array(refused, np.int64))))
            self._refused = np.sort(together, kind="stable")  # which merges what is sorted

    def _is_refused(self, codes: "Array") -> "Array":
        import numpy as np

        if not len(self._refused):
            return np.zeros(len(codes), bool)
        places = np.searchsorted(self._refused, codes)
        refused: Array = self._refused[np.minimum(places, len(self._refused) - 1)] == codes
        return refused

    def _promising(self, ones: "Array", others: "Array") -> "Array":
        import numpy as np

        kept = np.zeros(len(ones), bool)
        for start in range(0, len(ones), CHUNK):
            part = slice(start, start + CHUNK)
            equal = self._values[ones[part]] == self._other_values[others[part]]
            kept[part] = np.count_nonzero(equal, axis=1) >= PROMISING * HASHES
        return kept


def _sets(key_of: KeyOf) -> Callable[[int], Shingles]:
    """Position → shingles; those of short texts are remembered for a while."""
    remembered: dict[int, Shingles] = {}

    def of(position: int) -> Shingles:
        if position in remembered:
            return remembered[position]
        found = shingles(key_of(position))
        if len(found.runs) <= LONGEST_REMEMBERED:
            if len(remembered) == REMEMBERED:
                remembered.clear()
            remembered[position] = found
        return found

    return of

"""Texts as MinHash sketches: a few bytes each, from which it shows how much two texts have in common.

A text is the set of its shingles after normalisation: every run of four characters, over a blank at either end, and
every number sixteen times, so that texts that differ in a number are not alike unless they are long. A sketch is the
smallest value of the set under each of 126 hash functions (Broder 1997): the share of equal values in two sketches
estimates the Jaccard index of the sets.

numpy does it in 126 passes over a batch of texts, as fast as rensa with what its answers cost to unpack, and it is
there in every install: `split` and `train` always look for near leaks.
"""

import re
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

SHINGLE = 4  # characters
NUMBER_WEIGHT = 16  # shingles that a number counts as
NUMBER = re.compile(r"\d+")
BANDS, ROWS = 18, 7
HASHES = BANDS * ROWS
SEED = 20_260_101
BATCH = 1 << 16  # characters that are sketched at once: arrays that fit the processor's cache


class Shingles(NamedTuple):
    runs: frozenset[str]
    numbers: frozenset[str]


def shingles(key: str) -> Shingles:
    """Those of a text that is normalised already."""
    padded = _padded(key)
    runs = frozenset(padded[start : start + SHINGLE] for start in range(len(padded) - SHINGLE + 1))
    return Shingles(runs, frozenset(NUMBER.findall(key)))


def likeness(one: Shingles, other: Shingles) -> float:
    """The Jaccard index of two texts: that of their runs, or that with their numbers where it is less.

    So a number that both have does not make up for what differs.
    """
    shared, runs = len(one.runs & other.runs), len(one.runs | other.runs)
    shared_numbers, numbers = len(one.numbers & other.numbers), len(one.numbers | other.numbers)
    weighed = (shared + NUMBER_WEIGHT * shared_numbers) / (runs + NUMBER_WEIGHT * numbers)
    return min(shared / runs, weighed)


class Sketches:
    """The sketches of normalised texts, in the order they are added: some 200 bytes each.

    Of a value the lowest byte is kept, to estimate how alike two texts are; of a band's values 32 bits of a hash.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._bands: list[Any] = []
        self._bytes: list[Any] = []
        self._waiting: list[str] = []
        self._letters = 0
        self._done: tuple[Any, Any] | None = None
        for key in keys:
            self.add(key)

    def add(self, key: str) -> None:
        self._waiting.append(key)
        self._letters += len(key)
        if self._letters >= BATCH:
            self._sketch()

    def arrays(self) -> "tuple[Array, Array]":
        """Bands (BANDS × texts, uint32) and values (texts × HASHES, uint8), once all texts are added."""
        import numpy as np

        if self._done is None:
            self._sketch()
            empty = [np.zeros((BANDS, 0), np.uint32)], [np.zeros((0, HASHES), np.uint8)]
            self._done = np.concatenate(empty[0] + self._bands, axis=1), np.concatenate(empty[1] + self._bytes)
            self._bands, self._bytes = [], []
        return self._done

    def _sketch(self) -> None:
        if not self._waiting:
            return
        values = _values(self._waiting)
        self._bands.append(_band_keys(values))
        self._bytes.append(values.astype("uint8").T.copy())
        self._waiting, self._letters = [], 0


def _padded(key: str) -> str:
    return f" {key} ".ljust(SHINGLE)


@lru_cache(1)
def _hashes() -> "tuple[Array, Array]":
    """Factors, which are odd, and summands of the hash functions a·x + b mod 2^32."""
    import numpy as np

    drawn = Random(SEED)  # noqa: S311  (no secret; the same numbers in every version of Python)
    factors = [drawn.getrandbits(32) | 1 for _ in range(HASHES)]
    return np.array(factors, np.uint32), np.array([drawn.getrandbits(32) for _ in range(HASHES)], np.uint32)


def _values(keys: Sequence[str]) -> "Array":
    """The sketches of normalised texts: HASHES × texts, uint32."""
    import numpy as np

    tokens, starts = _tokens(keys)
    values, hashed = np.empty((HASHES, len(keys)), np.uint32), np.empty_like(tokens)
    for number, (factor, summand) in enumerate(zip(*_hashes(), strict=True)):
        np.multiply(tokens, factor, out=hashed)
        np.add(hashed, summand, out=hashed)
        np.minimum.reduceat(hashed, starts, out=values[number])
    return values


def _tokens(keys: Sequence[str]) -> "tuple[Array, Array]":
    """The shingles of all texts as 32-bit numbers, one text after the other, and where each text begins."""
    import numpy as np

    padded = [_padded(key) for key in keys]
    points = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    lengths = np.fromiter(map(len, padded), np.int64, len(padded))
    mixed = points[: len(points) - SHINGLE + 1].copy()
    for offset in range(1, SHINGLE):
        mixed *= np.uint64(0x100000001B3)
        mixed += points[offset : len(points) - SHINGLE + 1 + offset]
    ends = np.cumsum(lengths)
    whole = np.ones(len(points), bool)
    for back in range(1, SHINGLE):  # a run that goes on into the next text is none
        whole[ends - back] = False
    tokens = _mix(mixed[whole[: len(mixed)]])
    sizes = lengths - (SHINGLE - 1)
    starts = np.cumsum(sizes) - sizes
    numbers = [_number_tokens(key) for key in keys]
    if any(numbers):
        ends = np.repeat(starts + sizes, [len(each) for each in numbers])
        tokens = np.insert(tokens, ends, _mix(np.array([n for each in numbers for n in each], np.uint64)))
        more = np.fromiter(map(len, numbers), np.int64, len(numbers))
        starts = starts + np.cumsum(more) - more
    return (tokens >> np.uint64(32)).astype(np.uint32), starts


def _number_tokens(key: str) -> list[int]:
    found = NUMBER.findall(key) if not key.isalpha() else ()
    seeds = (zlib.crc32(number.encode("utf-8", "surrogatepass")) for number in found)
    return [(1 << 63) | (seed << 8) | copy for seed in seeds for copy in range(NUMBER_WEIGHT)]


def _mix(numbers: "Array") -> "Array":
    """SplitMix64's finaliser: every bit of a number bears on every bit of its hash."""
    import numpy as np

    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Array = numbers ^ (numbers >> np.uint64(31))
    return mixed


def _band_keys(values: "Array") -> "Array":
    import numpy as np

    banded = values.reshape(BANDS, ROWS, -1).astype(np.uint64)
    keys = banded[:, 0]
    for row in range(1, ROWS):
        keys = _mix(keys * np.uint64(31) + banded[:, row])
    return (keys >> np.uint64(32)).astype(np.uint32)

"""Made-up outcomes of candidates whose true figures are known: alone or in groups, skewed, tied, with failures.

The true value of a metric that is no mean is that of a large population drawn in the same way. A group is a stretch of
rows, of uneven number, that share most of their luck.
"""

from typing import NamedTuple

import numpy as np

from tunesmith.tasks.intervals import Floats, Integers

POPULATION = 400_000
SHARED = 0.5  # of a group's rows: their luck is the group's
SIZES = (1, 2, 3, 4, 5, 6, 7)  # of groups


class Rows(NamedTuple):
    """`luck` of each row, (rows, columns), uniform; `groups` numbers the groups, None where every row stands alone."""

    luck: Floats
    groups: Integers | None


def rows(dice: np.random.Generator, n: int, columns: int, *, grouped: bool = False) -> Rows:
    """`n` rows, or the rows of `n` groups."""
    if not grouped:
        return Rows(dice.random((n, columns)), None)
    groups = np.repeat(np.arange(n, dtype=np.int64), dice.choice(SIZES, size=n))
    common, own = dice.random((n, columns))[groups], dice.random((len(groups), columns))
    return Rows(np.where(dice.random((len(groups), 1)) < SHARED, common, own), groups)


def labels(luck: Floats, shares: Floats) -> Integers:
    """The label that each luck falls to."""
    return np.minimum(np.searchsorted(np.cumsum(shares), luck), len(shares) - 1).astype(np.int64)


def skewed(many: int) -> Floats:
    """Shares of labels of which each is half as frequent as the one before, none below 2 %."""
    shares = np.maximum(0.5 ** np.arange(many), 0.04)
    return np.asarray(shares / shares.sum())

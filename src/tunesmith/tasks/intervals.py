"""Intervals of a proportion: exact for rows that stand alone, from an effective number of rows where groups belong
together; and of a quantile, from order statistics.

Rows alone: Blaker's exact interval, at a nominal 94 % where the rarer outcome was seen at most 20 times, rising to 95 %
as it is seen more often. Its coverage is never below 94 %, and at most 97 % once 3 of the rarer outcome are expected
among 500 rows or more. The usual choices do not keep that: Wilson's falls to 84 %, Jeffreys' to 87 %, Agresti and
Coull's and Clopper and Pearson's exceed 98 % (docs/statistics.md has the table).

Grouped rows: the rows count as `n / deff` independent ones, Agresti and Coull's interval with Student's t. The design
effect is the larger of the robust one and of that of a common intraclass correlation, which is drawn towards 1 where
few groups hold the rarer outcome: there the data cannot say how errors cluster.

H. Blaker, Canadian Journal of Statistics 28 (2000) 783. L. Brown, T. Cai, A. DasGupta, Statistical Science 16 (2001)
101. E. Korn, B. Graubard, Survey Methodology 24 (1998) 193. A. Donner, N. Klar, Statistics in Medicine 13 (1994) 1617.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.scorecard import LEVEL

try:
    from scipy import special
except ImportError as error:
    raise MissingExtraError("Statistics need scipy. Run `pip install 'tunesmith[evidence]'`.") from error

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

SEEN_OFTEN = 20  # of the rarer outcome; from here on discreteness does the less of the covering
MIN_ROWS = 10  # of a proportion: below it, an interval spans more than half of what is possible
MIN_GROUPS = 25  # effective number; with fewer, the design effect itself is not known well enough
SHRINKAGE = 0.25  # groups' worth of belief that errors cluster fully
BISECTIONS = 40
ROUNDING = 1e-12  # a limit that is itself accepted must not be lost to the last bit


class Spread(NamedTuple):
    """How grouped rows count: `rows` / `deff` independent ones; `t` is the quantile to use in place of the normal's."""

    deff: float
    t: float
    groups: float  # effective number


def proportions(successes: npt.ArrayLike, rows: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Blaker's limits, one pair for each count of `successes` in `rows` (at least 1)."""
    x, n = np.broadcast_arrays(np.asarray(successes, np.float64), np.asarray(rows, np.float64))
    level = alpha(np.minimum(x, n - x))
    low, rest = _blaker_low(np.stack([x, n - x]), np.stack([n, n]), np.stack([level, level]))
    return low, 1.0 - rest


def alpha(rarer: Floats) -> Floats:
    """Of Blaker's test, after `rarer` rows of the rarer outcome."""
    return np.asarray(1 - LEVEL + 0.01 * np.minimum(1.0, SEEN_OFTEN / np.maximum(rarer, 1.0)))


def _blaker_low(x: Floats, n: Floats, alpha: Floats) -> Floats:
    """The lowest p that Blaker's test of level α accepts.

    A p is accepted where P(X ≥ x) + P(X ≤ k) > α, with k the highest count whose lower tail is no more likely than
    P(X ≥ x). As p rises, k jumps where both tails become equal; between jumps the sum first falls, then rises. So the
    limit is the first jump above Clopper and Pearson's limit, or a point on the rise just before it.
    """
    some = x > 0
    x = np.where(some, x, 1.0)  # any valid count; its limit is replaced by 0 at the end
    floor = np.asarray(special.betaincinv(x, n - x + 1, alpha / 2))
    k, high = np.zeros_like(x), x - 1  # k becomes the first count whose lower tail at `floor` exceeds α / 2
    while np.any(k < high):
        middle = np.floor((k + high) / 2)
        above = _lower_tail(middle, n, floor) > alpha / 2
        k, high = np.where(above, k, middle + 1), np.where(above, middle, high)
    jump = _root(lambda p: _upper_tail(x, n, p) - _lower_tail(k, n, p), floor, np.ones_like(x))

    def before(p: Floats) -> Floats:
        return _upper_tail(x, n, p) + _lower_tail(k - 1, n, p) - alpha

    limit = np.where(before(jump) > 0, _root(before, floor, jump), jump)
    return np.where(some, limit - ROUNDING, 0.0)


def _upper_tail(x: Floats, n: Floats, p: Floats) -> Floats:
    """P(X ≥ x), for x from 1."""
    return np.asarray(special.betainc(x, n - x + 1, p))


def _lower_tail(k: Floats, n: Floats, p: Floats) -> Floats:
    """P(X ≤ k), for k from -1 to n - 1."""
    return np.where(k < 0, 0.0, special.betaincc(np.maximum(k, 0) + 1, n - np.maximum(k, 0), p))


def _root(rising: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """Where `rising` turns positive between `low` and `high`."""
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        positive = rising(middle) > 0
        low, high = np.where(positive, low, middle), np.where(positive, middle, high)
    return high


def agresti_coull(p: float, rows: float, quantile: float) -> tuple[float, float]:
    """Limits of a proportion `p` of `rows` (effective, any number above 0)."""
    more = rows + quantile**2
    centre = (p * rows + quantile**2 / 2) / more
    half = quantile * np.sqrt(centre * (1 - centre) / more)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def spread(values: Floats, groups: Integers | None, rare: Booleans, level: float = LEVEL) -> Spread | None:
    """How the mean of `values` spreads when rows of one group belong together; None where there are too few groups.

    `groups` numbers the group of each row, as `together` gives them. `rare` marks the rows that carry
    the information, such as the wrong ones of many right.
    """
    tail = 0.5 + level / 2
    if groups is None:
        return Spread(1.0, float(special.ndtri(tail)), float(len(values)))
    sizes = np.bincount(groups).astype(np.float64)
    n, count = float(len(values)), len(sizes)
    largest = float(np.sum(sizes**2)) / n  # the design effect of groups that agree fully
    effective = n / largest
    if effective < MIN_GROUPS:
        return None
    t = float(special.stdtrit(effective - 1, tail))
    centred = values - values.mean()
    squares = float(np.sum(centred**2))
    if squares == 0.0:
        return Spread(largest, t, effective)
    sums = np.bincount(groups, weights=centred)
    robust = count / (count - 1) * float(np.sum(sums**2)) / squares * (n - 1) / n
    between = float(np.sum(sums**2 / sizes))
    mean_between, mean_within = between / (count - 1), (squares - between) / (n - count)
    typical = (n - largest) / (count - 1)  # the size of a group, for the analysis of variance
    total = mean_between + (typical - 1) * mean_within
    correlation = min(max((mean_between - mean_within) / total, 0.0), 1.0) if total > 0 else 0.0
    seen = float(len(np.unique(groups[rare])))
    correlation = (correlation * seen + SHRINKAGE) / (seen + SHRINKAGE)
    return Spread(max(robust, 1 + correlation * (largest - 1)), t, effective)


def proportion(hits: Booleans, groups: Integers | None) -> tuple[float, float, float] | None:
    """Value, low and high of the share of `hits`; None where there are too few rows or groups.

    `groups` as `together` gives them.
    """
    n, total = len(hits), int(hits.sum())
    if n < MIN_ROWS:
        return None
    if groups is None:
        low, high = proportions(total, n)
        return total / n, float(low), float(high)
    found = spread(hits.astype(np.float64), groups, hits if 2 * total < n else ~hits)
    if found is None:
        return None
    return total / n, *agresti_coull(total / n, n / found.deff, found.t)


def together(groups: Integers | None) -> Integers | None:
    """`groups` numbered from 0 without gaps; None where every row stands alone."""
    if groups is None:
        return None
    names, numbered = np.unique(groups, return_inverse=True)
    return None if len(names) == len(groups) else numbered.astype(np.int64)


def quantile(values: Floats, share: float) -> tuple[float, float, float] | None:
    """The `share` quantile and the closest pair of order statistics that covers it with 95 %; None: too few.

    Nonparametric: P(X(i) < q < X(j)) is binomial (Conover, Practical Nonparametric Statistics, 3.2).
    """
    n = len(values)
    ordered = np.sort(values)
    below = np.asarray(special.bdtr(np.arange(n), n, share))  # P(at most i values lie below the quantile)
    pairs = [(j - i, i, j) for i in range(1, n) for j in range(i + 1, n + 1) if below[j - 1] - below[i - 1] >= LEVEL]
    if not pairs:
        return None
    _, i, j = min(pairs, key=lambda pair: (pair[0], abs(pair[1] + pair[2] - 2 * share * n)))
    return float(np.quantile(ordered, share)), float(ordered[i - 1]), float(ordered[j - 1])


def median(values: Floats, groups: Integers | None) -> tuple[float, float, float] | None:
    """The median, and the values at the limits of the share that lies below it; None where rows or groups are too few.

    `groups` as `together` gives them. R. Woodruff, Journal of the American Statistical Association 47 (1952) 635.
    """
    n = len(values)
    if n < MIN_ROWS:
        return None
    middle = float(np.median(values))
    below = (values <= middle).astype(np.float64)
    found = spread(below, groups, below > 0)
    if found is None:
        return None
    ordered = np.sort(values)
    shares = agresti_coull(0.5, n / found.deff, found.t)
    low, high = (min(max(place, 0), n - 1) for place in (int(shares[0] * n) - 1, int(np.ceil(shares[1] * n))))
    return middle, float(ordered[low]), float(ordered[high])

"""The interval of a mean of scores between 0 and 1, of rows that stand alone or in groups.

Student's t fails where scores are skewed: 98 answers that score 1 and an invalid one now and then give no variance to
reckon with until one was seen. So either limit counts one more row, at the end of the scale (0 for the lower one, 1 for
the upper), and a beta distribution of the mean and variance that result states it; for scores of 0 and 1 alone that is
Clopper and Pearson's interval. The further row counts the less the more rows the spread rests on: their number is
(Σ d²)² / Σ d⁴ of the deviations d, a third of the rows under a normal distribution, and k where k rows of many stand
out. Below ENOUGH of them the row counts fully and the interval is wide, beyond it fades with their square. Grouped rows
count as `n / deff` (`intervals.spread`), with Student's t. docs/statistics.md has the coverage that was simulated.

C. Clopper, E. Pearson, Biometrika 26 (1934) 404. M. Fay, E. Feuer, Statistics in Medicine 16 (1997) 791, for one more
event of the largest weight in the upper limit of a weighted sum.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from tunesmith.core.scorecard import LEVEL
from tunesmith.tasks.further import further, tail
from tunesmith.tasks.intervals import Floats, Integers, spread

MIN_ROWS = 20


class Mean(NamedTuple):
    """`variance` is of one row, `design` rows count as one independent row, and the spread rests on `resting` ones."""

    value: float
    low: float
    high: float
    variance: float
    design: float
    resting: float


def mean(scores: Floats, groups: Integers | None, level: float = LEVEL) -> Mean | None:
    """Of `scores` in [0, 1]; None where rows or groups are too few. `groups` as `intervals.together` gives them."""
    n = len(scores)
    if n < MIN_ROWS:
        return None
    value = float(scores.mean())
    apart = scores - value
    found = spread(scores, groups, np.abs(apart) > apart.std(), level)
    if found is None:
        return None
    variance = float(np.mean(apart**2)) * n / (n - 1)
    resting = _resting(apart, groups)
    # Student's t, as the variance is only estimated.
    missed = float(special.ndtr(special.stdtrit(found.groups - 1, tail(level, resting))))
    rows = n / found.deff
    low = _limit(value, variance, rows, further(resting), missed)
    high = 1.0 - _limit(1.0 - value, variance, rows, further(resting), missed)
    return Mean(value, min(low, value), max(high, value), variance, found.deff, resting)


def _resting(apart: Floats, groups: Integers | None) -> float:
    """How many rows, or groups, the spread rests on."""
    sums = apart if groups is None else np.bincount(groups, weights=apart)
    fourth = float(np.sum(sums**4))
    return float(np.sum(sums**2)) ** 2 / fourth if fourth > 0 else 0.0


def _limit(value: float, variance: float, rows: float, one_more: float, missed: float) -> float:
    """The lower limit, with `one_more` of a row at 0; it is missed with a chance of `missed`."""
    more = rows + one_more
    centre = rows * value / more
    squares = rows * (variance + (value - centre) ** 2) + one_more * centre**2
    if centre <= 0:
        return 0.0
    size = centre * (1 - centre) * more * (more + 1) / squares - 1 if squares > 0 else np.inf
    if not np.isfinite(size) or centre >= 1:
        return centre
    return float(special.betaincinv(centre * size, (1 - centre) * size, missed))

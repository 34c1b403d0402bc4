"""The interval of a ratio of two sums over rows, such as precision over all fields: hits / (hits + misses).

Rows of one group are one unit, others stand alone. By the influence of each unit (the delta method), as Agresti and
Coull's interval on the number of independent trials that would spread as much, with Student's t. Where failures are
rare, the units at hand may show none; so either limit counts one more unit of usual size, at the end of the scale,
which fades as the spread rests on more units, as for means of scores (`bounded`, `further`). docs/statistics.md has the
coverage that was simulated.

W. Cochran, Sampling Techniques, 3rd ed. (1977), 6.3 and 6.4.
"""

import numpy as np
from scipy import special

from tunesmith.core.scorecard import LEVEL
from tunesmith.tasks.further import further
from tunesmith.tasks.intervals import Floats, Integers, agresti_coull

MIN_UNITS = 30  # with something to count


def estimate(hits: Floats, sizes: Floats, groups: Integers | None) -> tuple[float, float, float] | None:
    """Value, low and high of the sum of `hits` by that of `sizes`, one of each a row; None where units are too few."""
    if groups is not None:
        hits, sizes = (np.asarray(np.bincount(groups, weights=each), np.float64) for each in (hits, sizes))
    hits, sizes = hits[sizes > 0], sizes[sizes > 0]
    if len(sizes) < MIN_UNITS:
        return None
    value = float(hits.sum() / sizes.sum())
    apart = hits - value * sizes
    fourth = float(np.sum(apart**4))
    more = further(float(np.sum(apart**2)) ** 2 / fourth if fourth > 0 else 0.0)
    low, high = _limits(hits, sizes, more, 0.0)[0], _limits(hits, sizes, more, 1.0)[1]
    return value, min(low, value), max(high, value)


def _limits(hits: Floats, sizes: Floats, more: float, right: float) -> tuple[float, float]:
    """Of the units and `more` of a further one of usual size, of which the share `right` is right."""
    units, size = len(sizes), float(sizes.mean()) * more
    hits, sizes = np.append(hits, size * right), np.append(sizes, size)
    centre = float(hits.sum() / sizes.sum())
    variance = float(np.sum((hits - centre * sizes) ** 2)) / float(sizes.sum()) ** 2 * units / (units - 1)
    if variance <= 0 or not 0 < centre < 1:  # all are as the further one is
        return centre, centre
    quantile = float(special.stdtrit(units - 1, 0.5 + LEVEL / 2))
    return agresti_coull(centre, centre * (1 - centre) / variance, quantile)

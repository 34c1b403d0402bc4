"""The interval of a ratio of two sums over rows, such as precision over all fields: hits / (hits + misses).

By the influence of each row (the delta method), corrected for the ratio's known bias; the interval is Agresti and
Coull's on the number of independent rows that would spread as much. That number comes from rows that may be few: the
quantile is Student's, with the degrees of freedom of the rows that the spread rests on, (Σ d²)² / Σ d⁴ of the
influences d, and LEAST of them where hardly any row stands out. docs/statistics.md has the coverage that was simulated.

W. Cochran, Sampling Techniques, 3rd ed. (1977), 6.3 and 6.4.
"""

import numpy as np
from scipy import special

from tunesmith.core.scorecard import LEVEL
from tunesmith.tasks.intervals import Floats, Integers, agresti_coull, spread

MIN_ROWS = 30  # with something to count
LEAST = 12.0  # degrees of freedom


def estimate(hits: Floats, sizes: Floats, groups: Integers | None) -> tuple[float, float, float] | None:
    """Value, low and high of the sum of `hits` by that of `sizes`, one of each a row; None where rows are too few."""
    counted = int(np.sum(sizes > 0))
    if counted < MIN_ROWS:
        return None
    n, total = len(sizes), float(sizes.sum())
    value = float(hits.sum()) / total
    influence = (hits - value * sizes) / total
    found = spread(influence, groups, hits < sizes if value > 0.5 else hits > 0)
    if found is None:
        return None
    variance_of_sizes, covariance = n * float(np.var(sizes)), n * float(np.cov(hits, sizes, bias=True)[0, 1])
    bias = (value * variance_of_sizes - covariance) / total**2
    centre = min(max(value - bias, 0.0), 1.0)
    variance, fourth = float(np.sum(influence**2)), float(np.sum(influence**4))
    rows = centre * (1 - centre) / variance if variance > 0 and 0 < centre < 1 else float(counted)
    resting = variance**2 / fourth if fourth > 0 else 0.0
    quantile = max(found.t, float(special.stdtrit(max(resting - 1, LEAST), 0.5 + LEVEL / 2)))
    low, high = agresti_coull(centre, rows / found.deff, quantile)
    return value, min(low, value), max(high, value)

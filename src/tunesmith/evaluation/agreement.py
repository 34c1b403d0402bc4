"""Krippendorff's alpha for ordered categories: how far raters agree beyond what chance would give; 1 is fully, 0 not.

Every pair of ratings of one unit counts, in parts of the pairs that the unit has; the distance of two categories is
that of their ranks among all ratings, squared. Units with a single rating say nothing and are left out.

K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C and its example.
"""

from collections.abc import Iterable, Sequence

import numpy as np

MIN_UNITS = 10  # units with two ratings or more; with fewer, agreement is not known


def alpha(units: Iterable[Sequence[int]]) -> float | None:
    """`units` are the ratings of one thing each. None where one category alone was used."""
    paired = [unit for unit in units if len(unit) > 1]
    names = sorted({rating for unit in paired for rating in unit})
    if len(names) < 2:
        return None
    place = {name: number for number, name in enumerate(names)}
    together = np.zeros((len(names), len(names)))
    for unit in paired:
        for one, first in enumerate(unit):
            for other, second in enumerate(unit):
                if one != other:
                    together[place[first], place[second]] += 1 / (len(unit) - 1)
    count = together.sum(axis=1)
    rank = np.cumsum(count) - count / 2
    distance = (rank[:, None] - rank[None, :]) ** 2
    expected = float((np.outer(count, count) * distance).sum()) / float(count.sum() - 1)
    return 1.0 - float((together * distance).sum()) / expected

"""A judge's scores, corrected by a sample that people labelled: prediction-powered inference.

A judge scores every row, people only some. The judge's mean alone is off by however much it errs, and more rows make
that no better; people's alone is right and wide. Corrected: the judge's mean over all rows, times a factor, plus what
people say beyond that on the rows they labelled. The factor is the one that makes the result surest (power tuning): a
judge that tells nothing gets 0, and the people's own mean stays. So the result is right whatever the judge is, and the
better it agrees, the narrower.

The labelled rows have to be drawn by chance among all of them. Rows of one group count together.

A. Angelopoulos et al., Science 382 (2023) 669. A. Angelopoulos, J. Duchi, T. Zrnic, PPI++ (arXiv:2311.01453, 2023), for
the factor. J. Cohen, Educational and Psychological Measurement 20 (1960) 37, for kappa.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from tunesmith.core.preferred import MIN_LABELLED
from tunesmith.core.scorecard import LEVEL
from tunesmith.data.agreement import cohen_kappa
from tunesmith.tasks.intervals import Booleans, Floats, Integers, agresti_coull


class Judged(NamedTuple):
    """`value` is the corrected mean, `judge` the judge's own; `accuracy` and `kappa` say how far it agrees with people
    on the rows that both scored, where scores are 0 or 1. `worth` is how many labelled rows the sample is worth."""

    value: float
    low: float
    high: float
    judge: float
    factor: float
    accuracy: float | None
    kappa: float | None
    labelled: int
    worth: float


def corrected(judge: Floats, people: Floats, groups: Integers | None, level: float = LEVEL) -> Judged | None:
    """The mean score of all rows. `judge` scores every row, `people` those they labelled (NaN elsewhere), all from 0 to
    1; `groups` numbers the group of each row. None where too few rows, or groups, are labelled."""
    seen = ~np.isnan(people)
    labelled, units = int(seen.sum()), _units(seen, groups)
    if units < MIN_LABELLED:
        return None
    factor = _factor(judge, people, seen)
    rest = people[seen] - factor * judge[seen]
    value = float(rest.mean()) + (factor * float(judge[~seen].mean()) if factor else 0.0)
    parts = np.zeros(len(judge))
    parts[seen] = (rest - rest.mean()) / labelled
    if factor:
        parts[~seen] = factor * (judge[~seen] - judge[~seen].mean()) / (len(judge) - labelled)
    variance, alone = _variance(parts, groups), _variance(_centred(people, seen), groups)
    value = min(max(value, 0.0), 1.0)
    low, high = _limits(value, variance, labelled, units, level)
    accuracy, kappa = _agreement(judge[seen], people[seen])
    return Judged(
        value=value,
        low=min(low, value),
        high=max(high, value),
        judge=float(judge.mean()),
        factor=factor,
        accuracy=accuracy,
        kappa=kappa,
        labelled=labelled,
        worth=labelled * alone / variance if variance > 0 else float(labelled),
    )


def _factor(judge: Floats, people: Floats, seen: Booleans) -> float:
    """cov(people, judge) / ((1 + labelled / others) var(judge)), kept between 0 and 1."""
    labelled = int(seen.sum())
    others, variance = len(seen) - labelled, float(judge.var())
    if variance == 0 or others == 0:
        return 0.0
    common = float(np.mean((people[seen] - people[seen].mean()) * (judge[seen] - judge[seen].mean())))
    return min(max(common / variance / (1 + labelled / others), 0.0), 1.0)


def _limits(value: float, variance: float, labelled: int, units: int, level: float) -> tuple[float, float]:
    """Agresti and Coull's, on the number of right and wrong rows that would spread as much, with Student's t.

    Either end counts one more labelled row there, since few labels may not show what is rare.
    """
    quantile = float(special.stdtrit(units - 1, 0.5 + level / 2))
    ends = []
    for end in (0.0, 1.0):
        centre = (labelled * value + end) / (labelled + 1)
        spread = variance + ((end - value) / (labelled + 1)) ** 2
        rows = centre * (1 - centre) / spread if spread > 0 and 0 < centre < 1 else float(labelled)
        ends.append(agresti_coull(centre, rows, quantile)[int(end)])
    return ends[0], ends[1]


def _variance(parts: Floats, groups: Integers | None) -> float:
    sums = parts if groups is None else np.bincount(groups, weights=parts)
    return float(np.sum(sums**2))


def _centred(people: Floats, seen: Booleans) -> Floats:
    """What each row adds to the error of the people's own mean."""
    return np.where(seen, (people - people[seen].mean()) / seen.sum(), 0.0)


def _units(seen: Booleans, groups: Integers | None) -> int:
    return int(seen.sum()) if groups is None else len(np.unique(groups[seen]))


def _agreement(judge: Floats, people: Floats) -> tuple[float | None, float | None]:
    """Share of equal scores and Cohen's kappa; None where scores are more than right and wrong."""
    if not set(np.unique([judge, people])) <= {0.0, 1.0}:
        return None, None
    pairs = [(str(one), str(other)) for one, other in zip(judge, people, strict=True)]
    return float(np.mean(judge == people)), cohen_kappa(pairs)

"""How a score grows with the rows that are learnt from, and what more of them would bring.

The part that is missing falls with the rows as a power law: 1 - score = floor + scale · rows^-rate (Hestness et al.,
"Deep Learning Scaling is Predictable, Empirically", arXiv:1712.00409). Rate and floor are tried on a grid and the scale
is the one of least squares, each size counting by its draws. The interval of a point is that of a mean of scores
(`tasks/bounded.py`), of the candidates that were drawn. The interval of a gain is a bootstrap: validation rows (those
of a group together) and draws are drawn again, and the law is fitted anew each time, with a floor and without one: four
sizes do not tell a floor from a slow rate. docs/advice.md has how often such an interval held the true gain in
simulation. Where it is wider than WIDEST, the gain reads "too few".
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.record import Record

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SHARES = (0.10, 0.25, 0.50, 1.0)
DRAWS = 3  # of every share but the whole
TIMES = (2, 4)  # as many rows as there are
LEAST_ROWS, LEAST_TRAIN = 20, 40  # rows to measure on, and to learn from, below which nothing is fitted
RESAMPLED, SEED = 400, 0
RATES = np.linspace(0.05, 1.0, 20)
FLOORS = np.linspace(0.0, 1.0, 21)  # of the smallest part that is missing
NO_FLOOR = np.zeros(1)
ENDS = (0.025, 0.975)  # quantiles of the gains
WIDEST = 0.2  # an interval of a gain that is wider says nothing


class Scored(Protocol):
    """A candidate's interval; None where rows are too few."""

    @property
    def low(self) -> float | None: ...


class Point(Record):
    """The mean score of `draws` candidates, each trained on `rows`; without an interval where too few were measured."""

    rows: int
    draws: int
    value: float
    low: float | None
    high: float | None


class More(Record):
    """What `rows` would bring above the whole; None where the curve does not say."""

    rows: int
    times: int
    gain: float | None
    low: float | None
    high: float | None


class Curve(Record):
    """`by` is what was trained, `metric` what it was measured by on `validation` rows, `why` no curve is fitted."""

    by: str
    metric: str
    validation: int
    points: tuple[Point, ...]
    more: tuple[More, ...] = ()
    rate: float | None = None
    why: str = ""

    def below(self, score: "Scored | None") -> bool:
        """Whether what was trained on all rows stays clearly below another candidate on the same rows."""
        high = self.points[-1].high
        return score is not None and score.low is not None and high is not None and high < score.low

    def at(self, times: int) -> More | None:
        """The gain of `times` as many rows, where it is known."""
        return next((each for each in self.more if each.times == times and each.gain is not None), None)


class Law(NamedTuple):
    floor: float
    scale: float
    rate: float

    def score(self, rows: float) -> float:
        return float(1.0 - self.floor - self.scale * rows**-self.rate)


def fit(
    rows: Sequence[int], scores: Sequence[float], weights: Sequence[float] | None = None, floors: Floats = FLOORS
) -> Law:
    """The power law nearest to `scores` between 0 and 1 by least squares, its scale 0 where they do not grow; `floors`
    are those to try, as shares of the smallest part that is missing."""
    sizes, missing = np.array(rows, np.float64), 1.0 - np.array(scores, np.float64)
    weighed = np.ones(len(sizes)) if weights is None else np.array(weights, np.float64)
    floors_F = floors * max(float(missing.min()), 0.0)
    powers_RS = sizes[None, :] ** -RATES[:, None]
    above_FS = missing[None, :] - floors_F[:, None]
    squares_R = (weighed * powers_RS**2).sum(1)
    scales_RF = np.maximum(np.einsum("s,rs,fs->rf", weighed, powers_RS, above_FS) / squares_R[:, None], 0.0)
    left_RFS = above_FS[None] - scales_RF[:, :, None] * powers_RS[:, None, :]
    loss_RF = (weighed * left_RFS**2).sum(2)
    rate, floor = np.unravel_index(int(loss_RF.argmin()), loss_RF.shape)
    return Law(float(floors_F[floor]), float(scales_RF[rate, floor]), float(RATES[rate]))


def curve(
    by: str, metric: str, scored: Mapping[int, Sequence[Sequence[float]]], groups: Integers | None = None
) -> Curve:
    """`scored`: rows that were learnt from → of each draw, the score of every validation row, between 0 and 1.

    The largest size is the whole. `groups` are those of the validation rows, as `tasks.figures.groups_of` has them.
    """
    arrays = {size: np.array(draws, np.float64) for size, draws in sorted(scored.items())}
    validation = next(iter(arrays.values())).shape[1]
    points = tuple(_point(size, drawn, groups) for size, drawn in arrays.items())
    whole = max(arrays)
    bare = Curve(by=by, metric=metric, validation=validation, points=points)
    if why := _too_few(whole, validation, len(points)):
        return bare.model_copy(update={"why": why})
    weights = [len(drawn) for drawn in arrays.values()]
    sizes = list(arrays)
    law = fit(sizes, [point.value for point in points], weights)
    chance = np.random.default_rng(SEED)
    again = [_means(arrays, groups, chance).tolist() for _ in range(RESAMPLED)]
    laws = [[fit(sizes, means, weights, floors) for means in again] for floors in (FLOORS, NO_FLOOR)]
    return bare.model_copy(update={"rate": law.rate, "more": tuple(_more(law, laws, whole, times) for times in TIMES)})


def _too_few(whole: int, validation: int, sizes: int) -> str:
    if validation < LEAST_ROWS:
        return f"{validation:,} rows to measure on are too few; a curve needs {LEAST_ROWS}"
    if whole < LEAST_TRAIN:
        return f"{whole:,} rows to learn from are too few; a curve needs {LEAST_TRAIN}"
    return "" if sizes == len(SHARES) else "too few sizes to fit a curve"


def _point(size: int, drawn: Floats, groups: Integers | None) -> Point:
    from tunesmith.tasks import bounded  # it loads scipy, which advice without rows does without

    found = bounded.mean(drawn.mean(axis=0), groups)
    low, high = (None, None) if found is None else (found.low, found.high)
    return Point(rows=size, draws=len(drawn), value=float(drawn.mean()), low=low, high=high)


def _means(arrays: Mapping[int, Floats], groups: Integers | None, chance: np.random.Generator) -> Floats:
    """The mean at each size, of rows and draws that are drawn again; the same rows at every size."""
    rows = _again(next(iter(arrays.values())).shape[1], groups, chance)
    return np.array([drawn[chance.integers(len(drawn), size=len(drawn))][:, rows].mean() for drawn in arrays.values()])


def _again(validation: int, groups: Integers | None, chance: np.random.Generator) -> Integers:
    """Validation rows drawn again, those of a group together."""
    if groups is None:
        return chance.integers(validation, size=validation)
    order = np.argsort(groups, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    return np.concatenate([parts[each] for each in chance.integers(len(parts), size=len(parts))])


def _more(law: Law, laws: Sequence[Sequence[Law]], whole: int, times: int) -> More:
    """The interval spans those with a floor that is fitted and without one, which the sizes do not tell apart."""
    rows = whole * times
    gains = np.array([[each.score(rows) - each.score(whole) for each in part] for part in laws])
    ends = np.quantile(gains, ENDS, axis=1)
    low, high = float(ends[0].min()), float(ends[1].max())
    if high - low > WIDEST:
        return More(rows=rows, times=times, gain=None, low=None, high=None)
    gain = min(max(law.score(rows) - law.score(whole), low), high)
    return More(rows=rows, times=times, gain=gain, low=low, high=high)


def subsets(rows: int) -> list[int]:
    """The sizes to learn from, the whole last; equal ones once."""
    return sorted({max(1, round(share * rows)) for share in SHARES})

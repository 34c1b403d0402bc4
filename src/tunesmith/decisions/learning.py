"""How a score grows with the rows that are learnt from, and what more of them would bring.

The part that is missing falls with the rows as a power law: 1 - score = floor + scale · rows^-rate (Hestness et al.,
"Deep Learning Scaling is Predictable, Empirically", arXiv:1712.00409). Rate and floor are tried on a grid and the scale
is the one of least squares, each size counting by the rows that were measured. The interval of a gain is a bootstrap:
validation rows and draws are drawn again together, and the law is fitted anew each time. Four sizes do not tell a floor
from a slow rate, so the interval of the extrapolation is wide by nature, and the gain reads "too few" where it says
nothing.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.record import Record

Floats = NDArray[np.float64]

SHARES = (0.10, 0.25, 0.50, 1.0)
DRAWS = 3  # of every share but the whole
TIMES = (2, 4)  # as many rows as there are
LEAST_ROWS, LEAST_TRAIN = 20, 40  # rows to measure on, and to learn from, below which nothing is fitted
RESAMPLED, SEED = 400, 0
RATES = np.linspace(0.05, 1.0, 20)
FLOORS = np.linspace(0.0, 1.0, 21)  # of the smallest part that is missing
WIDEST = 0.2  # an interval of a gain that is wider says nothing


class Scored(Protocol):
    """A candidate's interval; None where rows are too few."""

    @property
    def low(self) -> float | None: ...


class Point(Record):
    """The mean score of `draws` candidates, each trained on `rows`; its interval is of the rows and the draws."""

    rows: int
    draws: int
    value: float
    low: float
    high: float


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
        return score is not None and score.low is not None and self.points[-1].high < score.low

    def at(self, times: int) -> More | None:
        """The gain of `times` as many rows, where it is known."""
        return next((each for each in self.more if each.times == times and each.gain is not None), None)


class Law(NamedTuple):
    floor: float
    scale: float
    rate: float

    def score(self, rows: float) -> float:
        return float(1.0 - self.floor - self.scale * rows**-self.rate)


def fit(rows: Sequence[int], scores: Sequence[float], weights: Sequence[float] | None = None) -> Law:
    """The power law nearest to `scores` between 0 and 1 by least squares; a rate of 0 scale where they do not grow."""
    sizes, missing = np.array(rows, np.float64), 1.0 - np.array(scores, np.float64)
    weighed = np.ones(len(sizes)) if weights is None else np.array(weights, np.float64)
    floors_F = FLOORS * max(float(missing.min()), 0.0)
    powers_RS = sizes[None, :] ** -RATES[:, None]
    above_FS = missing[None, :] - floors_F[:, None]
    squares_R = (weighed * powers_RS**2).sum(1)
    scales_RF = np.maximum(np.einsum("s,rs,fs->rf", weighed, powers_RS, above_FS) / squares_R[:, None], 0.0)
    left_RFS = above_FS[None] - scales_RF[:, :, None] * powers_RS[:, None, :]
    loss_RF = (weighed * left_RFS**2).sum(2)
    rate, floor = np.unravel_index(int(loss_RF.argmin()), loss_RF.shape)
    return Law(float(floors_F[floor]), float(scales_RF[rate, floor]), float(RATES[rate]))


def curve(by: str, metric: str, scored: Mapping[int, Sequence[Sequence[float]]]) -> Curve:
    """`scored`: rows that were learnt from → of each draw, the score of every validation row, between 0 and 1.

    The largest size is the whole.
    """
    arrays = {size: np.array(draws, np.float64) for size, draws in sorted(scored.items())}
    validation = next(iter(arrays.values())).shape[1]
    chance = np.random.default_rng(SEED)
    again = [_means(arrays, chance) for _ in range(RESAMPLED)]
    points = tuple(
        Point(rows=size, draws=len(drawn), value=float(drawn.mean()), low=float(low), high=float(high))
        for (size, drawn), (low, high) in zip(
            arrays.items(), np.quantile(np.array(again), (0.025, 0.975), axis=0).T, strict=True
        )
    )
    whole = max(arrays)
    bare = Curve(by=by, metric=metric, validation=validation, points=points)
    if why := _too_few(whole, validation, len(points)):
        return bare.model_copy(update={"why": why})
    weights = [len(drawn) for drawn in arrays.values()]
    sizes = list(arrays)
    law = fit(sizes, [point.value for point in points], weights)
    laws = [fit(sizes, means.tolist(), weights) for means in again]
    return bare.model_copy(update={"rate": law.rate, "more": tuple(_more(law, laws, whole, times) for times in TIMES)})


def _too_few(whole: int, validation: int, sizes: int) -> str:
    if validation < LEAST_ROWS:
        return f"{validation:,} rows to measure on are too few; a curve needs {LEAST_ROWS}"
    if whole < LEAST_TRAIN:
        return f"{whole:,} rows to learn from are too few; a curve needs {LEAST_TRAIN}"
    return "" if sizes == len(SHARES) else "too few sizes to fit a curve"


def _means(arrays: Mapping[int, Floats], chance: np.random.Generator) -> Floats:
    """The mean at each size, of rows and draws that are drawn again; the same rows at every size."""
    validation = next(iter(arrays.values())).shape[1]
    rows = chance.integers(validation, size=validation)
    return np.array([drawn[chance.integers(len(drawn), size=len(drawn))][:, rows].mean() for drawn in arrays.values()])


def _more(law: Law, laws: Sequence[Law], whole: int, times: int) -> More:
    rows = whole * times
    gains = [each.score(rows) - each.score(whole) for each in laws]
    low, high = (float(each) for each in np.quantile(gains, (0.025, 0.975)))
    if high - low > WIDEST:
        return More(rows=rows, times=times, gain=None, low=None, high=None)
    gain = min(max(law.score(rows) - law.score(whole), low), high)
    return More(rows=rows, times=times, gain=gain, low=low, high=high)


def subsets(rows: int) -> list[int]:
    """The sizes to learn from, the whole last; equal ones once."""
    return sorted({max(1, round(share * rows)) for share in SHARES})

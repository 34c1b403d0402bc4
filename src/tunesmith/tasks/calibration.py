"""Expected calibration error: how far confidence lies from the share of right answers, over ten equal bins.

The plain figure Σ |Σ (confidence - right)| / n (Guo et al., ICML 2017, with 10 bins of width 0.1) is biased upwards by
noise: a perfectly calibrated candidate shows 0.04 on 300 rows. So what is reported is the error under which the plain
figure would be the median, and the interval holds every error under which it would be unsurprising. For each such
error the bins' gaps are the likeliest ones given what was seen, and the plain figure's distribution is simulated with
a skewness-corrected normal in each bin (a parametric bootstrap test, inverted: Lloyd, Biometrics 64 (2008) 716, calls
it the estimated p-value). The tails are unequal, so that coverage also holds where the true error is 0.
"""

from typing import NamedTuple

import numpy as np

from tunesmith.tasks.intervals import Booleans, Floats, Integers, spread

BINS = 10
MIN_ROWS = 300
MIN_EXPECTED = 8  # right and wrong answers each that the confidences promise; with fewer, errors are too rare to tell
DRAWS = 2000
LOW_TAIL, HIGH_TAIL = 0.033, 0.015
BISECTIONS = 14  # to 0.0001

_noise = np.random.default_rng(0).standard_normal((DRAWS, BINS + 1))


class _Bins(NamedTuple):
    """The bins that hold rows: their share of all rows, mean confidence, signed gap × share, and the gap's variance."""

    share: Floats
    confidence: Floats
    gap: Floats
    variance: Floats
    rows: float  # independent ones


def estimate(confidence: Floats, right: Booleans, groups: Integers | None) -> tuple[float, float, float] | None:
    """Value, low and high; None where rows or groups are too few. `groups` as `spread` takes."""
    n = len(confidence)
    if n < MIN_ROWS or min(confidence.sum(), n - confidence.sum()) < MIN_EXPECTED:
        return None
    found = spread(confidence - right, groups, ~right if 2 * right.sum() > n else right)
    if found is None:
        return None
    bins = _binned(confidence, right, n / found.deff)
    plain = float(np.abs(bins.gap).sum())
    low, value, high = (_error_at(bins, plain, rank) for rank in (1 - LOW_TAIL, 0.5, HIGH_TAIL))
    return value, low, high


def _binned(confidence: Floats, right: Booleans, rows: float) -> _Bins:
    n = len(confidence)
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    count = np.bincount(place, minlength=BINS)
    kept = count > 0
    count = count[kept]
    hits = np.bincount(place, weights=right, minlength=BINS)[kept]
    said = np.bincount(place, weights=confidence, minlength=BINS)[kept]
    accuracy = (hits + 0.5) / (count + 1)
    share = count / n
    return _Bins(share, said / count, (said - hits) / n, share * accuracy * (1 - accuracy) / rows, rows)


def _error_at(bins: _Bins, plain: float, rank: float) -> float:
    """The error under which `plain` is the `rank` quantile of the plain figure; 0 where it is lower under all."""
    low, high = 0.0, 1.0
    if _rank(bins, 0.0, plain) < rank:
        return 0.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if _rank(bins, middle, plain) > rank:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _rank(bins: _Bins, error: float, plain: float) -> float:
    """P(the plain figure comes out below `plain`), were the true error `error`."""
    gap = _likeliest(bins, error)
    accuracy = np.clip(bins.confidence - gap / bins.share, 1e-6, 1 - 1e-6)
    variance = accuracy * (1 - accuracy)
    draw = _noise[:, : len(gap)]
    skewness = (1 - 2 * accuracy) / np.sqrt(variance * bins.share * bins.rows)
    draw = draw + skewness / 6 * (draw**2 - 1)  # Cornish and Fisher, for the number of right answers
    drawn = np.abs(gap - np.sqrt(bins.share * variance / bins.rows) * draw).sum(axis=1)
    size = np.abs(gap) / bins.share
    mixing = max(float(np.sum(bins.share * size**2)) - error**2, 0.0)  # which bins the rows fall into varies, too
    return float(np.mean(drawn + np.sqrt(mixing / bins.rows) * _noise[:, -1] < plain))


def _likeliest(bins: _Bins, error: float) -> Floats:
    """The gaps nearest to those seen, in units of their variance, whose sizes add up to `error`."""
    size, total = np.abs(bins.gap), float(np.abs(bins.gap).sum())
    sign = np.where(bins.gap >= 0, 1.0, -1.0)
    if error >= total:
        room = bins.share * np.where(sign > 0, bins.confidence, 1 - bins.confidence)
        step = (error - total) / float(bins.variance.sum())
        return np.asarray(sign * np.minimum(size + step * bins.variance, room))
    order = np.argsort(-size / bins.variance)
    sizes, variances = np.cumsum(size[order]), np.cumsum(bins.variance[order])
    steps = (sizes - error) / variances  # the step at which the first 1, 2, … gaps alone add up to `error`
    return np.asarray(sign * np.maximum(size - float(steps.max()) * bins.variance, 0.0))

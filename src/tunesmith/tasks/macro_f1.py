"""Macro F1: the mean, over the labels that the rows expect, of each label's F1; no valid answer is a miss.

Its interval comes from the influence of each row (the delta method), so that groups, and the difference of two
candidates on the same rows, need nothing more than sums of influences; a bootstrap covers no better and takes a
thousand times as long. F1 is a ratio and biased downwards by a known amount of order 1 / support, which many labels do
not average out; the interval is corrected for it, the value is the plain one that scikit-learn reports.

K. Takahashi et al., Applied Intelligence 52 (2022) 4961 for the variance. The interval is Agresti and Coull's on the
number of independent rows that would spread as much.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tunesmith.tasks.intervals import Booleans, Floats, Integers, agresti_coull, spread

Influence = Callable[[Floats, Floats], Floats]

MIN_ROWS = 50
MIN_SUPPORT = 5  # rows of every label that occurs


class Linear(NamedTuple):
    """`value` moves by about `influence[i]` when row i counts twice; `rows` is how many a plain accuracy would take."""

    value: float
    bias: float
    influence: Floats
    rows: float


def missing_rows(expected: Integers) -> int:
    """How many rows are lacking, at least, before macro F1 can be told; 0: none."""
    support = np.bincount(expected)
    lacking = np.maximum(MIN_SUPPORT - support[support > 0], 0).sum()
    return max(MIN_ROWS - len(expected), int(lacking), 0)


def linearise(expected: Integers, answered: Integers, labels: int) -> Linear:
    """`expected` and `answered` number labels from 0; `answered` is `labels` where there is no valid answer."""
    right = expected == answered
    support = np.bincount(expected, minlength=labels).astype(np.float64)
    said = np.bincount(answered, minlength=labels + 1)[:labels].astype(np.float64)
    hits = np.bincount(expected[right], minlength=labels).astype(np.float64)

    def influence(gain: Floats, charge: Floats) -> Floats:
        charged = np.append(charge, 0.0)  # no valid answer charges no label
        return np.asarray(gain[expected] * right - charged[expected] - charged[answered])

    return _linear(support, said, hits, influence, len(expected))


def linearise_sets(wanted: Booleans, given: Booleans) -> Linear:
    """Of sets of labels: a row for each example, a column for each label, expected and answered."""
    hits = wanted & given

    def influence(gain: Floats, charge: Floats) -> Floats:
        return np.asarray(hits @ gain - (wanted.astype(np.float64) + given) @ charge)

    support, said, right = (each.sum(axis=0).astype(np.float64) for each in (wanted, given, hits))
    return _linear(support, said, right, influence, len(wanted))


def _linear(support: Floats, said: Floats, hits: Floats, influence: Influence, n: int) -> Linear:
    """`influence` gives that of every row from what a hit gains and what an expected or answered label charges."""
    counted = support > 0
    many = int(counted.sum())
    size = np.where(counted, support + said, 1.0)
    f1 = np.where(counted, 2 * hits / size, 0.0)
    share = np.where(counted, 1 / size, 0.0) / many
    # A ratio's bias to second order: N var(D) / D³ - cov(N, D) / D², for N = 2 hits and D = support + said.
    variance = support + said + 2 * hits - size**2 / n
    covariance = 4 * hits - 2 * hits * size / n
    bias = np.sum(np.where(counted, f1 * variance / size**2 - covariance / size**2, 0.0)) / many
    return Linear(
        value=float(f1.sum()) / many,
        bias=float(bias),
        influence=influence(2 * share, f1 * share),
        rows=many**2 / float(np.sum(1 / support[counted])),
    )


def estimate(
    expected: Integers, answered: Integers, labels: int, groups: Integers | None
) -> tuple[float, float, float] | None:
    """Value, low and high; None where rows, groups or the rows of a label are too few. `groups` as `spread` takes."""
    if missing_rows(expected):
        return None
    return _interval(linearise(expected, answered, labels), groups, expected != answered)


def estimate_of_sets(wanted: Booleans, given: Booleans, groups: Integers | None) -> tuple[float, float, float] | None:
    """The same of sets of labels."""
    support = wanted.sum(axis=0)
    if len(wanted) < MIN_ROWS or not np.any(support) or np.min(support[support > 0]) < MIN_SUPPORT:
        return None
    return _interval(linearise_sets(wanted, given), groups, np.asarray((wanted != given).any(axis=1)))


def _interval(linear: Linear, groups: Integers | None, wrong: Booleans) -> tuple[float, float, float] | None:
    found = spread(linear.influence, groups, wrong)
    if found is None:
        return None
    centre = min(max(linear.value - linear.bias, 0.0), 1.0)
    variance = float(np.sum(linear.influence**2))
    rows = centre * (1 - centre) / variance if variance > 0 and 0 < centre < 1 else linear.rows
    low, high = agresti_coull(centre, rows / found.deff, found.t)
    return linear.value, min(low, linear.value), max(high, linear.value)

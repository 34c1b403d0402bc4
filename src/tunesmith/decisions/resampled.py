"""The difference of two candidates by a metric that is no mean over rows: a function of sums, such as the F1 of all
fields, a ratio, or corpus BLEU.

Interval: paired bootstrap, bias-corrected and accelerated. Groups (rows, where they stand alone) are drawn with
replacement, the same for either candidate; the acceleration comes from leaving each out once. Where few groups carry
the difference, what a draw could show is not in the rows, and no such interval covers: so the spread has to rest on
MIN_RESTING of them, else there is "too few". The tails are widened as Student's t would, since the spread is estimated.

p-value: permutation. If nothing differed, either candidate could as well have given the other's answers to a group;
the share of such exchanges, drawn by chance, that differ at least as much.

B. Efron, Journal of the American Statistical Association 82 (1987) 171. B. Phipson, G. Smyth, Statistical Applications
in Genetics and Molecular Biology 9 (2010) 39, for the one that is added to either count. docs/statistics.md has the
coverage that was simulated.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import special

from tunesmith.decisions.paired import Difference
from tunesmith.tasks.intervals import Floats, Integers

MIN_UNITS = 100  # rows, or groups
MIN_RESTING = 15.0  # of them that the spread rests on
DRAWS = 2000
ROUNDING = 1e-12  # of two differences that are the same

Value = Callable[[Floats], Floats]  # sums (…, parts) → the metric (…)


class Summed(NamedTuple):
    """What each row adds to the sums of either candidate, (rows, parts), and the metric of the sums."""

    a: Floats
    b: Floats
    value: Value


def summed_difference(pair: Summed, groups: Integers | None, level: float) -> Difference | None:
    """None where rows or groups are too few, or too few of them differ. `groups` as `intervals.together` gives them."""
    a, b = (_by_unit(each, groups) for each in (pair.a, pair.b))
    units = len(a)
    if units < MIN_UNITS:
        return None
    value = _difference(pair.value, a.sum(axis=0), b.sum(axis=0))
    left_out = _difference(pair.value, a.sum(axis=0) - a, b.sum(axis=0) - b)
    apart = left_out.mean() - left_out
    squares, fourth = float(np.sum(apart**2)), float(np.sum(apart**4))
    if fourth == 0 or squares**2 / fourth < MIN_RESTING:
        return None
    weights = _weights(units)
    drawn = _difference(pair.value, weights @ a, weights @ b)
    low, high = _limits(drawn, float(value), apart, level)
    p = _permuted(pair.value, a, b, float(value))
    variance = float(drawn.var()) * len(pair.a)
    return Difference(float(value), min(low, float(value)), max(high, float(value)), p, variance, 1.0)


def _by_unit(rows: Floats, groups: Integers | None) -> Floats:
    if groups is None:
        return rows
    sums = np.zeros((int(groups.max()) + 1, rows.shape[1]))
    np.add.at(sums, groups, rows)
    return sums


def _difference(value: Value, a: Floats, b: Floats) -> Floats:
    return np.asarray(value(a) - value(b))


@lru_cache(maxsize=1)
def _weights(units: int) -> Floats:
    """How often each unit was drawn, (draws, units): the same for every comparison of so many."""
    dice = np.random.default_rng(0)
    return dice.multinomial(units, np.full(units, 1 / units), size=DRAWS).astype(np.float64)


@lru_cache(maxsize=1)
def _signs(units: int) -> Floats:
    """Whose answer is whose, (draws, units)."""
    return np.random.default_rng(1).choice((-1.0, 1.0), size=(DRAWS, units))


def _limits(drawn: Floats, value: float, apart: Floats, level: float) -> tuple[float, float]:
    """Efron's BCa limits; `apart` are the deviations of the values with a unit left out."""
    below = (np.sum(drawn < value) + np.sum(drawn == value) / 2) / len(drawn)
    bias = float(special.ndtri(min(max(below, 1 / DRAWS), 1 - 1 / DRAWS)))
    acceleration = float(np.sum(apart**3)) / (6 * float(np.sum(apart**2)) ** 1.5)
    tail = float(special.stdtrit(_freedom(apart), 0.5 + level / 2))

    def at(quantile: float) -> float:
        shifted = bias + quantile
        return float(np.quantile(drawn, special.ndtr(bias + shifted / (1 - acceleration * shifted))))

    return at(-tail), at(tail)


def _freedom(apart: Floats) -> float:
    """Degrees of freedom of the spread: as few as it rests on."""
    return max(float(np.sum(apart**2)) ** 2 / float(np.sum(apart**4)) - 1, 1.0)


def _permuted(value: Value, a: Floats, b: Floats, seen: float) -> float:
    whole, ahead = (a + b).sum(axis=0), _signs(len(a)) @ (a - b)
    exchanged = _difference(value, (whole + ahead) / 2, (whole - ahead) / 2)
    extreme = int(np.sum(np.abs(exchanged) >= abs(seen) - ROUNDING))
    return (extreme + 1) / (DRAWS + 1)

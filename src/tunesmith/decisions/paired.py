"""The difference of two candidates on the same rows: its interval and its p-value.

Interval: Tango's score interval for paired proportions, with a tenth of a pair added to either kind of discordant
pairs. It is the interval that Fagerland, Lydersen and Laake recommend; by itself it covers at least 93 %, and the
tenth keeps its lower limit honest where one candidate never wins a row (docs/statistics.md has the enumeration).
Grouped rows enter as `n / deff` pairs with Student's t. The difference of macro F1 enters as the discordant pairs that
would have its mean and variance.

Scores between 0 and 1: the differences lie between -1 and 1, and their mean is stated as that of scores is
(`tasks/bounded.py`); p is Student's.

p-value of right and wrong: exact. Under "no difference" each group's difference could as well have the other sign; the
distribution of their sum over all signs is convolved, not drawn. For rows that stand alone this is McNemar's exact
test.

T. Tango, Statistics in Medicine 17 (1998) 891. M. Fagerland, S. Lydersen, P. Laake, Statistics in Medicine 33 (2014)
2850. Q. McNemar, Psychometrika 12 (1947) 153.
"""

from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from scipy import special

from tunesmith.decisions.power import variance_under
from tunesmith.tasks import bounded, macro_f1
from tunesmith.tasks.classified import Answers as Labels
from tunesmith.tasks.figures import Answers
from tunesmith.tasks.intervals import BISECTIONS, Booleans, Floats, Integers, spread

MIN_ROWS = 20
PSEUDO = 0.1  # of a pair, to either kind


class Difference(NamedTuple):
    """`a` minus `b`. `variance` is of one row's part in it, and `design` rows count as one independent row.

    `resting`: where rows have scores, and are not simply right or wrong, the share of them that their spread rests on.
    `scale` is what a difference can be at most: 1, or of costs the largest one.
    """

    value: float
    low: float
    high: float
    p: float
    variance: float
    design: float
    resting: float | None = None
    scale: float = 1.0


class Given(Protocol):
    """Answers of a family, which may be none."""

    @property
    def groups(self) -> Integers | None: ...

    @property
    def missing(self) -> Booleans:
        """Without a valid answer."""


def accuracy_difference(a: Answers, b: Answers, level: float) -> Difference | None:
    """None where rows or groups are too few."""
    return share_difference(a.right.astype(np.float64) - b.right, a.groups, level)


def invalid_difference(a: Given, b: Given, level: float) -> Difference | None:
    """By how much fewer rows of `a` are without a valid answer; None where rows or groups are too few."""
    return share_difference(b.missing.astype(np.float64) - a.missing, a.groups, level)


def share_difference(each: Floats, groups: Integers | None, level: float) -> Difference | None:
    """Of two shares, to which a row adds -1, 0 or 1 as in `each`; None where rows or groups are too few."""
    n = len(each)
    found = spread(each, groups, each != 0, level) if n >= MIN_ROWS else None
    if found is None:
        return None
    pairs = np.array([np.sum(each > 0), np.sum(each < 0), n]) / found.deff
    low, high = _limits(float(pairs[0]), float(pairs[1]), float(pairs[2]), found.t)
    value = float(each.mean())
    wins, losses = np.sum(each > 0) + PSEUDO, np.sum(each < 0) + PSEUDO
    variance = (wins + losses) / (n + 2 * PSEUDO) - ((wins - losses) / (n + 2 * PSEUDO)) ** 2
    return Difference(value, low, high, sign_flip_p(each, groups), float(variance), found.deff)


def score_difference(a: Answers, b: Answers, level: float, *, metric: str) -> Difference | None:
    """None where rows or groups are too few."""
    each = a.scores(metric) - b.scores(metric)
    found = bounded.mean((each + 1) / 2, a.groups, level)
    if found is None:
        return None
    value, variance = float(each.mean()), 4 * found.variance
    low, high = min(2 * found.low - 1, value), max(2 * found.high - 1, value)
    count = len(each) if a.groups is None else len(np.unique(a.groups))
    error = np.sqrt(variance * found.design / len(each))
    p = 2 * float(special.stdtr(count - 1, -abs(value) / error)) if error > 0 else 1.0
    return Difference(value, low, high, p, variance, found.design, found.resting * found.design / len(each))


def cost_difference(a: Labels, b: Labels, level: float) -> Difference | None:
    """By how much `a` costs less than `b`, in the unit of the costs; None where rows or groups are too few."""
    spared, largest = score_difference(a, b, level, metric="costs_spared"), a.largest_cost
    if spared is None:
        return None
    value, low, high = (largest * each for each in (spared.value, spared.low, spared.high))
    return spared._replace(value=value, low=low, high=high, variance=largest**2 * spared.variance, scale=largest)


def macro_f1_difference(a: Labels, b: Labels, level: float) -> Difference | None:
    """None where rows, groups or the rows of a label are too few."""
    if macro_f1.missing_rows(a.expected):
        return None
    first, second = (macro_f1.linearise(each.expected, each.answered, each.labels) for each in (a, b))
    influence = first.influence - second.influence
    n = len(influence)
    found = spread(influence, a.groups, a.answered != b.answered, level)
    if found is None:
        return None
    value = first.value - second.value
    centre = value - (first.bias - second.bias)
    variance = float(np.sum(influence**2))
    rows = first.rows
    discordant = max(rows * (variance * rows + centre**2), rows * abs(centre))
    wins, losses = (discordant + rows * centre) / 2, (discordant - rows * centre) / 2
    low, high = _limits(wins / found.deff, losses / found.deff, rows / found.deff, found.t)
    variance += 2 * PSEUDO / rows**2
    p = 2 * float(special.ndtr(-abs(centre) / np.sqrt(variance * found.deff)))
    return Difference(value, min(low, value), max(high, value), p, variance * n, found.deff)


def _limits(wins: float, losses: float, rows: float, quantile: float) -> tuple[float, float]:
    return tango(wins + PSEUDO, losses + PSEUDO, rows + 2 * PSEUDO, quantile)


@lru_cache(maxsize=1 << 12)
def tango(wins: float, losses: float, rows: float, quantile: float) -> tuple[float, float]:
    """Tango's limits for (wins - losses) / rows; counts may be any numbers from 0 with wins + losses ≤ rows.

    Remembered: a verdict asks for the same limits several times.
    """
    difference = (wins - losses) / rows

    def score(true: float) -> float:
        """How many standard errors the difference lies above `true`."""
        return float((difference - true) / np.sqrt(variance_under(true, wins, losses, rows) / rows))

    def solve(low: float, high: float, target: float) -> float:
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            low, high = (middle, high) if score(middle) > target else (low, middle)
        return (low + high) / 2

    return solve(-1.0, difference, quantile), solve(difference, 1.0, -quantile)


def sign_flip_p(each: Floats, groups: Integers | None) -> float:
    """Two-sided exact p of a sum of whole numbers, were every group's sum as likely of either sign."""
    sums = each if groups is None else np.bincount(groups, weights=each)
    sizes, counts = np.unique(np.abs(np.rint(sums)).astype(np.int64), return_counts=True)
    found = tuple((size, number) for size, number in zip(sizes.tolist(), counts.tolist(), strict=True) if size)
    return _sign_flip_p(found, abs(round(float(sums.sum()))))


@lru_cache(maxsize=1 << 12)
def _sign_flip_p(found: tuple[tuple[int, int], ...], seen: int) -> float:
    """`found` are the sizes of the groups' sums, with how many there are of each."""
    chances = np.ones(1)  # of every sum from -total to total
    for size, count in found:
        heads = np.arange(count + 1)
        terms = special.gammaln(count + 1) - special.gammaln(heads + 1) - special.gammaln(count - heads + 1)
        spaced = np.zeros(2 * size * count + 1)
        spaced[:: 2 * size] = np.exp(terms - count * np.log(2))
        chances = np.convolve(chances, spaced)
    total = (len(chances) - 1) // 2
    extreme = np.abs(np.arange(-total, total + 1)) >= seen
    return min(1.0, float(chances[extreme].sum()))

"""The figures of a probe: by how much a fine-tune is worse, with intervals, and what that makes of it.

A fault has to be shown: many figures are looked at, and a sound fine-tune is to be left alone. So a figure is faulty
where its interval at LEVEL lies wholly above what is tolerable, with LEVEL so strict that all FIGURES together call a
sound fine-tune faulty at most 1 time in 40 (Bonferroni; the error is on one side). Soundness is a claim of its own,
non-inferiority at 95 %. What lies between is open.

Means of scores from 0 to 1, and of their differences, have the interval of `tasks/bounded.py`; differences of nats that
of Student's t. The share of pairs that are told apart (the area under the ROC curve) has the variance of E. DeLong, D.
DeLong, D. Clarke-Pearson, Biometrics 44 (1988) 837, on the logit scale.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import special, stats

from tunesmith.core.diagnosis import Finding, Probed
from tunesmith.core.scorecard import LEVEL as SAID
from tunesmith.core.scorecard import Estimate
from tunesmith.core.units import count
from tunesmith.tasks import bounded, intervals
from tunesmith.tasks.intervals import Booleans, Floats, Integers

FIGURES = 26  # that are looked at, four suites of the user's own among them
LEVEL = 1 - (1 - SAID) / FIGURES
LEAST = 20  # rows, or items

At = Callable[[float], tuple[float, float, float] | None]  # level → value, low, high; None: too few


class Scores(NamedTuple):
    """What rows score, from 0 to 1, and which of them belong together."""

    each: Floats
    groups: Integers | None = None

    def of(self, rows: Booleans) -> "Scores":
        """Of these rows alone."""
        return Scores(self.each[rows], None if self.groups is None else intervals.together(self.groups[rows]))


def mean(scores: Scores) -> At:
    def at(level: float) -> tuple[float, float, float] | None:
        found = bounded.mean(scores.each, scores.groups, level)
        return found and (found.value, found.low, found.high)

    return at


def loss(before: Scores, after: Scores) -> At:
    """By how much the mean falls from `before` to `after`, of the same rows."""
    half = (before.each - after.each + 1) / 2

    def at(level: float) -> tuple[float, float, float] | None:
        found = bounded.mean(half, before.groups, level)
        return found and (2 * found.value - 1, 2 * found.low - 1, 2 * found.high - 1)

    return at


def excess(one: Scores, other: Scores, share: float) -> At:
    """By how much the mean of `one` lies above that of `other`, of different rows, times the `share` of the first.

    The limits of both are combined as R. Newcombe has it (Statistics in Medicine 17 (1998) 873, method 10).
    """

    def at(level: float) -> tuple[float, float, float] | None:
        first, second = mean(one)(level), mean(other)(level)
        if first is None or second is None:
            return None
        (a, a_low, a_high), (b, b_low, b_high) = first, second
        below, above = np.hypot(a - a_low, b_high - b), np.hypot(a_high - a, b - b_low)
        return share * (a - b), share * float(a - b - below), share * float(a - b + above)

    return at


def rise(each: Floats) -> At:
    """The mean of unbounded differences of rows that stand alone: Student's t."""

    def at(level: float) -> tuple[float, float, float] | None:
        if len(each) < LEAST:
            return None
        value = float(each.mean())
        half = float(special.stdtrit(len(each) - 1, 0.5 + level / 2) * each.std(ddof=1) / np.sqrt(len(each)))
        return value, value - half, value + half

    return at


def told_apart(high: Floats, low: Floats) -> At:
    """How often one of `high` is above one of `low`, ties by half."""

    def at(level: float) -> tuple[float, float, float] | None:
        if min(len(high), len(low)) < LEAST:
            return None
        ranks = stats.rankdata(np.concatenate([high, low]))
        above = (ranks[: len(high)] - stats.rankdata(high)) / len(low)  # of each of `high`, the share that it is above
        below = 1 - (ranks[len(high) :] - stats.rankdata(low)) / len(high)
        value = float(above.mean())
        if not 0 < value < 1:  # told apart without exception: as if one pair of each were not
            value = (value * len(high) * len(low) + 0.5) / (len(high) * len(low) + 1)
        variance = float(above.var(ddof=1) / len(high) + below.var(ddof=1) / len(low))
        least = value * (1 - value) / (len(high) * len(low))
        half = special.ndtri(0.5 + level / 2) * np.sqrt(max(variance, least)) / (value * (1 - value))
        middle = special.logit(value)
        return value, float(special.expit(middle - half)), float(special.expit(middle + half))

    return at


def estimate(at: At | None, n: int) -> Estimate:
    found = at(SAID) if at else None
    if found is None:
        return Estimate(value=None, n=n)
    value, low, high = found
    return Estimate(value=value, low=low, high=high, n=n)


def share(hits: Any, groups: Integers | None = None) -> Estimate:
    """Of rows that are right or wrong."""
    found = intervals.proportion(np.asarray(hits, np.bool_), groups)
    return estimate(lambda _: found, len(hits))


def probed(probe: str, figure: str, harm: At, n: int, margin: float, **more: Any) -> Probed:
    """`harm` held against what is tolerable; `more` are the other fields."""
    return Probed(
        probe=probe,
        figure=figure,
        harm=estimate(harm, n),
        margin=margin,
        level=LEVEL,
        state=_state(harm, margin),
        **more,
    )


def not_asked(probe: str, figure: str, why: str) -> Probed:
    return Probed(probe=probe, figure=figure, state="not asked", note=why)


def noted(*said: str) -> str:
    """In one note, without what is empty."""
    return "; ".join(filter(None, said))


def missing(number: int) -> str:
    """A note; empty where none is missing."""
    return f"{count(number, 'row')} could not be asked" if number else ""


def _state(harm: At, margin: float) -> Finding:
    said, strictly = harm(SAID), harm(LEVEL)
    if said is None or strictly is None:
        return "open"
    if strictly[1] > margin:
        return "faulty"
    return "sound" if said[2] <= margin else "open"

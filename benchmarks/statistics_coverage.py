"""How often the intervals that Tunesmith shows hold the true value: one case for each figure, number and kind of rows.

`n` counts rows that stand alone, or groups: what is independent. Sets for which a figure reads "too few" show no
interval and do not count; a case of which fewer than MIN_SHOWN do is left out. A case is met where coverage is at least
93 %, and from 500 on at most 97 %, give or take two standard errors of the simulation itself.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from statistics_rows import POPULATION, Rows, labels, rows, skewed
from tunesmith.decisions import paired
from tunesmith.decisions.judged import corrected
from tunesmith.decisions.resampled import Summed, summed_difference
from tunesmith.tasks import bounded, calibration, intervals, macro_f1, ratio
from tunesmith.tasks.classified import Answers
from tunesmith.tasks.intervals import Floats

LEAST, MOST, MANY = 93.0, 97.0, 500
MIN_SHOWN = 200  # intervals of a case
LEVEL = 0.95
SIZES, QUICK_SIZES = (30, 100, 500, 2000, 5000), (30, 500)
GROUPS = (30, 100, 500, 1000)

Interval = tuple[float, float] | None
Draw = Callable[[np.random.Generator, int], Interval]


class Case(NamedTuple):
    """`interval` draws one set of `n` rows and gives its interval; `truth` is what it should hold.

    `most` is 100 of a median among ties: it is a value that many rows have, which a closed interval holds more often.
    """

    name: str
    truth: float
    interval: Draw
    sizes: Sequence[int] = SIZES
    most: float = MOST


def measure(case: Case, n: int, repetitions: int) -> dict[str, Any] | None:
    dice = np.random.default_rng(n)
    found = [case.interval(dice, n) for _ in range(repetitions)]
    shown = [each for each in found if each is not None]
    if len(shown) < min(MIN_SHOWN, repetitions // 5):
        return None
    covered = 100 * float(np.mean([low <= case.truth <= high for low, high in shown]))
    error = 2 * np.sqrt(covered * (100 - covered) / len(shown))
    met = covered + error >= LEAST and (n < MANY or covered - error <= case.most)
    return {
        "name": f"coverage, {case.name}, {n:,} {'groups' if 'grouped' in case.name else 'rows'}",
        "value": round(covered, 1),
        "unit": "%",
        "against": None,
        "ratio": None,
        "goal": f"{LEAST:g} to {case.most:g}" if n >= MANY else f"at least {LEAST:g}",
        "met": bool(met),
        "shown": round(100 * len(shown) / repetitions, 1),
    }


def cases() -> Iterator[Case]:
    """Every figure that a scorecard or a verdict shows with an interval."""
    for share in (0.5, 0.8, 0.95, 0.99):
        yield Case(f"accuracy of {share:.0%}", share, _accuracy(share))
    yield Case("accuracy of 80%, grouped", 0.8, _accuracy(0.8, grouped=True), GROUPS)
    yield Case("macro F1, skewed labels", _macro_f1_truth(0.85), _macro_f1(0.85))
    yield Case("macro F1, skewed labels, grouped", _macro_f1_truth(0.85), _macro_f1(0.85, grouped=True), GROUPS)
    for name, scores in SCORES.items():
        yield Case(f"mean of scores, {name}", _mean_truth(scores), _mean(scores))
    yield Case("mean of scores, tied, grouped", _mean_truth(_tied), _mean(_tied, grouped=True), GROUPS)
    yield Case("F1 over fields", _field_truth(), _field_f1())
    yield Case("F1 over fields, grouped", _field_truth(), _field_f1(grouped=True), GROUPS)
    yield Case("median of ratios", 1.0, _median(9))
    yield Case("median of ratios, tied", 1.0, _median(2), most=100.0)
    yield Case("calibration error", _calibration_truth(), _calibration_error, SIZES[2:])
    yield Case("95th percentile of latency", float(np.exp(1.6448536)), _latency, (100,))
    yield Case("mean corrected for a lenient judge", 0.9, _judged, (50, 100, 500, 2000))
    yield from differences()


def differences() -> Iterator[Case]:
    for alike, kind in ((0.7, ""), (0.97, ", hardly different")):
        yield Case(f"difference of accuracy{kind}", 0.05, _accuracy_difference(0.85, 0.8, alike))
    yield Case("difference of accuracy, grouped", 0.05, _accuracy_difference(0.85, 0.8, 0.7, grouped=True), GROUPS)
    yield Case("difference of invalid answers", 0.01, _accuracy_difference(0.99, 0.98, 0.5))
    macro = _macro_f1_truth(0.88) - _macro_f1_truth(0.82)
    yield Case("difference of macro F1, skewed labels", macro, _macro_f1_difference())
    ahead = _mean_truth(_tied) - _mean_truth(_failing)
    yield Case("difference of scores, tied", ahead, _score_difference())
    yield Case("difference of scores, grouped", ahead, _score_difference(grouped=True), GROUPS)
    ahead = _field_truth(0.9) - _field_truth(0.86)
    yield Case("difference of F1 over fields", ahead, _field_difference())
    yield Case("difference of F1 over fields, grouped", ahead, _field_difference(grouped=True), GROUPS)


def _ends(found: Any) -> Interval:
    """Low and high of what the product's functions give: a triple, or a record of that order."""
    return None if found is None else (float(found[1]), float(found[2]))


def _accuracy(share: float, *, grouped: bool = False) -> Draw:
    @cache
    def alone(hits: int, n: int) -> Interval:
        return _ends(intervals.proportion(np.arange(n) < hits, None))

    def interval(dice: np.random.Generator, n: int) -> Interval:
        if not grouped:
            return alone(int(dice.binomial(n, share)), n)
        drawn = rows(dice, n, 1, grouped=True)
        return _ends(intervals.proportion(drawn.luck[:, 0] < share, intervals.together(drawn.groups)))

    return interval


LABELS = skewed(6)


def _answers(drawn: Rows, share: float, column: int = 1) -> Answers:
    """Right with a chance of `share`; what is wrong falls to any label by its frequency, now and then to none."""
    expected = labels(drawn.luck[:, 0], LABELS)
    luck = drawn.luck[:, column]
    other = labels((luck - share) / (1 - share), np.append(LABELS * 0.95, 0.05))
    answered = np.where(luck < share, expected, other)
    return Answers(expected, answered, intervals.together(drawn.groups), len(LABELS))


@cache
def _macro_f1_truth(share: float) -> float:
    each = _answers(rows(np.random.default_rng(1), POPULATION, 2), share)
    return macro_f1.linearise(each.expected, each.answered, each.labels).value


def _macro_f1(share: float, *, grouped: bool = False) -> Draw:
    def interval(dice: np.random.Generator, n: int) -> Interval:
        each = _answers(rows(dice, n, 2, grouped=grouped), share)
        return _ends(macro_f1.estimate(each.expected, each.answered, each.labels, each.groups))

    return interval


def _even(luck: Floats) -> Floats:
    return np.asarray(1 - luck**3)


def _tied(luck: Floats) -> Floats:
    """A third score 1, the rest spread."""
    return np.minimum(0.4 + 0.9 * luck, 1.0)


def _failing(luck: Floats) -> Floats:
    """Alike but for failures in twenty."""
    return np.where(luck < 0.05, 0.0, 0.7 + 0.2 * luck)


SCORES = {"skewed": _even, "tied": _tied, "with failures": _failing}


@cache
def _mean_truth(scores: Callable[[Floats], Floats]) -> float:
    return float(scores((np.arange(POPULATION) + 0.5) / POPULATION).mean())


def _mean(scores: Callable[[Floats], Floats], *, grouped: bool = False) -> Draw:
    def interval(dice: np.random.Generator, n: int) -> Interval:
        drawn = rows(dice, n, 1, grouped=grouped)
        return _ends(bounded.mean(scores(drawn.luck[:, 0]), intervals.together(drawn.groups)))

    return interval


def _fields(drawn: Rows, right: float, column: int = 1) -> Floats:
    """Above and below the line of F1: one to six fields, partly right or wrong together; 3 % of the rows fail."""
    size = np.floor(1 + 6 * drawn.luck[:, 0])
    hits = np.floor(size * np.clip(right + 0.25 * (drawn.luck[:, column] - 0.5), 0, 1) + drawn.luck[:, column + 1])
    hits = np.where(drawn.luck[:, column] < 0.03, 0.0, np.minimum(hits, size))
    return np.stack([2 * hits, size + np.where(hits > 0, size, 0.0)], axis=1)


def _over(sums: Floats) -> Floats:
    return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1e-9))


@cache
def _field_truth(right: float = 0.9) -> float:
    return float(_over(_fields(rows(np.random.default_rng(2), POPULATION, 3), right).sum(axis=0)))


def _field_f1(*, grouped: bool = False) -> Draw:
    def interval(dice: np.random.Generator, n: int) -> Interval:
        drawn = rows(dice, n, 3, grouped=grouped)
        over, under = _fields(drawn, 0.9).T
        return _ends(ratio.estimate(over, under, intervals.together(drawn.groups)))

    return interval


def _median(digits: int) -> Draw:
    def interval(dice: np.random.Generator, n: int) -> Interval:
        return _ends(intervals.median(np.round(dice.lognormal(sigma=0.3, size=n), digits), None))

    return interval


def _latency(dice: np.random.Generator, n: int) -> Interval:
    return _ends(intervals.quantile(np.exp(dice.standard_normal(n)), 0.95))


def _judged(dice: np.random.Generator, n: int) -> Interval:
    """`n` of ten times as many rows are labelled; the judge takes a third of the wrong ones for right."""
    good = dice.random(10 * n) < 0.9
    judge = good | (dice.random(10 * n) < 1 / 3)
    people = np.full(10 * n, np.nan)
    people[:n] = good[:n]
    found = corrected(judge.astype(np.float64), people, None)
    return None if found is None else (found.low, found.high)


def _said(luck: Floats) -> tuple[Floats, Floats]:
    """What a candidate says of its sureness, and how often it is right: six points too sure at the top."""
    said = 0.5 + 0.5 * luck**0.5
    return said, said - 0.12 * (said - 0.5)


@cache
def _calibration_truth() -> float:
    said, right = _said((np.arange(POPULATION) + 0.5) / POPULATION)
    place = np.minimum((said * calibration.BINS).astype(int), calibration.BINS - 1)
    return float(sum(abs(np.sum((said - right)[place == each])) for each in range(calibration.BINS)) / POPULATION)


def _calibration_error(dice: np.random.Generator, n: int) -> Interval:
    said, right = _said(dice.random(n))
    return _ends(calibration.estimate(said, dice.random(n) < right, None))


def _pair(drawn: Rows, a: float, b: float, alike: float) -> tuple[Answers, Answers]:
    """Two candidates; a share `alike` of the rows is as hard for both."""
    luck = np.where(drawn.luck[:, 2] < alike, drawn.luck[:, 0], drawn.luck[:, 1])
    groups = intervals.together(drawn.groups)
    expected = np.zeros(len(luck), np.int64)
    sides = [(drawn.luck[:, 0], a), (luck, b)]
    first, second = (Answers(expected, (luck >= share).astype(np.int64), groups, 2) for luck, share in sides)
    return first, second


def _accuracy_difference(a: float, b: float, alike: float, *, grouped: bool = False) -> Draw:
    def interval(dice: np.random.Generator, n: int) -> Interval:
        return _ends(paired.accuracy_difference(*_pair(rows(dice, n, 3, grouped=grouped), a, b, alike), LEVEL))

    return interval


def _macro_f1_difference() -> Draw:
    def interval(dice: np.random.Generator, n: int) -> Interval:
        drawn = rows(dice, n, 4)
        drawn.luck[:, 2] = np.where(drawn.luck[:, 3] < 0.7, drawn.luck[:, 1], drawn.luck[:, 2])
        return _ends(paired.macro_f1_difference(_answers(drawn, 0.88), _answers(drawn, 0.82, 2), LEVEL))

    return interval


class _Scored(NamedTuple):
    """Answers of which only the scores are looked at."""

    each: Floats
    groups: Any

    def scores(self, metric: str) -> Floats:
        return self.each


def _score_difference(*, grouped: bool = False) -> Draw:
    def interval(dice: np.random.Generator, n: int) -> Interval:
        drawn = rows(dice, n, 3, grouped=grouped)
        groups = intervals.together(drawn.groups)
        second = np.where(drawn.luck[:, 2] < 0.5, drawn.luck[:, 0], drawn.luck[:, 1])
        sides = _Scored(_tied(drawn.luck[:, 0]), groups), _Scored(_failing(second), groups)
        return _ends(paired.score_difference(*sides, LEVEL, metric="chrf"))  # type: ignore[arg-type]

    return interval


def _field_difference(*, grouped: bool = False) -> Draw:
    def interval(dice: np.random.Generator, n: int) -> Interval:
        drawn = rows(dice, n, 6, grouped=grouped)
        alike = drawn.luck[:, 5] < 0.6
        for column in (1, 2):
            drawn.luck[:, column + 2] = np.where(alike, drawn.luck[:, column], drawn.luck[:, column + 2])
        sides = Summed(_fields(drawn, 0.9), _fields(drawn, 0.86, 3), _over)
        return _ends(summed_difference(sides, intervals.together(drawn.groups), LEVEL))

    return interval

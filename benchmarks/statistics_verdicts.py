"""How often verdicts err, and whether plans hold: `decide` itself, on made-up answers whose true accuracy is known.

False ships: nothing improved, or not by more than `min_effect`, and it ships all the same; at most 5 %, also over ten
fine-tunes judged one after the other on the same rows. Power: on as many rows as `rows_needed` asks for, it ships (or a
guard is shown to hold) in 80 of 100 sets, give or take 5 points.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from statistics_rows import rows
from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Estimate, Scorecard
from tunesmith.decisions.comparison import Evaluated
from tunesmith.decisions.guards import guards_of
from tunesmith.decisions.judgement import decide
from tunesmith.decisions.power import rows_needed
from tunesmith.decisions.section import RulesSection
from tunesmith.tasks import intervals
from tunesmith.tasks.classified import Answers as Labels
from tunesmith.tasks.intervals import Booleans
from tunesmith.tasks.spec import Task

TASK = Task(family="classification", prompt="", labels=("a", "b"))
MOST_FALSE, POWER, OFF = 5.0, 80.0, 5.0
ALIKE = 0.7  # of the rows are as hard for every candidate
MANY = 10  # baselines, fine-tunes


def cases(repetitions: int, *, quick: bool) -> Iterator[dict[str, Any]]:
    for n in (200,) if quick else (50, 200, 1000):
        yield false_ships(f"one baseline, {n:,} rows", repetitions, n)
    yield false_ships("ten baselines, 200 rows", repetitions, 200, baselines=MANY)
    yield false_ships("grouped, 300 rows", repetitions, 300, grouped=True)
    yield false_ships("a gain of min_effect alone, 200 rows", repetitions, 200, gain=0.02)
    yield false_ships("any gain asked for, 200 rows", repetitions, 200, min_effect=0.0)
    yield repeated_looks(repetitions, 200)
    yield false_guards(repetitions, 300)
    for difference, discordant in ((0.12, 0.2),) if quick else ((0.07, 0.12), (0.12, 0.2), (0.08, 0.3)):
        yield power(repetitions, difference, discordant)
    yield guard_power(repetitions)


@lru_cache(maxsize=8)
def _rows(n: int, groups: tuple[int, ...] | None) -> tuple[Example, ...]:
    return tuple(
        Example(
            messages=(Message(role="user", content=f"row {place}"),),
            expected=TASK.labels[place % 2],
            group=None if groups is None else str(groups[place]),
        )
        for place in range(n)
    )


@lru_cache(maxsize=8)
def _answers(n: int) -> tuple[tuple[Prediction, ...], ...]:
    """Of every row: the right answer, a wrong one, none."""
    examples = _rows(n, None)
    right = tuple(Prediction(example=each.id, state="ok", output=each.expected) for each in examples)
    other = {"a": "b", "b": "a"}
    wrong = tuple(Prediction(example=each.id, state="ok", output=other[each.expected]) for each in examples)
    return right, wrong, tuple(Prediction(example=each.id, state="invalid") for each in examples)


def _candidate(name: str, kind: Sequence[int], groups: tuple[int, ...] | None) -> Evaluated:
    """`kind` of each row: 0 right, 1 wrong, 2 no valid answer."""
    n, answers = len(kind), _answers(len(kind))
    share = Estimate(value=float(np.mean(np.asarray(kind) == 0)), n=n)
    card = Scorecard(
        candidate=name,
        kind="made",
        candidate_digest=name,
        eval_set="rows",
        eval_version=1,
        rows=n,
        metrics={"accuracy": share, "macro_f1": share},
        slices={},
        states={},
        cost=0.0,
        cost_per_success=None,
        seconds=1.0,
        tokens_in=0,
        tokens_out=0,
    )
    predictions = tuple(answers[each][place] for place, each in enumerate(kind))
    made = Evaluated(task=TASK, scorecard=card, predictions=predictions, examples=_rows(n, groups))
    expected = np.arange(n) % 2
    said = np.choose(np.asarray(kind), [expected, 1 - expected, 2])
    together = None if groups is None else intervals.together(np.asarray(groups))
    made.__dict__["answers"] = Labels(expected, said, together, 2)  # what it would make of the rows, one by one
    return made


def _drawn(
    dice: np.random.Generator, n: int, accuracies: Sequence[float], *, grouped: bool = False
) -> tuple[list[Booleans], tuple[int, ...] | None]:
    """Which rows each candidate answers rightly."""
    made = rows(dice, n, 2 * len(accuracies) + 1, grouped=grouped)
    hard = made.luck[:, 0]
    right = [
        np.where(made.luck[:, 2 * place + 1] < ALIKE, hard, made.luck[:, 2 * place + 2]) < each
        for place, each in enumerate(accuracies)
    ]
    return right, None if made.groups is None else tuple(made.groups.tolist())


def false_ships(
    name: str,
    repetitions: int,
    n: int,
    *,
    baselines: int = 1,
    gain: float = 0.0,
    min_effect: float = 0.02,
    grouped: bool = False,
) -> dict[str, Any]:
    """The fine-tune is better by `gain`, which is no more than asked for."""
    dice, rules = np.random.default_rng(n), RulesSection(min_effect=min_effect)
    shipped = 0
    for _ in range(repetitions):
        right, groups = _drawn(dice, n, [0.8 + gain, *[0.8] * baselines], grouped=grouped)
        made = [_candidate(f"c{place}", (~each).astype(int).tolist(), groups) for place, each in enumerate(right)]
        shipped += decide(made[0], made[1:], rules).verdict == "ship"
    return _false(f"false ships, {name}", shipped, repetitions)


def repeated_looks(repetitions: int, n: int) -> dict[str, Any]:
    """Ten fine-tunes one after the other, each judged as the next attempt; any of them ships."""
    dice, rules = np.random.default_rng(n), RulesSection(min_effect=0.0)
    shipped = 0
    for _ in range(repetitions):
        right, _ = _drawn(dice, n, [0.8] * (MANY + 1))
        base, *tuned = [_candidate(f"c{place}", (~each).astype(int).tolist(), None) for place, each in enumerate(right)]
        shipped += any(
            decide(each, [base], rules, attempt=attempt).verdict == "ship" for attempt, each in enumerate(tuned, 1)
        )
    return _false(f"false ships, any of ten fine-tunes judged in turn, {n:,} rows", shipped, repetitions)


def false_guards(repetitions: int, n: int) -> dict[str, Any]:
    """A large gain, but the fine-tune leaves 3 % more rows without an answer, which is just the margin."""
    dice, rules = np.random.default_rng(n), RulesSection(guards={"invalid_rate": 0.03})
    shipped = 0
    for _ in range(repetitions):
        right, _ = _drawn(dice, n, [0.95, 0.7])
        luck = dice.random(n)
        tuned = np.where(luck < 0.04, 2, ~right[0]).tolist()
        base = np.where(luck > 0.99, 2, ~right[1]).tolist()
        shipped += decide(_candidate("tuned", tuned, None), [_candidate("base", base, None)], rules).verdict == "ship"
    return _false(f"false ships past a guard at its margin, {n:,} rows", shipped, repetitions)


def power(repetitions: int, difference: float, discordant: float) -> dict[str, Any]:
    """Ships on as many rows as were asked for, where the truth is what was assumed."""
    n = rows_needed(difference, discordant - difference**2, min_effect=0.02)
    assert n is not None
    dice, rules = np.random.default_rng(n), RulesSection()
    shares = [(discordant + difference) / 2, (discordant - difference) / 2, (1 - discordant) * 0.8]
    shipped = 0
    for _ in range(repetitions):
        kind = np.searchsorted(np.cumsum(shares), dice.random(n))  # a alone, b alone, both, neither
        a, b = (np.isin(kind, wrong).astype(int).tolist() for wrong in ((1, 3), (0, 3)))
        shipped += decide(_candidate("a", a, None), [_candidate("b", b, None)], rules).verdict == "ship"
    name = f"power, {difference * 100:.0f} points where {discordant * 100:.0f} % of rows differ, {n:,} rows"
    return _planned(name, shipped, repetitions)


def guard_power(repetitions: int) -> dict[str, Any]:
    """A guard is shown to hold on as many rows as were asked for, where nothing became worse."""
    discordant, margin = 0.04, 0.02
    n = rows_needed(0.0, discordant, min_effect=-margin)
    assert n is not None
    dice, rules = np.random.default_rng(n), RulesSection(guards={"invalid_rate": margin})
    kept = 0
    for _ in range(repetitions):
        kind = np.searchsorted([discordant / 2, discordant], dice.random(n))
        a, b = (np.where(kind == side, 2, 0).tolist() for side in (0, 1))
        kept += guards_of(_candidate("a", a, None), _candidate("b", b, None), rules, 0.95).kept
    return _planned(f"power of a guard, margin {margin * 100:.0f} points, {n:,} rows", kept, repetitions)


def _false(name: str, seen: int, repetitions: int) -> dict[str, Any]:
    share = 100 * seen / repetitions
    error = 2 * np.sqrt(share * (100 - share) / repetitions)
    return _case(name, share, f"at most {MOST_FALSE:g}", bool(share - error <= MOST_FALSE))


def _planned(name: str, seen: int, repetitions: int) -> dict[str, Any]:
    share = 100 * seen / repetitions
    error = 2 * np.sqrt(share * (100 - share) / repetitions)
    return _case(name, share, f"{POWER - OFF:g} to {POWER + OFF:g}", bool(abs(share - POWER) <= OFF + error))


def _case(name: str, value: float, wanted: str, met: bool) -> dict[str, Any]:
    more = {"against": None, "ratio": None, "goal": wanted, "met": met}
    return {"name": name, "value": round(value, 1), "unit": "%"} | more

"""Two evaluated candidates on the same rows → a comparison; Holm's correction over several."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np

from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.preferred import Preferred
from tunesmith.core.record import Record
from tunesmith.core.scorecard import LEVEL, Scorecard
from tunesmith.core.verdict import Comparison
from tunesmith.decisions.paired import (
    Difference,
    accuracy_difference,
    cost_difference,
    invalid_difference,
    macro_f1_difference,
    score_difference,
)
from tunesmith.decisions.records import field_difference, unsupported_difference
from tunesmith.tasks.base import Family
from tunesmith.tasks.behaviour_figures import Behaved, red_team
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.figures import Answers
from tunesmith.tasks.measures import answers_of
from tunesmith.tasks.own import PREFIX
from tunesmith.tasks.spec import Task

METRICS: dict[str, Callable[[Any, Any, float], Difference | None]] = {
    "accuracy": accuracy_difference,
    "macro_f1": macro_f1_difference,
    "expected_cost": cost_difference,
    "exact_set": accuracy_difference,
    "jaccard": partial(score_difference, metric="jaccard"),
    "exact_match": accuracy_difference,
    "pass_rate": accuracy_difference,
    "record_exact": accuracy_difference,
    "call_exact": accuracy_difference,
    "right_tool": partial(score_difference, metric="right_tool"),
    "behaviour": accuracy_difference,
    **{name: partial(score_difference, metric=name) for name in ("chrf", "bleu", "rouge_l", "similarity")},
    "invalid_rate": invalid_difference,
    "unsupported_rate": unsupported_difference,
    **{name: partial(field_difference, metric=name) for name in ("field_precision", "field_recall", "field_f1")},
    "field_accuracy": partial(score_difference, metric="field_accuracy"),
}
RED_TEAM = "red-team rows"  # the slice of rows that must be refused, escalated or asked about
ROUNDING = 1e-9  # of two scores that are the same


class Evaluated(Record):
    """A candidate's predictions on `examples`, one each and in order, and its scorecard there; `preferred` is what
    people said of it beside others."""

    task: Task
    scorecard: Scorecard
    predictions: tuple[Prediction, ...]
    examples: tuple[Example, ...]
    preferred: tuple[Preferred, ...] = ()

    @property
    def name(self) -> str:
        return self.scorecard.candidate

    @cached_property
    def answers(self) -> Answers:
        return answers_of(self.task, self.examples, self.predictions)

    def by(self, metric: str) -> Answers:
        """The answers as `metric` looks at them."""
        if metric.startswith(PREFIX):
            return self._own
        return self._run if metric == "pass_rate" else self.answers

    @cached_property
    def _own(self) -> Answers:
        return answers_of(self.task, self.examples, self.predictions, PREFIX)

    @cached_property
    def _run(self) -> Answers:
        return answers_of(self.task, self.examples, self.predictions, "pass_rate")

    @cached_property
    def red_team(self) -> Behaved | None:
        return red_team(self.task, self.examples, self.predictions)

    @property
    def family(self) -> Family:
        return FAMILIES[self.task.family]

    @property
    def failures(self) -> int:
        return sum(prediction.state == "failed" for prediction in self.predictions)

    def as_if_failures_were_right(self) -> "Evaluated":
        """The kindest reading of the rows that this candidate never got to answer."""
        kind = [
            each.model_copy(update={"state": "ok", "output": example.expected}) if each.state == "failed" else each
            for example, each in zip(self.examples, self.predictions, strict=True)
        ]
        return Evaluated(
            task=self.task,
            scorecard=self.scorecard,
            predictions=tuple(kind),
            examples=self.examples,
            preferred=self.preferred,
        )


def difference(
    a: Evaluated, b: Evaluated, metric: str, *, level: float = LEVEL, slice: str | None = None
) -> Difference | None:
    """`a` minus `b`, or of costs by how much `a` costs less; None where rows or groups are too few.

    Raises UserError where they answered other rows.
    """
    if a.scorecard.eval_set != b.scorecard.eval_set:
        raise UserError(
            f"{a.name!r} and {b.name!r} were measured on different rows, so they cannot be compared. Measure both on "
            "the eval set as it is now (`tunesmith compare` does)."
        )
    found = METRICS.get(metric) or partial(score_difference, metric=metric)
    return found(_within(a, metric, slice), _within(b, metric, slice), level)


def compare_pairs(
    a: Evaluated, b: Evaluated, metric: str, *, level: float = LEVEL, slice: str | None = None
) -> Comparison | None:
    """`a` minus `b` on all rows or on those of a slice, p not yet corrected; None where rows or groups are too few."""
    found = difference(a, b, metric, level=level, slice=slice)
    if found is None:
        return None
    ahead = _within(a, metric, slice).scores(metric) - _within(b, metric, slice).scores(metric)
    return Comparison(
        a=a.name,
        b=b.name,
        metric=metric,
        difference=found.value,
        low=found.low,
        high=found.high,
        p=found.p,
        n=len(ahead),
        a_only=int(np.sum(ahead > ROUNDING)),
        b_only=int(np.sum(ahead < -ROUNDING)),
        level=level,
        slice=slice,
    )


def holm(ps: Sequence[float]) -> list[float]:
    """p-values corrected for their number (S. Holm, Scandinavian Journal of Statistics 6 (1979) 65)."""
    order = sorted(range(len(ps)), key=lambda place: ps[place])
    corrected = [0.0] * len(ps)
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[place]))
        corrected[place] = largest
    return corrected


def _within(evaluated: Evaluated, metric: str, slice: str | None) -> Answers:
    if slice == RED_TEAM and evaluated.red_team is not None:
        return evaluated.red_team
    answers = evaluated.by(metric)
    if slice is None:
        return answers
    return answers.where(np.array([example.slice == slice for example in evaluated.examples], np.bool_))

"""Sets of labels measured: which labels each row expects and which it was answered with, and the metrics of a set.

A row without a valid answer misses every label that it expects, and is wrong also where it expects none: its Jaccard
is 0, and its Hamming loss is 1. Rows of one `group` count as fewer (`intervals.spread`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tunesmith.core.errors import DataError, nearest
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Estimate, LabelFigures
from tunesmith.tasks import bounded, intervals, macro_f1, ratio
from tunesmith.tasks.base import Aids
from tunesmith.tasks.figures import (
    Measures,
    calibration_error,
    estimate,
    groups_of,
    missing_of,
    share,
    slices_of,
    states_of,
)
from tunesmith.tasks.intervals import Booleans, Floats, Integers
from tunesmith.tasks.label_sets import members
from tunesmith.tasks.spec import Task


class Answers(NamedTuple):
    """`wanted` and `given` have a column for each label. `missing` are the rows without a valid answer."""

    wanted: Booleans
    given: Booleans
    missing: Booleans
    groups: Integers | None

    @property
    def right(self) -> Booleans:
        return np.asarray((self.wanted == self.given).all(axis=1) & ~self.missing)

    def scores(self, metric: str) -> Floats:
        if metric == "exact_set":
            return self.right.astype(np.float64)
        if metric == "hamming_loss":
            return np.where(self.missing, 1.0, (self.wanted != self.given).mean(axis=1))
        assert metric == "jaccard", f"no score of a row: {metric}"
        both, either = (self.wanted & self.given).sum(axis=1), (self.wanted | self.given).sum(axis=1)
        return np.where(self.missing, 0.0, np.where(either == 0, 1.0, both / np.maximum(either, 1)))

    def where(self, rows: Booleans) -> "Answers":
        groups = None if self.groups is None else intervals.together(self.groups[rows])
        return Answers(self.wanted[rows], self.given[rows], self.missing[rows], groups)


def answers_of(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Answers:
    """Raises DataError for a label the task has not."""
    assert [each.example for each in predictions] == [each.id for each in examples], "predictions of other rows"
    number = {label: place for place, label in enumerate(task.labels)}
    wanted = np.zeros((len(examples), len(number)), np.bool_)
    given = np.zeros_like(wanted)
    for row, (example, prediction) in enumerate(zip(examples, predictions, strict=True)):
        for label in members(example.expected):
            if label not in number:
                raise DataError(
                    f"{example.origin or 'Row ' + example.id} expects {label[:60]!r}, which is none of the "
                    f"{len(number)} labels of the task{nearest(label, list(number))}. Correct the row, or add the "
                    "label under [task] labels."
                )
            wanted[row, number[label]] = True
        if prediction.state == "ok" and prediction.output is not None:
            given[row, [number[label] for label in members(prediction.output)]] = True
    return Answers(wanted, given, missing_of(predictions), groups_of(examples))


def measure(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], _: Aids) -> Measures:
    """Raises DataError for a label the task has not."""
    answers = answers_of(task, examples, predictions)
    hits = answers.wanted & answers.given
    macro = macro_f1.estimate_of_sets(answers.wanted, answers.given, answers.groups)
    return Measures(
        metrics={
            **_rates(answers),
            "micro_f1": _ratio(2 * hits, answers.wanted.astype(np.int64) + answers.given, answers),
            "macro_f1": estimate(macro, len(examples)),
            "micro_precision": _ratio(hits, answers.given, answers),
            "micro_recall": _ratio(hits, answers.wanted, answers),
            "hamming_loss": _mean(answers, "hamming_loss"),
            "ece": calibration_error(answers, predictions),
        },
        slices={name: _rates(answers.where(rows)) for name, rows in slices_of(examples)},
        states=states_of(predictions),
        labels={
            label: LabelFigures(
                support=int(answers.wanted[:, place].sum()),
                precision=_share_among(hits[:, place], answers.given[:, place], answers),
                recall=_share_among(hits[:, place], answers.wanted[:, place], answers),
            )
            for place, label in enumerate(task.labels)
        },
    )


def _rates(answers: Answers) -> dict[str, Estimate]:
    return {
        "exact_set": share(answers.right, answers.groups),
        "jaccard": _mean(answers, "jaccard"),
        "invalid_rate": share(answers.missing, answers.groups),
    }


def _mean(answers: Answers, metric: str) -> Estimate:
    found = bounded.mean(answers.scores(metric), answers.groups)
    return estimate(found and (found.value, found.low, found.high), len(answers.missing))


def _ratio(hits: Booleans | Integers, sizes: Booleans | Integers, answers: Answers) -> Estimate:
    over, under = (each.sum(axis=1).astype(np.float64) for each in (hits, sizes))
    return estimate(ratio.estimate(over, under, answers.groups), int(np.sum(under > 0)))


def _share_among(hits: Booleans, rows: Booleans, answers: Answers) -> Estimate:
    groups = None if answers.groups is None else intervals.together(answers.groups[rows])
    return share(hits[rows], groups)

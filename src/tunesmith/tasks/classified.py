"""Classification measured: labels as arrays, and the metrics of a set of them.

Rows of one `group` count as fewer (`intervals.spread`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tunesmith.core.errors import DataError, nearest
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Estimate, LabelFigures
from tunesmith.tasks import intervals, macro_f1
from tunesmith.tasks.figures import Measures, calibration_error, estimate, groups_of, share, slices_of, states_of
from tunesmith.tasks.intervals import Booleans, Floats, Integers
from tunesmith.tasks.spec import Task


class Answers(NamedTuple):
    """Examples and predictions as arrays. `answered` is the number of labels where there is no valid answer."""

    expected: Integers
    answered: Integers
    groups: Integers | None
    labels: int

    @property
    def right(self) -> Booleans:
        return np.asarray(self.expected == self.answered)

    @property
    def missing(self) -> Booleans:
        return np.asarray(self.answered == self.labels)

    def scores(self, metric: str) -> Floats:
        """Of every row: right is 1, whatever the metric makes of it."""
        return self.right.astype(np.float64)

    def where(self, rows: Booleans) -> "Answers":
        groups = None if self.groups is None else intervals.together(self.groups[rows])
        return Answers(self.expected[rows], self.answered[rows], groups, self.labels)


def answers_of(labels: Sequence[str], examples: Sequence[Example], predictions: Sequence[Prediction]) -> Answers:
    assert [each.example for each in predictions] == [each.id for each in examples], "predictions of other rows"
    number = {label: place for place, label in enumerate(labels)}
    for example in examples:
        if example.expected not in number:
            raise DataError(
                f"{example.origin or 'Row ' + example.id} expects {example.expected[:60]!r}, which is none of the "
                f"{len(labels)} labels of the task{nearest(example.expected, list(labels))}. Correct the row, or add "
                "the label under [task] labels."
            )
    outputs = [prediction.output if prediction.state == "ok" else None for prediction in predictions]
    return Answers(
        expected=np.array([number[example.expected] for example in examples], np.int64),
        answered=np.array([number.get(output or "", len(labels)) for output in outputs], np.int64),
        groups=groups_of(examples),
        labels=len(labels),
    )


def measure(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Measures:
    """Raises DataError for a label the task has not."""
    answers = answers_of(task.labels, examples, predictions)
    counts = np.zeros((answers.labels, answers.labels + 1), np.int64)
    np.add.at(counts, (answers.expected, answers.answered), 1)
    return Measures(
        metrics={
            "accuracy": share(answers.right, answers.groups),
            "macro_f1": _macro_f1(answers),
            "invalid_rate": share(answers.missing, answers.groups),
            "ece": calibration_error(answers, predictions),
        },
        slices={name: _of_slice(answers.where(rows)) for name, rows in slices_of(examples)},
        states=states_of(predictions),
        labels=_labels(task.labels, answers, counts),
        confusion_labels=task.labels,
        confusion=tuple(tuple(row) for row in counts.tolist()),
    )


def point(answers: Answers, primary: str) -> float:
    if primary == "macro_f1":
        return macro_f1.linearise(answers.expected, answers.answered, answers.labels).value
    assert primary == "accuracy", f"no point estimate of {primary}"
    return float(answers.right.mean())


def _macro_f1(answers: Answers) -> Estimate:
    found = macro_f1.estimate(answers.expected, answers.answered, answers.labels, answers.groups)
    return estimate(found, len(answers.expected))


def _of_slice(within: Answers) -> dict[str, Estimate]:
    return {
        "accuracy": share(within.right, within.groups),
        "invalid_rate": share(within.missing, within.groups),
    }


def _labels(labels: Sequence[str], answers: Answers, counts: Integers) -> dict[str, LabelFigures]:
    """Precision among the rows answered with a label, recall among the rows that expect it."""
    support, said = counts.sum(axis=1), counts.sum(axis=0)[:-1]
    if answers.groups is None:
        hits = np.diagonal(counts)
        precisions, recalls = _shares(hits, said), _shares(hits, support)
    else:
        each = range(answers.labels)
        precisions = [_right_among(answers.where(answers.answered == label)) for label in each]
        recalls = [_right_among(answers.where(answers.expected == label)) for label in each]
    return {
        label: LabelFigures(support=int(rows), precision=precision, recall=recall)
        for label, rows, precision, recall in zip(labels, support, precisions, recalls, strict=True)
    }


def _shares(hits: Integers, rows: Integers) -> list[Estimate]:
    """Many proportions of rows that stand alone, at once."""
    low, high = intervals.proportions(hits, np.maximum(rows, 1))
    return [
        estimate((x / n, float(a), float(b)) if n >= intervals.MIN_ROWS else None, int(n))
        for x, n, a, b in zip(hits.tolist(), rows.tolist(), low, high, strict=True)
    ]


def _right_among(answers: Answers) -> Estimate:
    return share(answers.right, answers.groups)

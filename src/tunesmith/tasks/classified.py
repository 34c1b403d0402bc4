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
from tunesmith.tasks import bounded, costs, hierarchy, intervals, macro_f1
from tunesmith.tasks.base import Aids
from tunesmith.tasks.figures import Measures, calibration_error, estimate, groups_of, share, slices_of, states_of
from tunesmith.tasks.intervals import Booleans, Floats, Integers
from tunesmith.tasks.spec import Task


class Answers(NamedTuple):
    """Examples and predictions as arrays. `answered` is the number of labels where there is no valid answer; `costs`
    has a row for each expected label and a column for each answered one, in the unit of the task."""

    expected: Integers
    answered: Integers
    groups: Integers | None
    labels: int
    costs: Floats | None = None

    @property
    def right(self) -> Booleans:
        return np.asarray(self.expected == self.answered)

    @property
    def missing(self) -> Booleans:
        return np.asarray(self.answered == self.labels)

    @property
    def largest_cost(self) -> float:
        assert self.costs is not None, "the task names no costs"
        return float(self.costs.max())

    def scores(self, metric: str) -> Floats:
        """Of every row: right is 1; of costs, the share of the largest one that the row spares."""
        if metric in ("expected_cost", "costs_spared"):
            assert self.costs is not None, "the task names no costs"
            return np.asarray(1.0 - self.costs[self.expected, self.answered] / self.largest_cost)
        return self.right.astype(np.float64)

    def where(self, rows: Booleans) -> "Answers":
        groups = None if self.groups is None else intervals.together(self.groups[rows])
        return self._replace(expected=self.expected[rows], answered=self.answered[rows], groups=groups)


def answers_of(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Answers:
    assert [each.example for each in predictions] == [each.id for each in examples], "predictions of other rows"
    labels = task.labels
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
        costs=None if task.costs is None else np.array(costs.table(task.costs, labels)),
    )


def measure(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], _: Aids) -> Measures:
    """Raises DataError for a label the task has not."""
    answers = answers_of(task, examples, predictions)
    counts = np.zeros((answers.labels, answers.labels + 1), np.int64)
    np.add.at(counts, (answers.expected, answers.answered), 1)
    return Measures(
        metrics={
            "accuracy": share(answers.right, answers.groups),
            "macro_f1": _macro_f1(answers),
            "invalid_rate": share(answers.missing, answers.groups),
            "ece": calibration_error(answers, predictions),
            **_costs(answers),
            **({} if task.abstain is None else _abstaining(answers, task.labels.index(task.abstain))),
            **({} if task.hierarchy is None else hierarchy.figures(task.labels, task.hierarchy, *answers[:3])),
        },
        slices={name: _of_slice(answers.where(rows)) for name, rows in slices_of(examples)},
        states=states_of(predictions),
        labels=_labels(task.labels, answers, counts),
        parents={} if task.hierarchy is None else hierarchy.parents(task.labels, task.hierarchy, *answers[:3]),
        confusion_labels=task.labels,
        confusion=tuple(tuple(row) for row in counts.tolist()),
    )


def point(answers: Answers, primary: str) -> float:
    if primary == "macro_f1":
        return macro_f1.linearise(answers.expected, answers.answered, answers.labels).value
    assert primary in ("accuracy", "costs_spared", "expected_cost"), f"no point estimate of {primary}"
    return float(answers.scores(primary).mean())


def _macro_f1(answers: Answers) -> Estimate:
    found = macro_f1.estimate(answers.expected, answers.answered, answers.labels, answers.groups)
    return estimate(found, len(answers.expected))


def _costs(answers: Answers) -> dict[str, Estimate]:
    """What a row costs on average, and the share of the largest cost that is spared."""
    if answers.costs is None:
        return {}
    spared, n = bounded.mean(answers.scores("costs_spared"), answers.groups), len(answers.expected)
    if spared is None:
        return dict.fromkeys(("expected_cost", "costs_spared"), estimate(None, n))
    largest = answers.largest_cost
    cost = [(1 - share) * largest for share in (spared.value, spared.high, spared.low)]
    return {
        "expected_cost": estimate((cost[0], cost[1], cost[2]), n),
        "costs_spared": estimate((spared.value, spared.low, spared.high), n),
    }


def _abstaining(answers: Answers, label: int) -> dict[str, Estimate]:
    """Rows answered with another label than the one that abstains, and right among them; of abstaining, how often it
    is right, and how often it is done where it is."""
    answered = ~answers.missing & (answers.answered != label)
    return {
        "answered_rate": share(answered, answers.groups),
        "answered_accuracy": _right_among(answers.where(answered)),
        "abstain_precision": _right_among(answers.where(answers.answered == label)),
        "abstain_recall": _right_among(answers.where(answers.expected == label)),
    }


def _of_slice(within: Answers) -> dict[str, Estimate]:
    return {
        "accuracy": share(within.right, within.groups),
        "invalid_rate": share(within.missing, within.groups),
        **_costs(within),
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

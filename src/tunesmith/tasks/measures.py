"""What a set of predictions is worth: the metrics of the task's family, each with its 95 % interval or "too few".

Every row counts once: weights steer training, slices show what matters more. A prediction without a valid answer
(`invalid`, `refused`, `failed`) is not right, whatever it says, and is counted for itself as `invalid_rate`. Rows of
one `group` count as fewer (`intervals.spread`).
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tunesmith.core.errors import DataError, nearest
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.record import Record
from tunesmith.core.scorecard import Estimate, LabelFigures
from tunesmith.tasks import calibration, intervals, macro_f1
from tunesmith.tasks.intervals import Booleans, Floats, Integers
from tunesmith.tasks.spec import Task


class Measures(Record):
    """The fields of a scorecard that depend on examples and predictions alone."""

    metrics: dict[str, Estimate]
    slices: dict[str, dict[str, Estimate]]
    labels: dict[str, LabelFigures]
    confusion_labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    states: dict[str, int]


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

    def where(self, rows: Booleans) -> "Answers":
        groups = None if self.groups is None else intervals.together(self.groups[rows])
        return Answers(self.expected[rows], self.answered[rows], groups, self.labels)


def measure(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Measures:
    """Measure `predictions`, one for each of `examples` in order. Raises DataError for a label the task has not."""
    answers = as_arrays(task.labels, examples, predictions)
    counts = np.zeros((answers.labels, answers.labels + 1), np.int64)
    np.add.at(counts, (answers.expected, answers.answered), 1)
    states = Counter(prediction.state for prediction in predictions)
    return Measures(
        metrics={
            "accuracy": _share(answers.right, answers.groups),
            "macro_f1": _macro_f1(answers),
            "invalid_rate": _share(answers.missing, answers.groups),
            "ece": _calibration_error(answers, predictions),
        },
        slices=_slices(answers, examples),
        labels=_labels(task.labels, answers, counts),
        confusion_labels=task.labels,
        confusion=tuple(tuple(row) for row in counts.tolist()),
        states=dict(sorted(states.items())),
    )


def point(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], primary: str) -> float:
    """The primary metric's plain value, however few the rows are: to choose between checkpoints, not to be shown."""
    answers = as_arrays(task.labels, examples, predictions)
    if primary == "macro_f1":
        return macro_f1.linearise(answers.expected, answers.answered, answers.labels).value
    assert primary == "accuracy", f"no point estimate of {primary}"
    return float((answers.expected == answers.answered).mean())


def as_arrays(labels: Sequence[str], examples: Sequence[Example], predictions: Sequence[Prediction]) -> Answers:
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
        groups=_groups(examples),
        labels=len(labels),
    )


def _groups(examples: Sequence[Example]) -> Integers | None:
    """The number of each row's group; a row without one stands alone. None where all do."""
    keys = [example.group if example.group is not None else place for place, example in enumerate(examples)]
    number = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    return intervals.together(np.array([number[key] for key in keys], np.int64))


def _share(hits: Booleans, groups: Integers | None) -> Estimate:
    return _estimate(intervals.proportion(hits, groups), len(hits))


def _macro_f1(answers: Answers) -> Estimate:
    found = macro_f1.estimate(answers.expected, answers.answered, answers.labels, answers.groups)
    return _estimate(found, len(answers.expected))


def _calibration_error(answers: Answers, predictions: Sequence[Prediction]) -> Estimate:
    """Over the rows whose prediction says how sure it is."""
    said = np.array([prediction.confidence is not None for prediction in predictions], np.bool_)
    confidence: Floats = np.array([each.confidence for each in predictions if each.confidence is not None], np.float64)
    groups = None if answers.groups is None else intervals.together(answers.groups[said])
    return _estimate(calibration.estimate(confidence.clip(0, 1), answers.right[said], groups), len(confidence))


def _slices(answers: Answers, examples: Sequence[Example]) -> dict[str, dict[str, Estimate]]:
    names = np.array([example.slice or "" for example in examples], object)
    found = {}
    for name in sorted(set(names) - {""}):
        within = answers.where(names == name)
        found[str(name)] = {
            "accuracy": _share(within.right, within.groups),
            "invalid_rate": _share(within.missing, within.groups),
        }
    return found


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
        _estimate((x / n, float(a), float(b)) if n >= intervals.MIN_ROWS else None, int(n))
        for x, n, a, b in zip(hits.tolist(), rows.tolist(), low, high, strict=True)
    ]


def _right_among(answers: Answers) -> Estimate:
    return _share(answers.right, answers.groups)


def _estimate(found: tuple[float, float, float] | None, n: int) -> Estimate:
    if found is None:
        return Estimate(value=None, n=n)
    value, low, high = found
    return Estimate(value=value, low=low, high=high, n=n)

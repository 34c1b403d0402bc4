"""Figures as a scorecard holds them, of rows that may stand in groups."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol, Self

import numpy as np

from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.record import Record
from tunesmith.core.scorecard import Estimate, FieldFigures, LabelFigures
from tunesmith.tasks import calibration, intervals
from tunesmith.tasks.intervals import Booleans, Floats, Integers


class Measures(Record):
    """The fields of a scorecard that depend on examples and predictions alone."""

    metrics: dict[str, Estimate]
    slices: dict[str, dict[str, Estimate]]
    states: dict[str, int]
    labels: dict[str, LabelFigures] = {}
    parents: dict[str, LabelFigures] = {}
    fields: dict[str, FieldFigures] = {}
    confusion_labels: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    claims: dict[str, Estimate] = {}
    rules: dict[str, Estimate] = {}
    signatures: dict[str, str] = {}


class Answers(Protocol):
    """A candidate's answers to a set of rows, as arrays."""

    @property
    def groups(self) -> Integers | None: ...

    @property
    def right(self) -> Booleans: ...

    def scores(self, metric: str) -> Floats:
        """What each row scores, between 0 and 1."""

    def where(self, rows: Booleans) -> Self: ...


def groups_of(examples: Sequence[Example]) -> Integers | None:
    """The number of each row's group; a row without one stands alone. None where all do."""
    keys = [example.group if example.group is not None else place for place, example in enumerate(examples)]
    number = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    return intervals.together(np.array([number[key] for key in keys], np.int64))


def missing_of(predictions: Sequence[Prediction]) -> Booleans:
    """The rows without a valid answer."""
    return np.array([each.state != "ok" or each.output is None for each in predictions], np.bool_)


def slices_of(examples: Sequence[Example]) -> Iterator[tuple[str, Booleans]]:
    """Every slice by name, and which rows are its own."""
    names = np.array([example.slice or "" for example in examples], object)
    for name in sorted(set(names) - {""}):
        yield str(name), names == name


def states_of(predictions: Sequence[Prediction]) -> dict[str, int]:
    return dict(sorted(Counter(prediction.state for prediction in predictions).items()))


def share(hits: Booleans, groups: Integers | None) -> Estimate:
    return estimate(intervals.proportion(hits, groups), len(hits))


def calibration_error(answers: Answers, predictions: Sequence[Prediction]) -> Estimate:
    """Over the rows whose prediction says how sure it is."""
    said = np.array([prediction.confidence is not None for prediction in predictions], np.bool_)
    confidence: Floats = np.array([each.confidence for each in predictions if each.confidence is not None], np.float64)
    groups = None if answers.groups is None else intervals.together(answers.groups[said])
    return estimate(calibration.estimate(confidence.clip(0, 1), answers.right[said], groups), len(confidence))


def estimate(found: tuple[float, float, float] | None, n: int) -> Estimate:
    """`found` is value, low and high; None where there are too few rows to say."""
    if found is None:
        return Estimate(value=None, n=n)
    value, low, high = found
    return Estimate(value=value, low=low, high=high, n=n)

"""Extraction measured: every field of every row, and the metrics of a set of them.

A field is right where its value is the expected one, or both are absent. A wrong value counts against precision and
recall, one that was not expected against precision, one that is missing against recall; of a row without a valid answer
every field is missing. A record is exact where all its fields are right. Fields "apart" count for neither.

A value is unsupported where it is wrong, no choice among a few, and does not stand in the input (`grounding`).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Estimate, FieldFigures
from tunesmith.tasks import bounded, intervals, ratio
from tunesmith.tasks.base import Aids
from tunesmith.tasks.comparing import absent, levelled, same
from tunesmith.tasks.extraction import BREAKS
from tunesmith.tasks.figures import Measures, estimate, groups_of, share, slices_of, states_of
from tunesmith.tasks.grounding import stands_in
from tunesmith.tasks.intervals import Booleans, Floats, Integers
from tunesmith.tasks.records import NO_JSON, NO_OBJECT, Field, value_at
from tunesmith.tasks.records import parsed as record_of
from tunesmith.tasks.similarity import similarity
from tunesmith.tasks.spec import Task

KEPT = 1 << 14  # pairs of records whose comparison is remembered


class Answers(NamedTuple):
    """`right`, `wanted` and `given` have a column for each field: whether it is right, expected, answered.

    `counted` says which fields belong to the record. `missing` are the rows without a valid answer.
    """

    fields: Booleans
    wanted: Booleans
    given: Booleans
    unsupported: Booleans
    counted: Booleans
    missing: Booleans
    groups: Integers | None

    @property
    def right(self) -> Booleans:
        return np.asarray(self.fields[:, self.counted].all(axis=1) & ~self.missing)

    def scores(self, metric: str) -> Floats:
        if metric == "record_exact":
            return self.right.astype(np.float64)
        assert metric == "field_accuracy", f"no score of a row: {metric}"
        return np.where(self.missing, 0.0, self.fields[:, self.counted].mean(axis=1))

    def sums(self, metric: str) -> Floats:
        """What each row adds above and below the line of a ratio over fields, (rows, 2)."""
        hits = (self.fields & self.wanted & self.given)[:, self.counted].sum(axis=1).astype(np.float64)
        given, wanted = (part[:, self.counted].sum(axis=1) for part in (self.given, self.wanted))
        over = 2 * hits if metric == "field_f1" else hits
        under = {"field_precision": given, "field_recall": wanted, "field_f1": given + wanted}[metric]
        return np.stack([over, under.astype(np.float64)], axis=1)

    def where(self, rows: Booleans) -> "Answers":
        groups = None if self.groups is None else intervals.together(self.groups[rows])
        return Answers(
            fields=self.fields[rows],
            wanted=self.wanted[rows],
            given=self.given[rows],
            unsupported=self.unsupported[rows],
            counted=self.counted,
            missing=self.missing[rows],
            groups=groups,
        )


def answers_of(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Answers:
    assert [each.example for each in predictions] == [each.id for each in examples], "predictions of other rows"
    outputs = [prediction.output if prediction.state == "ok" else None for prediction in predictions]
    pairs = zip(examples, outputs, strict=True)
    fields = tuple(task.fields)
    found = np.array([_compared(fields, row.expected, output, row.text) for row, output in pairs], np.bool_)
    found = found.reshape(len(examples), len(fields), 4)
    return Answers(
        fields=found[:, :, 0],
        wanted=found[:, :, 1],
        given=found[:, :, 2],
        unsupported=found[:, :, 3],
        counted=np.array([field.how != "apart" for field in fields], np.bool_),
        missing=np.array([output is None for output in outputs], np.bool_),
        groups=groups_of(examples),
    )


@lru_cache(maxsize=KEPT)
def _compared(
    fields: tuple[Field, ...], expected: str, output: str | None, text: str
) -> tuple[tuple[bool, bool, bool, bool], ...]:
    """Of each field: right, expected, answered, unsupported."""
    wanted = record_of(expected)
    given = {} if output is None else record_of(output)
    found = []
    for field in fields:
        a, b = value_at(wanted, field.path), value_at(given, field.path)
        right = output is not None and same(a, b, field.how)
        made_up = not right and field.copied and field.how != "apart" and not absent(b) and not stands_in(b, text)
        found.append((right, not absent(a), not absent(b), made_up))
    return tuple(found)


def measure(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], _: Aids) -> Measures:
    answers = answers_of(task, examples, predictions)
    invalid = [each.error or "" if each.state == "invalid" else None for each in predictions]
    no_json = np.array([why in (NO_JSON, NO_OBJECT) for why in invalid], np.bool_)
    breaks = np.array([why is not None and why.startswith(BREAKS) for why in invalid], np.bool_)
    return Measures(
        metrics={
            **_rates(answers),
            **{name: _ratio(answers, name) for name in ("field_precision", "field_recall", "field_f1")},
            "no_json_rate": share(no_json, answers.groups),
            "schema_rate": share(breaks, answers.groups),
            "unsupported_rate": share(np.asarray(answers.unsupported.any(axis=1)), answers.groups),
        },
        slices={name: _rates(answers.where(rows)) for name, rows in slices_of(examples)},
        states=states_of(predictions),
        fields={
            field.name: _figures(field, answers, place, examples, predictions)
            for place, field in enumerate(task.fields)
        },
    )


def _rates(answers: Answers) -> dict[str, Estimate]:
    accuracy = bounded.mean(answers.scores("field_accuracy"), answers.groups)
    return {
        "record_exact": share(answers.right, answers.groups),
        "field_accuracy": estimate(accuracy and (accuracy.value, accuracy.low, accuracy.high), len(answers.missing)),
        "invalid_rate": share(answers.missing, answers.groups),
    }


def _hits(answers: Answers) -> Booleans:
    """Where a value was expected and given, and is right."""
    return np.asarray(answers.fields & answers.wanted & answers.given)


def _ratio(answers: Answers, metric: str) -> Estimate:
    """Over all fields: the share of right values among those given (precision), among those expected (recall), F1."""
    over, under = answers.sums(metric).T
    return estimate(ratio.estimate(over, under, answers.groups), int(np.sum(under > 0)))


def _figures(
    field: Field, answers: Answers, place: int, examples: Sequence[Example], predictions: Sequence[Prediction]
) -> FieldFigures:
    hits, wanted, given = (part[:, place] for part in (_hits(answers), answers.wanted, answers.given))
    size = int(wanted.sum() + given.sum())
    return FieldFigures(
        compare=field.how,
        support=int(wanted.sum()),
        precision=_share_among(hits, given, answers),
        recall=_share_among(hits, wanted, answers),
        f1=2 * int(hits.sum()) / size if size else None,
        unsupported=int(answers.unsupported[:, place].sum()),
        similarity=_similarity(field, examples, predictions, answers) if field.how == "apart" else None,
    )


def _share_among(hits: Booleans, rows: Booleans, answers: Answers) -> Estimate:
    groups = None if answers.groups is None else intervals.together(answers.groups[rows])
    return share(hits[rows], groups)


def _similarity(
    field: Field, examples: Sequence[Example], predictions: Sequence[Prediction], answers: Answers
) -> Estimate:
    """Of the field's texts; 0 without an answer."""
    scores = []
    for example, prediction in zip(examples, predictions, strict=True):
        wanted = value_at(record_of(example.expected), field.path)
        given = value_at(record_of(prediction.output), field.path) if prediction.output is not None else None
        texts = ("" if absent(value) else levelled(value) for value in (wanted, given))
        scores.append(0.0 if prediction.output is None else similarity(*texts))
    found = bounded.mean(np.array(scores), answers.groups)
    return estimate(found and (found.value, found.low, found.high), len(scores))

"""Tool calls measured: what of every row is right, and the metrics of a set of them.

A row is right where its calls are those that it accepts (`accepted`), or where it makes none and none is right. Its
tools are right where they are those expected, each as often; its arguments are looked at only then. A row without a
valid answer has nothing right, and misses the calls that it should make.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Estimate, LabelFigures
from tunesmith.tasks import intervals
from tunesmith.tasks.accepted import schemas_of
from tunesmith.tasks.base import Aids
from tunesmith.tasks.calls import answer_of
from tunesmith.tasks.figures import Measures, groups_of, missing_of, share, slices_of, states_of
from tunesmith.tasks.intervals import Booleans, Floats, Integers
from tunesmith.tasks.spec import Task
from tunesmith.tasks.tool_calls import accepted_of, fault_of, faults

KEPT = 1 << 14  # answers whose judgement is remembered: a comparison asks for the same ones several times


class Judged(NamedTuple):
    """Of one row: `wanted` and `made` are the names of the tools that should be and were called."""

    right: bool
    valid: bool
    wanted: tuple[str, ...]
    made: tuple[str, ...]

    @property
    def right_tools(self) -> bool:
        return sorted(self.wanted) == sorted(self.made)


class Answers(NamedTuple):
    """Of every row: whether it is right, has the right tools, valid arguments; how many calls it should make and makes;
    whether it has no valid answer, whether its tools are simulated, and whether a call of one failed."""

    right: Booleans
    tools: Booleans
    valid: Booleans
    wanted: Integers
    made: Integers
    missing: Booleans
    talked: Booleans
    failed: Booleans
    groups: Integers | None

    def scores(self, metric: str) -> Floats:
        found = {"call_exact": self.right, "right_tool": self.tools}[metric]
        return found.astype(np.float64)

    def where(self, rows: Booleans) -> "Answers":
        groups = None if self.groups is None else intervals.together(self.groups[rows])
        return Answers(
            right=self.right[rows],
            tools=self.tools[rows],
            valid=self.valid[rows],
            wanted=self.wanted[rows],
            made=self.made[rows],
            missing=self.missing[rows],
            talked=self.talked[rows],
            failed=self.failed[rows],
            groups=groups,
        )


def answers_of(_: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Answers:
    return _answers(_judged(examples, predictions), examples, predictions)


def _judged(examples: Sequence[Example], predictions: Sequence[Prediction]) -> list[Judged]:
    assert [each.example for each in predictions] == [each.id for each in examples], "predictions of other rows"
    outputs = [prediction.output if prediction.state == "ok" else None for prediction in predictions]
    return [
        _judge(row.expected, row.accepted, row.tools, output) for row, output in zip(examples, outputs, strict=True)
    ]


@lru_cache(maxsize=KEPT)
def _judge(expected: str, accepted: str, tools: tuple[str, ...], output: str | None) -> Judged:
    row = Example(messages=(), expected=expected, accepted=accepted, tools=tools)
    wanted = tuple(name for call in accepted_of(row) for name in call)
    if output is None:
        return Judged(right=False, valid=False, wanted=wanted, made=())
    calls = answer_of(output).calls
    return Judged(
        right=fault_of(row, calls) is None,
        valid=next(faults(calls, schemas_of(tools)), None) is None,
        wanted=wanted,
        made=tuple(call.name for call in calls),
    )


def _answers(judged: Sequence[Judged], examples: Sequence[Example], predictions: Sequence[Prediction]) -> Answers:
    missing = missing_of(predictions)
    return Answers(
        right=np.array([each.right for each in judged], np.bool_),
        tools=np.array([each.right_tools for each in judged], np.bool_) & ~missing,
        valid=np.array([each.valid for each in judged], np.bool_),
        wanted=np.array([len(each.wanted) for each in judged], np.int64),
        made=np.array([len(each.made) for each in judged], np.int64),
        missing=missing,
        talked=np.array([bool(row.results) for row in examples], np.bool_),
        failed=np.array([each.failed_calls > 0 for each in predictions], np.bool_),
        groups=groups_of(examples),
    )


def measure(_task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], _aids: Aids) -> Measures:
    judged = _judged(examples, predictions)
    answers = _answers(judged, examples, predictions)
    return Measures(
        metrics=_rates(answers),
        slices={name: _rates(answers.where(rows)) for name, rows in slices_of(examples)},
        states=states_of(predictions),
        labels=_tools(judged, answers.groups),
    )


def _rates(answers: Answers) -> dict[str, Estimate]:
    called, expected = answers.made > 0, answers.wanted > 0
    return {
        "call_exact": share(answers.right, answers.groups),
        "right_tool": share(answers.tools, answers.groups),
        "right_arguments": _among(answers.right, expected & answers.tools, answers),
        "valid_arguments": _among(answers.valid, called, answers),
        "missing_rate": _among(answers.made < answers.wanted, expected, answers),
        "unnecessary_rate": _among(called, ~expected, answers),
        **_of_talks(answers),
        "invalid_rate": share(answers.missing, answers.groups),
    }


def _of_talks(answers: Answers) -> dict[str, Estimate]:
    """Where tools are simulated."""
    if not answers.talked.any():
        return {}
    return {
        "failed_rate": _among(answers.failed, answers.talked, answers),
        "recovery_rate": _among(answers.right, answers.failed, answers),
    }


def _among(hits: Booleans, rows: Booleans, answers: Answers) -> Estimate:
    groups = None if answers.groups is None else intervals.together(answers.groups[rows])
    return share(hits[rows], groups)


def _tools(judged: Sequence[Judged], groups: Integers | None) -> dict[str, LabelFigures]:
    """Of every tool that a row should call: precision among the rows that call it, recall among those that should."""
    figures = {}
    for tool in sorted({name for each in judged for name in each.wanted}):
        expects = np.array([tool in each.wanted for each in judged], np.bool_)
        calls = np.array([tool in each.made for each in judged], np.bool_)
        parts = [None if groups is None else intervals.together(groups[rows]) for rows in (calls, expects)]
        both = expects & calls
        figures[tool] = LabelFigures(
            support=int(expects.sum()), precision=share(both[calls], parts[0]), recall=share(both[expects], parts[1])
        )
    return figures

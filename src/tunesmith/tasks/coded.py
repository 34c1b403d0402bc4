"""Answers that are Python: whether they compile, and whether the row's tests pass, run in a sandbox (`core.sandbox`).

The code of an answer is what stands in its first code fence, else all of it. Tests are code of their own, run after it
with its names; they raise where the answer is wrong (`assert add(1, 2) == 3`). A row without a valid answer neither
compiles nor passes. Where there is no sandbox, nothing is run and nothing is measured: the refusal says why.
"""

import json
import re
import secrets
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tunesmith.core import sandbox
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Estimate
from tunesmith.tasks import intervals
from tunesmith.tasks.figures import Measures, groups_of, share, slices_of
from tunesmith.tasks.intervals import Booleans, Floats, Integers
from tunesmith.tasks.runnable import refuse_unrunnable

SECONDS = 10.0  # for one answer and its tests
MEMORY = 1 << 30  # bytes
FENCE = re.compile(r"```[\w+-]*[ \t]*\n(.*?)(?:\n```|\Z)", re.DOTALL)


class Result(NamedTuple):
    compiled: bool
    passed: bool


class Answers(NamedTuple):
    compiled: Booleans
    passed: Booleans
    groups: Integers | None

    @property
    def right(self) -> Booleans:
        return self.passed

    def scores(self, metric: str) -> Floats:
        return (self.compiled if metric == "compile_rate" else self.passed).astype(np.float64)

    def where(self, rows: Booleans) -> "Answers":
        groups = None if self.groups is None else intervals.together(self.groups[rows])
        return Answers(self.compiled[rows], self.passed[rows], groups)


def code_of(answer: str) -> str:
    fenced = FENCE.search(answer)
    return fenced[1] if fenced else answer


def answers_of(examples: Sequence[Example], predictions: Sequence[Prediction]) -> Answers:
    assert [each.example for each in predictions] == [each.id for each in examples], "predictions of other rows"
    refuse_unrunnable(examples)
    found = [_result(*pair) for pair in zip(examples, predictions, strict=True)]
    return Answers(
        compiled=np.array([each.compiled for each in found], np.bool_),
        passed=np.array([each.passed for each in found], np.bool_),
        groups=groups_of(examples),
    )


def _result(example: Example, prediction: Prediction) -> Result:
    if prediction.state != "ok" or prediction.output is None:
        return Result(False, False)
    try:
        return ran(code_of(prediction.output), example.tests)
    except DataError as error:
        raise DataError(f"{example.origin or 'Row ' + example.id}: {error}") from None


@lru_cache(maxsize=1 << 14)
def ran(code: str, tests: str) -> Result:
    """Raises DataError where the tests themselves are no Python."""
    word = secrets.token_hex(16)
    given = {"code": code, "tests": tests, "word": word, "memory": MEMORY, "seconds": SECONDS}
    program = Path(__file__).with_name("code_child.py").read_text(encoding="utf-8")
    done = sandbox.run(program, json.dumps(given).encode(), seconds=SECONDS)
    said = [line.removeprefix(f"{word} ") for line in done.output.decode(errors="replace").splitlines() if word in line]
    if said and said[0].startswith("tests "):
        raise DataError(f"its tests cannot be run: {said[0].removeprefix('tests ')}. Correct them.")
    return Result("compiled" in said, said[-1:] == ["passed"] and not done.late)


def added(measures: Measures, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Measures:
    """`measures` with both rates, of all rows and of every slice."""
    answers = answers_of(examples, predictions)
    slices = {name: measures.slices[name] | _rates(answers.where(rows)) for name, rows in slices_of(examples)}
    return measures.model_copy(update={"metrics": measures.metrics | _rates(answers), "slices": slices})


def _rates(answers: Answers) -> dict[str, Estimate]:
    return {
        "compile_rate": share(answers.compiled, answers.groups),
        "pass_rate": share(answers.passed, answers.groups),
    }

"""How a language model is asked for answers: by choosing among labels, or by writing text."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from tunesmith.core.prediction import State
from tunesmith.engines.base import Constraint, Engine, Tokens
from tunesmith.tasks.label_sets import grammar
from tunesmith.tasks.spec import Task

Tools = Sequence[str]  # each as JSON


class Said(NamedTuple):
    """What a model answered to one prompt; the fields are those of a prediction."""

    state: State
    output: str | None
    text: str
    confidence: float | None
    seconds: float
    tokens_in: int
    tokens_out: int
    error: str | None = None


def constraint_of(task: Task) -> Constraint | None:
    """What all answers of a model are held to; None where it may write what it likes."""
    if task.family == "multi_label":
        return Constraint(kind="grammar", text=grammar(task.labels))
    if task.output_schema is None or not task.constrained:
        return None
    return Constraint(kind="json_schema", text=task.output_schema)


def sureness(task: Task, logprob: float, steps: int) -> float:
    """Of a written answer. Of labels the probability of their tokens; of a text or a record the geometric mean of those
    of its `steps`, since every further token makes the whole less probable."""
    return math.exp(logprob if task.labels else logprob / steps)


class Way(Protocol):
    """Made from a model's renderer and a task; `longest` is the room that an answer takes, in tokens."""

    longest: int

    def answers(
        self,
        engine: Engine,
        prompts: Sequence[Tokens],
        *,
        ids: Sequence[str] | None = None,
        tools: Sequence[Tools] | None = None,
        tuned: bool = False,
    ) -> Iterator[Said]:
        """One for each prompt, in order. `ids`, of the rows, ask for confidences; a `tuned` model states each. `tools`
        are those that each row may call."""

"""What a set of predictions is worth: the metrics of the task's family, each with its 95 % interval or "too few".

Every row counts once: weights steer training, slices show what matters more. A prediction without a valid answer
(`invalid`, `refused`, `failed`) is not right and scores nothing, whatever it says, and is counted for itself as
`invalid_rate`. Rows of one `group` count as fewer (`intervals.spread`).
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Protocol, cast

from tunesmith.core.digests import digest
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.tasks import classified, coded, own_scores
from tunesmith.tasks.base import Aids
from tunesmith.tasks.figures import Answers, Measures
from tunesmith.tasks.own import PREFIX
from tunesmith.tasks.spec import FamilyName, Task

MEASURED: Mapping[FamilyName, str] = {  # the module that holds the statistics of a family
    "classification": "classified",
    "multi_label": "multi_labelled",
    "extraction": "extracted",
    "generation": "generated",
    "tool_calls": "called",
}
FIGURES = 2  # raised where figures are added or computed otherwise: what was measured before is measured again


class Measured(Protocol):
    """The statistics of a family; both raise DataError for a label the task has not."""

    def measure(
        self, task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], aids: Aids
    ) -> Measures: ...

    def answers_of(self, task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Answers: ...


def measure(
    task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], aids: Aids | None = None
) -> Measures:
    """Measure `predictions`, one for each of `examples` in order. Raises DataError for a label the task has not,
    UserError where a metric of the user's own fails.

    `aids` are of free text: likeness in meaning is not measured without vectors.
    """
    measures = _measured(task).measure(task, examples, predictions, aids or Aids())
    if task.runs_tests:
        measures = coded.added(measures, examples, predictions)
    return measures if task.metrics is None else own_scores.added(measures, task.metrics, examples, predictions)


def point(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], primary: str) -> float:
    """The primary metric's plain value, however few the rows are: to choose between checkpoints, not to be shown."""
    if task.family != "classification" or primary.startswith(PREFIX):
        return float(answers_of(task, examples, predictions, primary).scores(primary).mean())
    return classified.point(classified.answers_of(task, examples, predictions), primary)


def answers_of(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], metric: str = "") -> Answers:
    """Examples and predictions as arrays, for `metric` where it is the user's own or asks for code to be run.

    Raises DataError for a label the task has not.
    """
    if metric.startswith(PREFIX):
        assert task.metrics is not None, f"the task has no metric {metric}"
        return own_scores.answers_of(task.metrics, examples, predictions)
    if metric == "pass_rate":
        return coded.answers_of(examples, predictions)
    return _measured(task).answers_of(task, examples, predictions)


def _measured(task: Task) -> Measured:
    """Loaded here: what compares texts, records and calls is heavy."""
    return cast(Measured, import_module(f"tunesmith.tasks.{MEASURED[task.family]}"))


def yardstick(task: Task, *, meaning: bool) -> str:
    """The digest of all that answers are measured by; `meaning`: whether texts have vectors."""
    return digest(
        "yardstick",
        FIGURES,
        task=task.digest,
        style=task.style.model_dump(),
        behaviour=task.behaviour.model_dump(),
        **task.measured,
        meaning=meaning,
    )

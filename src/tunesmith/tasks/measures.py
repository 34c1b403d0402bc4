"""What a set of predictions is worth: the metrics of the task's family, each with its 95 % interval or "too few".

Every row counts once: weights steer training, slices show what matters more. A prediction without a valid answer
(`invalid`, `refused`, `failed`) is not right and scores nothing, whatever it says, and is counted for itself as
`invalid_rate`. Rows of one `group` count as fewer (`intervals.spread`).
"""

from collections.abc import Sequence

from tunesmith.core.digests import digest
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.tasks import classified
from tunesmith.tasks.base import Aids
from tunesmith.tasks.figures import Answers, Measures
from tunesmith.tasks.spec import Task

FIGURES = 1  # raised where figures are added or computed otherwise: what was measured before is measured again


def measure(
    task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], aids: Aids | None = None
) -> Measures:
    """Measure `predictions`, one for each of `examples` in order. Raises DataError for a label the task has not.

    `aids` are of free text: likeness in meaning is not measured without vectors.
    """
    if task.family == "generation":
        from tunesmith.tasks import generated  # loads what compares texts

        return generated.measure(task, examples, predictions, aids or Aids())
    if task.family == "extraction":
        from tunesmith.tasks import extracted

        return extracted.measure(task, examples, predictions)
    if task.family == "tool_calls":
        from tunesmith.tasks import called

        return called.measure(examples, predictions)
    return classified.measure(task, examples, predictions)


def point(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], primary: str) -> float:
    """The primary metric's plain value, however few the rows are: to choose between checkpoints, not to be shown."""
    if task.family != "classification":
        return float(answers_of(task, examples, predictions).scores(primary).mean())
    return classified.point(classified.answers_of(task.labels, examples, predictions), primary)


def answers_of(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Answers:
    """Examples and predictions as arrays. Raises DataError for a label the task has not."""
    if task.family == "generation":
        from tunesmith.tasks import generated

        return generated.answers_of(task, examples, predictions)
    if task.family == "extraction":
        from tunesmith.tasks import extracted

        return extracted.answers_of(task.fields, examples, predictions)
    if task.family == "tool_calls":
        from tunesmith.tasks import called

        return called.answers_of(examples, predictions)
    return classified.answers_of(task.labels, examples, predictions)


def yardstick(task: Task, *, meaning: bool) -> str:
    """The digest of all that answers are measured by; `meaning`: whether texts have vectors."""
    return digest(
        "yardstick",
        FIGURES,
        task=task.digest,
        style=task.style.model_dump(),
        behaviour=task.behaviour.model_dump(),
        meaning=meaning,
    )

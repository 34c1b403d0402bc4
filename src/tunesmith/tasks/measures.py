"""What a set of predictions is worth: the metrics of the task's family, each with its 95 % interval or "too few".

Every row counts once: weights steer training, slices show what matters more. A prediction without a valid answer
(`invalid`, `refused`, `failed`) is not right and scores nothing, whatever it says, and is counted for itself as
`invalid_rate`. Rows of one `group` count as fewer (`intervals.spread`).
"""

from collections.abc import Sequence

from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.tasks import classified, multi_labelled, own_scores
from tunesmith.tasks.figures import Answers, Measures
from tunesmith.tasks.own import PREFIX
from tunesmith.tasks.spec import Task


def measure(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Measures:
    """Measure `predictions`, one for each of `examples` in order. Raises DataError for a label the task has not,
    UserError where a metric of the user's own fails."""
    measures = _of_family(task, examples, predictions)
    return measures if task.metrics is None else own_scores.added(measures, task.metrics, examples, predictions)


def _of_family(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Measures:
    if task.family == "generation":
        from tunesmith.tasks import generated  # loads what compares texts

        return generated.measure(examples, predictions)
    if task.family == "extraction":
        from tunesmith.tasks import extracted

        return extracted.measure(task, examples, predictions)
    if task.family == "multi_label":
        return multi_labelled.measure(task, examples, predictions)
    return classified.measure(task, examples, predictions)


def point(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], primary: str) -> float:
    """The primary metric's plain value, however few the rows are: to choose between checkpoints, not to be shown."""
    if task.family != "classification" or primary.startswith(PREFIX):
        return float(answers_of(task, examples, predictions, primary).scores(primary).mean())
    return classified.point(classified.answers_of(task, examples, predictions), primary)


def answers_of(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], metric: str = "") -> Answers:
    """Examples and predictions as arrays, for `metric` where it is the user's own.

    Raises DataError for a label the task has not.
    """
    if metric.startswith(PREFIX):
        assert task.metrics is not None, f"the task has no metric {metric}"
        return own_scores.answers_of(task.metrics, examples, predictions)
    if task.family == "generation":
        from tunesmith.tasks import generated

        return generated.answers_of(examples, predictions)
    if task.family == "extraction":
        from tunesmith.tasks import extracted

        return extracted.answers_of(task.fields, examples, predictions)
    if task.family == "multi_label":
        return multi_labelled.answers_of(task, examples, predictions)
    return classified.answers_of(task, examples, predictions)

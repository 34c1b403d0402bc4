"""A candidate whose answers a test dictates, measured by the real `measure`."""

from collections.abc import Sequence

from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Scorecard
from tunesmith.decisions.comparison import Evaluated
from tunesmith.evaluation.seal import rows_digest
from tunesmith.tasks.measures import measure
from tunesmith.tasks.spec import Task


def evaluated(task: Task, name: str, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Evaluated:
    measures = measure(task, examples, predictions)
    card = Scorecard(
        candidate=name,
        kind="test",
        family=task.family,
        candidate_digest=name,
        eval_set=rows_digest(examples),
        eval_version=1,
        rows=len(examples),
        cost=0.0,
        cost_per_success=None,
        seconds=1.0,
        tokens_in=0,
        tokens_out=0,
        **{field: getattr(measures, field) for field in type(measures).model_fields},
    )
    return Evaluated(task=task, scorecard=card, predictions=tuple(predictions), examples=tuple(examples))

"""A look at the validation rows: their loss, and the task's own metric of the answers."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.engines.local.engine import LocalEngine
from tunesmith.models.renderer import Renderer
from tunesmith.tasks.measures import point
from tunesmith.tasks.spec import Task
from tunesmith.training.batches import Row, lay_out
from tunesmith.training.methods import Policy
from tunesmith.training.objectives import negative_log_likelihood


class Standing(NamedTuple):
    """How good the model is on validation rows. Compared by metric, then by the lower loss."""

    value: float
    loss: float

    def better_than(self, other: "Standing | None") -> bool:
        return other is None or (self.value, -self.loss) > (other.value, -other.loss)


def validate(
    model: Policy, renderer: Renderer, task: Task, examples: Sequence[Example], rows: Sequence[Row], primary: str
) -> Standing:
    """Answers and loss of all validation rows under the present weights; training mode is restored after."""
    training = model.training
    model.eval()
    try:
        loss = _loss(model, rows)
        value = _metric(model, renderer, task, examples, rows, primary)
    finally:
        model.train(training)
    return Standing(value, loss)


@torch.no_grad()
def _loss(model: Policy, rows: Sequence[Row]) -> float:
    virtual = model.virtual()
    batch = lay_out(rows, model.device, virtual=virtual.length if virtual else 0)
    losses = [negative_log_likelihood(model.base, packed, virtual).item() for packed in batch.packed]
    return sum(losses) / batch.normaliser


@torch.no_grad()
def _metric(
    model: Policy,
    renderer: Renderer,
    task: Task,
    examples: Sequence[Example],
    rows: Sequence[Row],
    primary: str,
) -> float:
    """The primary metric's point estimate. Small sets have one, too: it only chooses between checkpoints."""
    labels = [renderer.answer(label) for label in task.labels]
    engine = LocalEngine(model.base, digest="in training", virtual=model.virtual())
    answers = engine.score_labels([row.tokens[: row.start] for row in rows], labels, confidence=False)
    predictions = [
        Prediction(example=example.id, state="ok", output=task.labels[answer.label])
        for example, answer in zip(examples, answers, strict=True)
    ]
    return point(task, examples, predictions, primary)

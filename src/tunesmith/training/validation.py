"""A look at the validation rows: their loss, and the task's own metric of the answers."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from tunesmith.candidates.prompting import way_of
from tunesmith.core.prediction import Prediction
from tunesmith.engines.local.engine import LocalEngine
from tunesmith.models.renderer import Renderer
from tunesmith.tasks.measures import point
from tunesmith.training.batches import Row, Rows, lay_out
from tunesmith.training.job import Job
from tunesmith.training.methods import Policy
from tunesmith.training.objectives import negative_log_likelihood
from tunesmith.training.section import TrainSection


class Standing(NamedTuple):
    """How good the model is on validation rows. Compared by metric, then by the lower loss."""

    value: float
    loss: float

    def better_than(self, other: "Standing | None") -> bool:
        return other is None or (self.value, -self.loss) > (other.value, -other.loss)


def validate(model: Policy, renderer: Renderer, job: Job, rows: Rows) -> Standing:
    """Answers and loss of all validation rows under the present weights; training mode is restored after."""
    training = model.training
    model.eval()
    try:
        return Standing(_metric(model, renderer, job, rows), _loss(model, job.recipe, rows.validation))
    finally:
        model.train(training)


@torch.no_grad()
def _loss(model: Policy, recipe: TrainSection, rows: Sequence[Row]) -> float:
    batch = lay_out(rows, model.device, recipe.sharing, recipe.packed_tokens, virtual=recipe.virtual_tokens)
    losses = [negative_log_likelihood(model.base, packed, model.virtual()).item() for packed in batch.packed]
    return sum(losses) / batch.normaliser


@torch.no_grad()
def _metric(model: Policy, renderer: Renderer, job: Job, rows: Rows) -> float:
    """The primary metric's point estimate. Small sets have one, too: it only chooses between checkpoints."""
    task = job.task
    engine = LocalEngine(model.base, digest="in training", virtual=model.virtual())
    said = way_of(renderer, task).answers(engine, [row.tokens[: row.start] for row in rows.validation])
    predictions = [
        Prediction(example=example.id, state=each.state, output=each.output)
        for example, each in zip(rows.examples, said, strict=True)
    ]
    return point(task, rows.examples, predictions, job.primary)

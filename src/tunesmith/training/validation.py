"""A look at the validation rows: their loss, and the task's own metric of the answers; and at what is beside the task:
the loss on general text, and how much of the general suite is answered rightly."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch

from tunesmith.candidates.prompting import way_of
from tunesmith.core import memory
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.data.suites.scoring import score
from tunesmith.engines.local.engine import LocalEngine
from tunesmith.models.renderer import Renderer
from tunesmith.tasks.measures import point
from tunesmith.tasks.validating import validated
from tunesmith.training.batches import laid_out
from tunesmith.training.estimate import LOOKED_AT
from tunesmith.training.general import SHORT, Asked, General
from tunesmith.training.job import Job
from tunesmith.training.methods import Policy
from tunesmith.training.objectives import Supervised, negative_log_likelihood
from tunesmith.training.rows import Row
from tunesmith.training.section import TrainSection

FEWEST = 20  # items of the general suite whose share says something


@dataclass(frozen=True)
class Rows:
    """The rendered rows of a run, with the examples that the task's metric needs."""

    train: list[Row]
    validation: list[Row]
    examples: Sequence[Example]  # of the validation rows
    general: General
    pairs: Sequence[Row] = ()  # that are not trained on: chosen and rejected by turns


class Elsewhere(NamedTuple):
    """How good the model is beside the task: the loss of general text, and the share of items of the general suite
    that it answers rightly. None where the model can render none."""

    loss: float | None = None
    score: float | None = None


class Standing(NamedTuple):
    """How good the model is on validation rows. Compared by metric, then by the lower loss.

    `preferred` is the share of the pairs that are the right way round, where pairs are learnt from.
    """

    value: float
    loss: float
    elsewhere: Elsewhere = Elsewhere()
    preferred: float | None = None

    def better_than(self, other: "Standing | None") -> bool:
        return other is None or (self.value, -self.loss) > (other.value, -other.loss)


def validate(model: Policy, renderer: Renderer, job: Job, rows: Rows, objective: Supervised) -> Standing:
    """Answers and loss of all validation rows under the present weights, and what is beside the task."""
    with evaluating(model):
        return Standing(
            _metric(model, renderer, job, rows),
            _mean_loss(model, job.recipe, rows.validation),
            elsewhere(model, renderer, job.recipe, rows),
            _preferred(model, job.recipe, rows.pairs, objective) if rows.pairs else None,
        )


def elsewhere(model: Policy, renderer: Renderer, recipe: TrainSection, rows: Rows) -> Elsewhere:
    """General text and items are never trained on: where the loss rises and the score falls, the model forgets."""
    watched, asked = rows.general.watched, rows.general.asked
    with evaluating(model):
        return Elsewhere(
            _mean_loss(model, recipe, watched) if watched else None,
            _score(model, renderer, asked) if len(asked) >= FEWEST else None,
        )


@contextmanager
def evaluating(model: Policy) -> Iterator[None]:
    """Training mode is restored after. What a step held is given back before, and what a look held after it: neither
    can use the other's, for its sizes and for its threads."""
    training = model.training
    model.eval()
    memory.give_back()
    try:
        yield
    finally:
        model.train(training)
        memory.give_back()


@torch.no_grad()
def _preferred(model: Policy, recipe: TrainSection, pairs: Sequence[Row], objective: Supervised) -> float | None:
    for packed in laid_out(pairs, model.device, recipe, recipe.together).packed:
        objective.loss(model, packed)
    return objective.figures(objective.sums()).get("preferred")


@torch.no_grad()
def _mean_loss(model: Policy, recipe: TrainSection, rows: Sequence[Row]) -> float:
    losses = [
        negative_log_likelihood(model.base, packed, model.virtual()).item()
        for portion in portions(rows)
        for packed in laid_out(portion, model.device, recipe).packed
    ]
    return sum(losses) / sum(row.weight for row in rows)


def portions(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows that a look lays out together: their logits need no more memory than LOOKED_AT of them, or one row's."""
    portion: list[Row] = []
    labels = 0
    for row in rows:
        labels += row.labels
        if portion and labels > LOOKED_AT:
            yield portion
            portion, labels = [], row.labels
        portion.append(row)
    yield portion


@torch.no_grad()
def _score(model: Policy, renderer: Renderer, asked: Sequence[Asked]) -> float:
    answers = _engine(model, renderer).generate(
        [each.prompt for each in asked], max_new_tokens=SHORT, stop=[renderer.end_of_turn]
    )
    said = [renderer.decode(answer.tokens) for answer in answers]
    return sum(score(each.item, text) for each, text in zip(asked, said, strict=True)) / len(asked)


def _engine(model: Policy, renderer: Renderer) -> LocalEngine:
    return LocalEngine(model.base, "in training", model.virtual(), tokenizer=renderer.tokenizer_file)


@torch.no_grad()
def _metric(model: Policy, renderer: Renderer, job: Job, rows: Rows) -> float:
    """The primary metric's point estimate. Small sets have one, too: it only chooses between checkpoints."""
    task = job.task
    engine = _engine(model, renderer)
    tools = [example.tools for example in rows.examples]
    said = way_of(renderer, task).answers(engine, [row.prompt for row in rows.validation], tools=tools)
    predictions = [
        Prediction(example=example.id, state=each.state, output=each.output, text=each.text, error=each.error)
        for example, each in zip(rows.examples, said, strict=True)
    ]
    return point(task, rows.examples, validated(task, rows.examples, predictions), job.primary)

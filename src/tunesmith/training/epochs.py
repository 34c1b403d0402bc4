"""Which rows every step sees: a seeded order of the training rows in each epoch, general rows mixed among them.

It is a function of the recipe and the step's number, so a run that goes on sees what it would have seen. Each epoch
takes the next general rows, and all of them before any comes again.
"""

import math
from collections.abc import Iterator, Sequence

import torch

from tunesmith.training.rows import Row
from tunesmith.training.section import TrainSection


class Epochs:
    """`steps` of the whole run, `per_epoch` of one epoch, whose last batch may be smaller."""

    def __init__(self, rows: Sequence[Row], general: Sequence[Row], recipe: TrainSection):
        together = recipe.together
        self._units = [rows[begin : begin + together] for begin in range(0, len(rows), together)]
        self._general, self._recipe = general, recipe
        self.mixed = round(len(rows) * recipe.rehearsal) if general else 0  # general rows in an epoch
        self.per_epoch = math.ceil((len(self._units) + self.mixed) / recipe.batch_size)
        self.steps = max(1, round(self.per_epoch * recipe.epochs))

    def batch(self, step: int) -> list[Row]:
        epoch, place = divmod(step, self.per_epoch)
        return self.batches(epoch)[place]

    def batches(self, epoch: int) -> list[list[Row]]:
        units = [*self._units, *([row] for row in self._draw(epoch))]
        size = self._recipe.batch_size
        shuffled = [units[number] for number in shuffle(len(units), epoch, self._recipe.seed)]
        batches = (shuffled[begin : begin + size] for begin in range(0, len(units), size))
        return [[row for unit in batch for row in unit] for batch in batches]

    def _draw(self, epoch: int) -> Iterator[Row]:
        size = len(self._general)
        for number in range(epoch * self.mixed, (epoch + 1) * self.mixed):
            yield self._general[shuffle(size, number // size, self._recipe.seed)[number % size]]


def shuffle(count: int, turn: int, seed: int) -> list[int]:
    """The numbers below `count` in an order of their own for each turn."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + turn)
    shuffled: list[int] = torch.randperm(count, generator=generator).tolist()
    return shuffled

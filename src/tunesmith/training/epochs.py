"""Which rows every step sees: a seeded order of the training rows in each epoch, general rows mixed among them.

It is a function of the recipe and the step's number, so a run that goes on sees what it would have seen. Each epoch
takes the next general rows, and all of them before any comes again.
"""

import math
from collections.abc import Sequence

import torch

from tunesmith.training.rows import Row
from tunesmith.training.section import TrainSection


class Epochs:
    """`steps` of the whole run, `per_epoch` of one epoch, whose last batch may be smaller."""

    def __init__(self, rows: Sequence[Row], general: Sequence[Row], recipe: TrainSection):
        self._rows, self._general, self._recipe = rows, general, recipe
        self.mixed = round(len(rows) * recipe.rehearsal) if general else 0  # general rows in an epoch
        self.per_epoch = math.ceil((len(rows) + self.mixed) / recipe.batch_size)
        self.steps = max(1, round(self.per_epoch * recipe.epochs))

    def batch(self, step: int) -> list[Row]:
        epoch, place = divmod(step, self.per_epoch)
        return self.batches(epoch)[place]

    def batches(self, epoch: int) -> list[list[Row]]:
        rows = [*self._rows, *self._draw(epoch)]
        size = self._recipe.batch_size
        shuffled = [rows[number] for number in shuffle(len(rows), epoch, self._recipe.seed)]
        return [shuffled[begin : begin + size] for begin in range(0, len(rows), size)]

    def _draw(self, epoch: int) -> list[Row]:
        size = len(self._general)
        drawn = range(epoch * self.mixed, (epoch + 1) * self.mixed)
        return [self._general[shuffle(size, number // size, self._recipe.seed)[number % size]] for number in drawn]


def shuffle(count: int, turn: int, seed: int) -> list[int]:
    """The numbers below `count` in an order of their own for each turn."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + turn)
    shuffled: list[int] = torch.randperm(count, generator=generator).tolist()
    return shuffled

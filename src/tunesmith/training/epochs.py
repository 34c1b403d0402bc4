"""Which rows every step sees: a seeded order of the training rows in each epoch, general rows mixed among them.

It is a function of the recipe and the step's number, so a run that goes on sees what it would have seen. Each epoch
takes the next general rows, and all of them before any comes again.
"""

import math
from collections.abc import Iterable, Sequence

import torch

from tunesmith.training.rows import Row
from tunesmith.training.section import TrainSection


class Epochs:
    """`steps` of the whole run, `per_epoch` of one epoch, whose last batch may be smaller."""

    def __init__(self, rows: Sequence[Row], general: Sequence[Row], recipe: TrainSection):
        together = recipe.together
        self._units = [rows[begin : begin + together] for begin in range(0, len(rows), together)]
        self._general, self._recipe = general, recipe
        self._seen: dict[int, list[int]] = {}  # orders of the general rows
        self.mixed = round(len(rows) * recipe.rehearsal) if general else 0  # general rows in an epoch
        self.per_epoch = math.ceil((len(self._units) + self.mixed) / recipe.batch_size)
        self.steps = max(1, round(self.per_epoch * recipe.epochs))

    def batch(self, step: int) -> list[Row]:
        epoch, place = divmod(step, self.per_epoch)
        return self._batches(epoch, [place])[0]

    def batches(self, epoch: int) -> list[list[Row]]:
        return self._batches(epoch, range(self.per_epoch))

    def _batches(self, epoch: int, places: Iterable[int]) -> list[list[Row]]:
        size = self._recipe.batch_size
        order = shuffle(len(self._units) + self.mixed, epoch, self._recipe.seed)
        chosen = (order[place * size : (place + 1) * size] for place in places)
        return [[row for number in batch for row in self._unit(epoch, number)] for batch in chosen]

    def _unit(self, epoch: int, number: int) -> Sequence[Row]:
        """Of an epoch's numbers, those behind the training rows are the general rows whose turn it is."""
        if number < len(self._units):
            return self._units[number]
        turn, place = divmod(epoch * self.mixed + number - len(self._units), len(self._general))
        return [self._general[self._orders(turn)[place]]]

    def _orders(self, turn: int) -> list[int]:
        if turn not in self._seen:
            self._seen[turn] = shuffle(len(self._general), turn, self._recipe.seed)
        return self._seen[turn]


def shuffle(count: int, turn: int, seed: int) -> list[int]:
    """The numbers below `count` in an order of their own for each turn."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + turn)
    shuffled: list[int] = torch.randperm(count, generator=generator).tolist()
    return shuffled

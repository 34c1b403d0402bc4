"""What the checks of one pass over rows are told: the task, the eval set, and what is kept of the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tunesmith.core.example import Example
from tunesmith.core.progress import Progress, silent
from tunesmith.data.checks.kept import Kept
from tunesmith.data.meaning import MOST, vectors_of
from tunesmith.tasks.base import Embed

if TYPE_CHECKING:
    import numpy as np

TooLong = Callable[[Example], int | None]


def never(row: Example) -> None:
    """No row is too long: nobody can tell."""


@dataclass
class Scope:
    """`too_long` gives the row's tokens where it is longer than the model takes, else None; the DataError that it
    raises for a row is that row's finding. `eval_set`: what the rows may not repeat; empty for the eval set itself.
    """

    kept: Kept
    too_long: TooLong = never
    eval_set: Sequence[Example] = ()
    embed: Embed | None = None  # where repeats and leaks by meaning are wanted
    fitting: Progress = silent  # of what is learnt from the vectors
    repeats: str = "`split` keeps one of them"  # what becomes of a row that says again what an earlier one says

    @property
    def labelled(self) -> bool:
        """Whether one output is right, as labels are; else outputs are free text."""
        return self.kept.labelled

    def embedded(self) -> "tuple[list[Example], np.ndarray[Any, Any]]":
        """Once all rows are seen: of the distinct texts that can be used the first row, and their vectors."""
        kept = self.kept
        usable = [number for number, row in enumerate(kept.distinct[:MOST]) if kept.usable(row)]
        return [kept.example(kept.distinct[number]) for number in usable], self.vectors[usable]

    @cached_property
    def vectors(self) -> "np.ndarray[Any, Any]":
        """Once all rows are seen: of the first MOST distinct texts, in order. Only where there is an embedding."""
        assert self.embed
        return vectors_of([self.kept.text(row) for row in self.kept.distinct[:MOST]], self.embed)

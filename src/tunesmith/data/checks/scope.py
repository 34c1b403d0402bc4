"""What the checks of one pass over rows are told: the task, the eval set, and what is kept of the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tunesmith.core.example import Example
from tunesmith.data.checks.kept import Kept
from tunesmith.data.meaning import MOST, Embed, vectors_of

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
    repeats: str = "`split` keeps one of them"  # what becomes of a row that says again what an earlier one says

    @property
    def labelled(self) -> bool:
        """Whether one output is right, as labels are; else outputs are free text."""
        return self.kept.labelled

    @cached_property
    def vectors(self) -> "np.ndarray[Any, Any]":
        """Once all rows are seen: of the first MOST distinct texts, in order. Only where there is an embedding."""
        assert self.embed
        return vectors_of([self.kept.text(row) for row in self.kept.distinct[:MOST]], self.embed)

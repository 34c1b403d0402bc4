"""What the checks of one pass over rows are told: the task, the eval set, and what is kept of the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tunesmith.core.example import Example
from tunesmith.data.checks.kept import Kept

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
    repeats: str = "`split` keeps one of them"  # what becomes of a row that says again what an earlier one says

    @property
    def labelled(self) -> bool:
        """Whether one output is right, as labels are; else outputs are free text."""
        return self.kept.labelled

"""Whether answers in code can be run here, with the tests of their rows. Light, so that it is asked before anything."""

from collections.abc import Sequence

from tunesmith.core import sandbox
from tunesmith.core.errors import DataError, UserError
from tunesmith.core.example import Example


def refuse_unrunnable(examples: Sequence[Example]) -> None:
    """Raise UserError where nothing can be run here, DataError where a row has no tests."""
    if why := sandbox.why_not():
        raise UserError(
            f"Code that a model wrote is run inside bubblewrap or not at all: {why}; or take the line `tests` out of "
            "[data], and nothing is run."
        )
    without = [example for example in examples if not example.tests]
    if without:
        named = ", ".join(example.origin or example.id for example in without[:5])
        raise DataError(
            f"{len(without):,} of {len(examples):,} rows have no tests to run ([data] tests): {named}. Write them, or "
            "take the rows out."
        )

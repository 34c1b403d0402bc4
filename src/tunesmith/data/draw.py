"""A sample of rows that go past once, however many there are."""

import random


class Draw:
    """Says which rows to keep so that each has the same chance (Vitter's algorithm R); the same ones every time."""

    def __init__(self, size: int):
        self._size = size
        self._seen = 0
        self._chance = random.Random(0)  # noqa: S311  (a sample, no secret)

    def place(self) -> int | None:
        """Where to keep the next row, in the place of what was kept there; None where it is not drawn."""
        self._seen += 1
        at = self._seen - 1 if self._seen <= self._size else self._chance.randrange(self._seen)
        return at if at < self._size else None

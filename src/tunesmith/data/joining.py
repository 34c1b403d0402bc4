"""Positions joined into groups, pair by pair (union-find over an array)."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


class Joined:
    """The root of a group is the smallest position of it."""

    def __init__(self, number: int):
        import numpy as np

        self._above = np.arange(number)

    def apart(self, ones: "Array", others: "Array") -> "tuple[Array, Array]":
        """The pairs that are not joined yet."""
        apart = self._above[ones] != self._above[others]
        return ones[apart], others[apart]

    def are_apart(self, one: int, other: int) -> bool:
        return self._root(one) != self._root(other)

    def join(self, pairs: Iterable[tuple[int, int]]) -> None:
        import numpy as np

        for one, other in pairs:
            low, high = sorted((self._root(one), self._root(other)))
            self._above[high] = low
        while not np.array_equal(above := self._above[self._above], self._above):
            self._above = above

    def groups(self, least: int = 2) -> list[list[int]]:
        """Those of `least` and more, in order."""
        import numpy as np

        sizes = np.bincount(self._above, minlength=len(self._above))
        grouped: defaultdict[int, list[int]] = defaultdict(list)
        for position in np.flatnonzero(sizes[self._above] >= least).tolist():
            grouped[int(self._above[position])].append(position)
        return list(grouped.values())

    def _root(self, position: int) -> int:
        while (above := int(self._above[position])) != position:
            self._above[position] = position = int(self._above[above])
        return position

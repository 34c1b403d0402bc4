"""Keys and values kept between passes: one prefix that every branch shares, and what each branch has said so far.

Every branch stands in a row of its own, from the row's beginning and without gaps, in buffers that have room for more;
so a token that is said costs the writing of that token, not a copy of what was said before.

Axes: G key heads, P prefix tokens, B branches, C places of a branch, M of them in use by the longest, N new tokens of
all branches, K keys of a branch, D head size.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from tunesmith.engines.local.segments import Padding

Pair = tuple[Tensor, Tensor]


class Places(NamedTuple):
    """Where the new tokens of a pass are written: of each its branch and its place there.

    The pass is of the branches from `first` on. Behind it `longest` places are in use in those, `used` in any branch.
    """

    branches_N: Tensor
    places_N: Tensor
    first: int
    longest: int
    used: int


class Memory:
    """Filled by the attention function, layer by layer, during a forward pass."""

    def __init__(self) -> None:
        self._prefix: dict[int, Pair] = {}  # (G, P, D)
        self._branches: dict[int, Pair] = {}  # (B, G, C, D), with room for more
        self._used = 0  # M
        self._places: Places | None = None  # of the pass under way
        self._ahead: list[int] | None = None  # the branches that a pass looks ahead from, remembering nothing

    def prefix(self, layer: int) -> Pair | None:
        return self._prefix.get(layer)

    def extend(self, layer: int, k_GND: Tensor, v_GND: Tensor, padding: Padding) -> Pair:  # (B, G, K, D)
        """The keys and values of every branch, new ones among them: written behind what it remembers, or, where a pass
        looks ahead, side by side behind all of it."""
        if self._ahead is None:
            return self._written(layer, k_GND, v_GND, padding.branches)
        k, v = (x[self._ahead, :, : self._used] for x in self._branches[layer])
        return torch.cat([k, padding.pad(k_GND)], dim=2), torch.cat([v, padding.pad(v_GND)], dim=2)

    def _written(self, layer: int, k_GND: Tensor, v_GND: Tensor, branches: int) -> Pair:
        assert self._places is not None
        rows, places, first, longest, _ = self._places
        none = k_GND.new_zeros(0, k_GND.shape[0], 0, k_GND.shape[2])
        known = self._branches.get(layer, (none, none))
        k, v = (_roomy(x, first + branches, max(longest, self._used), self._used) for x in known)
        k[rows, :, places], v[rows, :, places] = k_GND.transpose(0, 1), v_GND.transpose(0, 1)
        self._branches[layer] = (k, v)
        return k[first : first + branches, :, :longest], v[first : first + branches, :, :longest]

    @contextmanager
    def remembering(self, places: Places) -> Iterator[None]:
        """The pass inside writes its tokens there."""
        self._places = places
        yield
        self._used = places.used

    @contextmanager
    def looking_ahead(self, rows: Sequence[int]) -> Iterator[None]:
        """Passes inside continue the branches `rows` and are not remembered."""
        self._ahead = list(rows)
        try:
            yield
        finally:
            self._ahead = None

    def keep_branches(self, rows: Sequence[int], used: int) -> None:
        """`rows` come first, in this order, and use at most `used` places; what stands behind them is written over by
        branches that begin later."""
        moved = [(place, row) for place, row in enumerate(rows) if place != row]
        into, out_of = [place for place, _ in moved], [row for _, row in moved]
        for pair in self._branches.values():
            for x in pair if moved else ():
                x[into] = x[out_of]
        self._used = used

    def begin_with(self, pairs: Sequence[Pair]) -> None:
        """Take each layer's keys and values (G, P, D) as the prefix."""
        self._prefix = dict(enumerate(pairs))

    def promote(self) -> None:
        """Make the single remembered branch part of the prefix."""
        for layer, (k, v) in self._branches.items():
            assert k.shape[0] == 1, "only a single branch can become the prefix"
            new_k, new_v = k[0, :, : self._used], v[0, :, : self._used]
            if layer in self._prefix:
                old_k, old_v = self._prefix[layer]
                new_k, new_v = torch.cat([old_k, new_k], dim=1), torch.cat([old_v, new_v], dim=1)
            self._prefix[layer] = (new_k, new_v)
        self.forget_branches()

    def shorten(self, length: int) -> None:
        """Keep the first `length` tokens of the prefix."""
        if length == 0:
            self._prefix = {}
        for layer, (k, v) in self._prefix.items():
            self._prefix[layer] = (k[:, :length], v[:, :length])

    def forget_branches(self) -> None:
        self._branches, self._used = {}, 0


def _roomy(x_BGCD: Tensor, branches: int, places: int, used: int) -> Tensor:
    """The same where it has room for `branches` with `places` each; else what they have `used` in a new one, which has
    room for half as many places again, and for no branch that has ended."""
    had, heads, room, size = x_BGCD.shape
    if branches <= had and places <= room:
        return x_BGCD
    made = x_BGCD.new_zeros(branches, heads, places + places // 2, size)
    made[:had, :, :used] = x_BGCD[:branches, :, :used]
    return made

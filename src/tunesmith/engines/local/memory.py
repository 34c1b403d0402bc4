"""Keys and values kept between passes: one prefix that every branch shares, and what each branch has said so far.

Axes: G key heads, P prefix tokens, B branches, M remembered tokens of the longest branch, L new tokens, D head size.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

Pair = tuple[Tensor, Tensor]


class Memory:
    """Filled by the attention function, layer by layer, during a forward pass."""

    def __init__(self) -> None:
        self._prefix: dict[int, Pair] = {}  # (G, P, D)
        self._branches: dict[int, Pair] = {}  # (B, G, M, D)
        self._ahead: list[int] | None = None  # the branches that a pass looks ahead from, remembering nothing

    def prefix(self, layer: int) -> Pair | None:
        return self._prefix.get(layer)

    def extend(self, layer: int, k_BGLD: Tensor, v_BGLD: Tensor) -> Pair:
        """Remembered and new keys and values of every branch, side by side."""
        if layer in self._branches:
            k, v = self._branches[layer]
            if self._ahead is not None:
                k, v = k[self._ahead], v[self._ahead]
            k_BGLD, v_BGLD = torch.cat([k, k_BGLD], dim=2), torch.cat([v, v_BGLD], dim=2)
        if self._ahead is None:
            self._branches[layer] = (k_BGLD, v_BGLD)
        return k_BGLD, v_BGLD

    @contextmanager
    def looking_ahead(self, rows: Sequence[int]) -> Iterator[None]:
        """Passes inside continue the branches `rows` and are not remembered."""
        self._ahead = list(rows)
        try:
            yield
        finally:
            self._ahead = None

    def keep_branches(self, rows: Sequence[int]) -> None:
        for layer, (k, v) in self._branches.items():
            self._branches[layer] = (k[rows], v[rows])

    def begin_with(self, pairs: Sequence[Pair]) -> None:
        """Take each layer's keys and values (G, P, D) as the prefix."""
        self._prefix = dict(enumerate(pairs))

    def promote(self) -> None:
        """Make the single remembered branch part of the prefix."""
        for layer, (k, v) in self._branches.items():
            assert k.shape[0] == 1, "only a single branch can become the prefix"
            if layer in self._prefix:
                old_k, old_v = self._prefix[layer]
                self._prefix[layer] = (torch.cat([old_k, k[0]], dim=1), torch.cat([old_v, v[0]], dim=1))
            else:
                self._prefix[layer] = (k[0], v[0])
        self._branches = {}

    def shorten(self, length: int) -> None:
        """Keep the first `length` tokens of the prefix."""
        if length == 0:
            self._prefix = {}
        for layer, (k, v) in self._prefix.items():
            self._prefix[layer] = (k[:, :length], v[:, :length])

    def forget_branches(self) -> None:
        self._branches = {}

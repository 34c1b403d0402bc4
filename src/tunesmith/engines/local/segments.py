"""The segment table of a packed row: which tokens follow which, when several rows of a batch stand in one.

A packed row is a tree of segments, each parent before its children and each subtree in one piece:

    tree:        system prompt ┬ example A ┬ question 1          row:  prompt | A | question 1 | question 2 | question 3
                               │           └ question 2
                               └ question 3

A token attends to its own segment, causally, and to the whole of every segment above it. What stands below a segment
is one contiguous stretch behind it, so attention to a shared segment is one product over all who read it.

Axes: T tokens of the row, N of them, B branches side by side, L longest of them, M remembered, K keys.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from tunesmith.engines.local.flash import Stretches
from tunesmith.engines.local.kernels import bias


@dataclass(frozen=True)
class Padding:
    """Some segments side by side, padded to the longest of them: (branches, longest).

    `tokens_N` are their tokens' places in the row, `slots_N` the same tokens' places in the padded layout. Where a
    single segment stands alone, `start` is where, and nothing is copied.
    """

    branches: int
    longest: int
    tokens_N: Tensor
    slots_N: Tensor
    start: int | None = None

    def pad(self, x_XTD: Tensor) -> Tensor:  # (B, X, L, D)
        if self.start is not None:
            return x_XTD[None, :, self.start : self.start + self.longest]
        size, width = x_XTD.shape[0], x_XTD.shape[-1]
        padded = x_XTD.new_zeros(self.branches * self.longest, size, width)
        padded[self.slots_N] = x_XTD.transpose(0, 1)[self.tokens_N]
        return padded.view(self.branches, self.longest, size, width).transpose(1, 2)

    def unpad(self, x_BXLD: Tensor, into_XTD: Tensor) -> None:
        """Write the tokens back to their places in the row."""
        if self.start is not None:
            into_XTD[:, self.start : self.start + self.longest] = x_BXLD[0]
            return
        flat = x_BXLD.transpose(1, 2).reshape(-1, x_BXLD.shape[1], x_BXLD.shape[-1])
        into_XTD[:, self.tokens_N] = flat[self.slots_N].transpose(0, 1)


class Shared(NamedTuple):
    """The tokens `start … end` of the row, read by all tokens from `end` to `stop`."""

    start: int
    end: int
    stop: int


class Read(NamedTuple):
    """A shared segment and those of its readers whose window reaches it; without a bias they see all of it.

    `asking` and `asked` are either side as one segment, for kernels that take segments of any length.
    """

    keys: slice
    readers: slice | Tensor
    asking: Stretches
    asked: Stretches
    bias_NK: Tensor | None = None


class Seen(NamedTuple):
    """What some new tokens may look at among the remembered and the new ones of their branch, and those keys'
    positions: of every branch, or (1, K) where they are the same. `branches` are theirs; None: all of the pass."""

    padding: Padding
    branches: Tensor | None
    bias_B1LK: Tensor
    keys_BK: Tensor


@dataclass(frozen=True, eq=False)
class Segments:
    """How a packed row divides; a segment may not be empty.

    `seen` is of rows that continue what is remembered, every token in one of it; without it a segment is causal.
    `positions_T` are the tokens' positions, for layers with a window. `own` are the segments in the row's order.
    """

    paddings: tuple[Padding, ...]
    shared: tuple[Shared, ...]
    positions_T: Tensor
    own: Stretches
    seen: tuple[Seen, ...] = ()
    _reads: dict[int | None, list[Read]] = field(default_factory=dict)  # by window: the same in every layer
    _behind: dict[int | None, Read | None] = field(default_factory=dict)  # likewise

    @classmethod
    def tree(
        cls, lengths: Sequence[int], parents: Sequence[int], device: torch.device, *, virtual: int = 0
    ) -> "Segments":
        """Segments of these lengths, each behind its parent (−1: none) and before its parent's next child.

        `virtual` tokens that are not among them stand before them all, as the one root. Padding to the next power of
        two at most wastes little, in few products.
        """
        if virtual:
            lengths, parents = [virtual, *lengths], [-1, *(parent + 1 for parent in parents)]
        ends = list(itertools.accumulate(lengths))
        stops, depths = list(ends), [0] * len(lengths)
        for node in reversed(range(len(lengths))):
            if parents[node] >= 0:
                stops[parents[node]] = max(stops[parents[node]], stops[node])
        for node, parent in enumerate(parents):
            assert parent < node, "a parent comes before its children"
            depths[node] = 0 if parent < 0 else depths[parent] + lengths[parent]
        by_size: dict[int, list[int]] = {}
        for node, length in enumerate(lengths):
            by_size.setdefault(max(length - 1, 15).bit_length(), []).append(node)
        positions = [range(depth, depth + length) for depth, length in zip(depths, lengths, strict=True)]
        spans = spans_of(lengths)
        return cls(
            paddings=tuple(side_by_side([spans[node] for node in nodes], device) for nodes in by_size.values()),
            shared=tuple(
                Shared(end - length, end, stop)
                for length, end, stop in zip(lengths, ends, stops, strict=True)
                if stop > end
            ),
            positions_T=torch.tensor([*itertools.chain(*positions)], device=device),
            own=stretches(lengths, device),
        )

    @classmethod
    def remembering(
        cls,
        lengths: Sequence[int],
        positions: Sequence[int],
        device: torch.device,
        seen: tuple[Seen, ...] = (),
    ) -> "Segments":
        """New tokens of remembered branches, one segment each, in order."""
        padding, places = side_by_side(spans_of(lengths), device), torch.tensor([*positions], device=device)
        return cls((padding,), (), places, stretches(lengths, device), seen)

    def behind(self, before: int, window: int | None, like: Tensor) -> Read | None:
        """All tokens of the row as readers of `before` remembered ones, at positions 0 … before − 1."""
        if window not in self._behind:
            keys_P, everyone = torch.arange(before, device=like.device), slice(0, len(self.positions_T))
            self._behind[window] = _within(slice(0, before), keys_P, everyone, self.positions_T, window, like)
        return self._behind[window]

    def reads(self, window: int | None, like: Tensor) -> list[Read]:
        """Who reads which shared segment where a token sees `window` positions, its own among them."""
        if window not in self._reads:
            found = (
                _within(
                    slice(start, end), self.positions_T[start:end], slice(end, stop), self.positions_T, window, like
                )
                for start, end, stop in self.shared
            )
            self._reads[window] = [read for read in found if read is not None]
        return self._reads[window]


def _within(
    keys: slice, keys_P: Tensor, readers: slice, positions_T: Tensor, window: int | None, like: Tensor
) -> Read | None:
    """`readers` (a slice of the row) of keys at the positions `keys_P`, as far as the window reaches."""
    positions_N, asked = positions_T[readers], stretches([len(keys_P)], like.device)
    if window is None or int(positions_N.max() - keys_P[0]) < window:
        return Read(keys, readers, stretches([len(positions_N)], like.device), asked)
    reach_N = (positions_N - keys_P[-1] < window).nonzero().squeeze(1)
    if not len(reach_N):
        return None
    allowed = positions_N[reach_N].unsqueeze(1) - keys_P < window
    return Read(keys, reach_N + readers.start, stretches([len(reach_N)], like.device), asked, bias(allowed, like.dtype))


def spans_of(lengths: Sequence[int]) -> list[range]:
    """The places in the row of segments that stand one behind the other."""
    return [range(end - length, end) for length, end in zip(lengths, itertools.accumulate(lengths), strict=True)]


def stretches(lengths: Sequence[int], device: torch.device) -> Stretches:
    """Segments of these lengths, one behind the other."""
    starts = [0, *itertools.accumulate(lengths)]
    return Stretches(torch.tensor(starts, dtype=torch.int32, device=device), max(lengths))


def side_by_side(spans: Sequence[range], device: torch.device) -> Padding:
    longest = max(map(len, spans))
    slots = [row * longest + offset for row, span in enumerate(spans) for offset in range(len(span))]
    return Padding(
        branches=len(spans),
        longest=longest,
        tokens_N=torch.tensor([*itertools.chain(*spans)], device=device),
        slots_N=torch.tensor(slots, device=device),
        start=spans[0].start if len(spans) == 1 else None,
    )

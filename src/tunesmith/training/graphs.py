"""Passes recorded as CUDA graphs: a GPU that is told of thousands of small products one by one mostly waits for them.

A packed row is filled up to a round number of tokens, of segments and of labels, so that few layouts occur; what fills
it is a segment behind all others that carries no loss. A layout that occurs a second time is recorded, and from then
on replayed over other tokens. Whether a step is replayed or not, the same kernels work on the same filled row, so
where a run was stopped changes no bit.

Axes: T tokens of a packed row, K labelled positions, S segments.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from tunesmith.engines.local import flash
from tunesmith.engines.local.flash import Stretches
from tunesmith.engines.local.kernels import Look
from tunesmith.engines.local.segments import Segments, Shared
from tunesmith.training.batches import Extent, PackedRow
from tunesmith.training.gradients import Gradients
from tunesmith.training.methods import Policy
from tunesmith.training.objectives import Supervised
from tunesmith.training.section import TrainSection

MOST = 64  # layouts that are recorded: each takes some megabytes
TOKENS, SEGMENTS = 128, 8  # a row is filled up to a multiple


class Layout(NamedTuple):
    """What may not change between replays."""

    tokens: int
    labels: int
    segments: int
    shared: tuple[Shared, ...]


class Recording(NamedTuple):
    graph: torch.cuda.CUDAGraph
    row: PackedRow
    loss: Tensor


class RecordedGradients(Gradients):
    def __init__(self, policy: Policy, objective: Supervised):
        super().__init__(policy, objective)
        self._seen: set[Layout] = set()
        self._recordings: dict[Layout, Recording] = {}
        self._size = torch.ones((), device=policy.device)
        self._full = False

    def of_packed(self, packed: PackedRow, size: float | Tensor) -> Tensor:
        row = filled(packed)
        layout = layout_of(row)
        self._size.fill_(size)
        if layout not in self._recordings:
            if layout not in self._seen or not self._has_room():
                self._seen.add(layout)
                return super().of_packed(row, self._size)
            self._recordings[layout] = self._record(row)
        graph, into, loss = self._recordings[layout]
        for there, here in zip(_changing(into), _changing(row), strict=True):
            there.copy_(here)
        graph.replay()
        return loss.clone()

    def layouts(self, packed: Sequence[Extent]) -> int:
        rooms = [(_room(each.tokens), each.labels) for each in packed]
        return min(MOST, len({(room, _part(labels, room)) for room, labels in rooms}))

    def clear(self) -> None:
        """The graphs add to these very tensors."""
        torch._foreach_zero_([each.grad for each in self.parameters if each.grad is not None])

    def _has_room(self) -> bool:
        """Recordings hold memory of their own: as much as one pass, since they take turns at it."""
        if self._full or len(self._recordings) == MOST:
            return False
        torch.cuda.empty_cache()  # what earlier passes held, and nothing holds any more
        self._full = torch.cuda.mem_get_info()[0] < torch.cuda.max_memory_allocated()
        return not self._full

    def _record(self, row: PackedRow) -> Recording:
        row.segments.reads(None, self._size)  # which are tensors of the layout, made before the recording begins
        graph = torch.cuda.CUDAGraph()
        pool = next((known.graph.pool() for known in self._recordings.values()), None)
        with torch.cuda.graph(graph, pool=pool):
            loss = super().of_packed(row, self._size)
        return Recording(graph, row, loss)


def gradients(policy: Policy, objective: Supervised, recipe: TrainSection, processes: int) -> Gradients:
    """Recorded where every pass of the run is the same kernels on the same tensors."""
    recorded = processes == 1 and type(objective) is Supervised and _is_plain(policy, recipe)
    return (RecordedGradients if recorded else Gradients)(policy, objective)


def _is_plain(policy: Policy, recipe: TrainSection) -> bool:
    """A LoRA without dropout on a dense model whose attention the flash kernels compute, in one look at everything."""
    config = policy.base.config.get_text_config()
    heads = config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // heads
    query = torch.empty(heads, 1, size, device=policy.device, dtype=policy.dtype)
    look = Look(1.0, getattr(config, "sliding_window", None), getattr(config, "attn_logit_softcapping", None))
    experts = getattr(config, "num_local_experts", None) or getattr(config, "num_experts", None)
    plain = recipe.method == "lora" and not recipe.use_dora and not recipe.lora_dropout
    return (
        plain and not recipe.gradient_checkpointing and look.window is None and not experts and flash.fits(query, look)
    )


def filled(packed: PackedRow) -> PackedRow:
    """The same loss and gradients, in a row of round numbers."""
    segments, tokens, labels = packed.segments, len(packed.tokens_T), len(packed.keep_K)
    room = _room(tokens)
    starts = _fill(segments.own.starts, _multiple(len(segments.own.starts), SEGMENTS) + 1, room)
    shared = tuple(each._replace(stop=room) if each.stop == tokens else each for each in segments.shared)
    labels = _part(labels, room)
    positions = _fill(packed.positions_T, room)
    return replace(
        packed,
        tokens_T=_fill(packed.tokens_T, room),
        positions_T=positions,
        segments=Segments((), shared, positions, Stretches(starts, room)),
        keep_K=_fill(packed.keep_K, labels),
        targets_K=_fill(packed.targets_K, labels),
        weights_K=_fill(packed.weights_K, labels),
        of_K=_fill(packed.of_K, labels),
    )


def layout_of(row: PackedRow) -> Layout:
    return Layout(len(row.tokens_T), len(row.keep_K), len(row.segments.own.starts) - 1, row.segments.shared)


def _changing(row: PackedRow) -> tuple[Tensor, ...]:
    return (row.tokens_T, row.positions_T, row.keep_K, row.targets_K, row.weights_K, row.segments.own.starts)


def _fill(x: Tensor, length: int, value: int = 0) -> Tensor:
    return torch.nn.functional.pad(x, (0, length - len(x)), value=value)


def _room(tokens: int) -> int:
    """Four sizes between a power of two and the next."""
    return _multiple(tokens, max(TOKENS, _power(tokens + 1) // 8))


def _part(number: int, of: int) -> int:
    """All of it, a half, a quarter … that holds so many; or a multiple."""
    return of >> ((of // number).bit_length() - 1) if number <= of else _multiple(number, of)


def _multiple(number: int, of: int) -> int:
    return -(-number // of) * of


def _power(number: int) -> int:
    return 1 << (number - 1).bit_length()

"""Rows → packed rows: what a batch's prompts begin with stands once, then every row's own part.

A batch is what one optimiser step sees. It is laid out in as few packed rows as `PACKED_TOKENS` allows; the loss is
normalised over the whole batch, so neither sharing nor the number of packed rows changes a gradient. The last token
of a row predicts nothing and is left out; a first label may be predicted from the prefix's last token.

Axes: T tokens of a packed row, K positions that predict a labelled token.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message
from tunesmith.engines.local.attention import Segments
from tunesmith.engines.local.passes import common_prefix
from tunesmith.models.renderer import Renderer

PACKED_TOKENS = 8192


@dataclass(frozen=True)
class Row:
    """`tokens[start:]` carries loss: the answer with its end of turn."""

    id: str
    tokens: tuple[int, ...]
    start: int
    weight: float

    @property
    def labels(self) -> int:
        return len(self.tokens) - self.start


@dataclass(frozen=True)
class PackedRow:
    """`keep_K` are the places of the packed row whose logits predict `targets_K`, each with its row's weight."""

    tokens_T: Tensor
    positions_T: Tensor
    segments: Segments
    keep_K: Tensor
    targets_K: Tensor
    weights_K: Tensor


@dataclass(frozen=True)
class Batch:
    """`normaliser` is the weighted number of labelled tokens of all packed rows together."""

    rows: tuple[Row, ...]
    shared: int
    packed: tuple[PackedRow, ...]

    @property
    def normaliser(self) -> float:
        return sum(row.weight * row.labels for row in self.rows)

    @property
    def tokens(self) -> int:
        return sum(len(packed.tokens_T) for packed in self.packed)


def render(renderer: Renderer, prompt: str, examples: Sequence[Example], max_tokens: int) -> list[Row]:
    """Examples as tokens, with the task's prompt as their system message. Nothing is cut: a long row is refused."""
    rows = []
    system = Message(role="system", content=prompt)
    for example in examples:
        rendered = renderer.render([system, *example.messages], example.expected)
        if len(rendered.tokens) > max_tokens:
            raise DataError(
                f"{example.origin or 'A row'} has {len(rendered.tokens)} tokens with the prompt and its answer, more "
                f"than [model] max_tokens = {max_tokens}. Raise that, shorten the row, or take it out of the data."
            )
        rows.append(Row(example.id, rendered.tokens, rendered.start, example.weight))
    return rows


def lay_out(rows: Sequence[Row], device: torch.device, *, share: bool = True) -> Batch:
    """One optimiser step's batch. `share=False` gives every row its prompt in full: the same loss and gradients."""
    shared = shared_prefix(rows) if share else 0
    packed = tuple(_pack(chunk, shared, device) for chunk in _chunks(rows, shared))
    return Batch(tuple(rows), shared, packed)


def shared_prefix(rows: Sequence[Row]) -> int:
    """How many tokens all prompts of `rows` begin with."""
    return len(common_prefix([row.tokens[: row.start] for row in rows]))


def order(rows: int, epoch: int, seed: int, batch_size: int) -> list[list[int]]:
    """Row numbers of every batch of `epoch`, shuffled anew in each; the last batch may be smaller."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    shuffled = torch.randperm(rows, generator=generator).tolist()
    return [shuffled[begin : begin + batch_size] for begin in range(0, rows, batch_size)]


def _chunks(rows: Sequence[Row], shared: int) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    total = shared
    for row in rows:
        if chunk and total + len(row.tokens) - shared > PACKED_TOKENS:
            yield chunk
            chunk, total = [], shared
        chunk.append(row)
        total += len(row.tokens) - shared
    yield chunk


def _pack(rows: Sequence[Row], shared: int, device: torch.device) -> PackedRow:
    tokens = list(rows[0].tokens[:shared])
    positions = list(range(shared))
    lengths: list[int] = []
    keep: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    for row in rows:
        begin = len(tokens)  # where this row's own part starts
        own = row.tokens[shared:-1]
        tokens += own
        positions += range(shared, shared + len(own))
        if own:
            lengths.append(len(own))
        for place in range(row.start, len(row.tokens)):
            before = place - 1  # the token that predicts it
            keep.append(before if before < shared else begin + before - shared)
        targets += row.tokens[row.start :]
        weights += [row.weight] * row.labels
    return PackedRow(
        tokens_T=torch.tensor(tokens, device=device),
        positions_T=torch.tensor(positions, device=device),
        segments=Segments.of(shared, lengths, device),
        keep_K=torch.tensor(keep, device=device),
        targets_K=torch.tensor(targets, device=device),
        weights_K=torch.tensor(weights, dtype=torch.float32, device=device),
    )

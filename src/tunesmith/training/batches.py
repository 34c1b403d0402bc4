"""Rows → packed rows: what a batch's prompts begin with stands once, then every row's own part.

A batch is what one optimiser step sees. It is laid out in as few packed rows as `packed_tokens` allows; the loss is
normalised over the whole batch, so neither sharing nor the number of packed rows changes a gradient. The last token
of a row predicts nothing and is left out; a first label may be predicted from the last token that is shared.

Axes: T tokens of a packed row, K positions that predict a labelled token.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from tunesmith.engines.local.segments import Segments
from tunesmith.training.rows import Row
from tunesmith.training.section import TrainSection
from tunesmith.training.tree import WORTHWHILE, Node, grow

Sharing = Literal["auto", "on", "off"]
LEAST = {"auto": WORTHWHILE, "on": 1, "off": None}  # tokens that a shared node must save


@dataclass(frozen=True)
class PackedRow:
    """`keep_K` are the places of the packed row whose logits predict `targets_K`, each with its span's weight.

    `of_K` says which of `rows` a label belongs to. Learned tokens that stand before the row are not in it; its
    positions and segments count them.
    """

    tokens_T: Tensor
    positions_T: Tensor
    segments: Segments
    keep_K: Tensor
    targets_K: Tensor
    weights_K: Tensor
    of_K: Tensor
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Batch:
    """`normaliser` is the weighted number of labelled tokens of all packed rows together."""

    rows: tuple[Row, ...]
    packed: tuple[PackedRow, ...]

    @property
    def normaliser(self) -> float:
        return sum(row.weight for row in self.rows)

    @property
    def tokens(self) -> int:
        """Tokens that are computed; the rows have `shared` more."""
        return sum(len(packed.tokens_T) for packed in self.packed)

    @property
    def shared(self) -> int:
        return sum(len(row.tokens) - 1 for row in self.rows) - self.tokens


def lay_out(
    rows: Sequence[Row],
    device: torch.device,
    sharing: Sharing = "auto",
    packed_tokens: int = 8192,
    *,
    virtual: int = 0,
    together: int = 1,
) -> Batch:
    """One optimiser step's batch. With `sharing` off every row has its prompt in full: the same loss and gradients.

    `virtual` learned tokens stand before every row. `together` rows that follow each other are never parted.
    """
    chunks = _chunks(rows, LEAST[sharing], packed_tokens, together)
    return Batch(tuple(rows), tuple(_pack(chunk, nodes, device, virtual) for chunk, nodes in chunks))


def laid_out(rows: Sequence[Row], device: torch.device, recipe: TrainSection, together: int = 1) -> Batch:
    """Rows as the recipe has them laid out."""
    return lay_out(rows, device, recipe.sharing, recipe.packed_tokens, virtual=recipe.virtual_tokens, together=together)


class Extent(NamedTuple):
    """Of a packed row."""

    tokens: int
    labels: int


def extents(rows: Sequence[Row], sharing: Sharing, packed_tokens: int, together: int = 1) -> list[Extent]:
    """The packed rows that a batch will be laid out in."""
    chunks = _chunks(rows, LEAST[sharing], packed_tokens, together)
    return [
        Extent(sum(len(node.tokens) for node in nodes), sum(row.labels for row in chunk)) for chunk, nodes in chunks
    ]


def _chunks(
    rows: Sequence[Row], least: int | None, packed_tokens: int, together: int
) -> Iterator[tuple[list[Row], list[Node]]]:
    """Rows that fit into one packed row, with their tree; those that share stand together."""
    groups = [rows[begin : begin + together] for begin in range(0, len(rows), together)]
    groups.sort(key=lambda group: group[0].tokens[: group[0].start])
    begin = 0
    while begin < len(groups):
        size = len(groups) - begin
        chunk, nodes = _tree(groups[begin : begin + size], least)
        while size > 1 and sum(len(node.tokens) for node in nodes) > packed_tokens:
            size = min(size - 1, max(1, size * packed_tokens // sum(len(node.tokens) for node in nodes)))
            chunk, nodes = _tree(groups[begin : begin + size], least)
        yield chunk, nodes
        begin += size


def _tree(groups: Sequence[Sequence[Row]], least: int | None) -> tuple[list[Row], list[Node]]:
    rows = [row for group in groups for row in group]
    return rows, grow([row.tokens[: row.start] for row in rows], [row.tokens[row.start : -1] for row in rows], least)


def _pack(rows: Sequence[Row], nodes: Sequence[Node], device: torch.device, virtual: int) -> PackedRow:
    lengths: list[int] = []
    parents: list[int] = []
    tokens: list[int] = []
    positions: list[int] = []
    places: list[int] = []  # where each node stands among those that have tokens, or where its parent does
    keep: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    of: list[int] = []
    ends: list[int] = []
    for node in nodes:
        parent = -1 if node.parent < 0 else places[node.parent]
        begin = len(tokens)
        if node.tokens:
            lengths.append(len(node.tokens))
            parents.append(parent)
            tokens += node.tokens
            positions += range(virtual + node.depth, virtual + node.depth + len(node.tokens))
            ends.append(len(tokens))
        places.append(len(lengths) - 1 if node.tokens else parent)
        if node.row is not None:
            row = rows[node.row]
            for span in row.spans:
                for label in range(span.start, span.end):
                    before = label - 1 - node.depth  # the token that predicts it, in the node or the last one above
                    keep.append(begin + before if before >= 0 else ends[parent] - 1)
                targets += row.tokens[span.start : span.end]
                weights += [span.weight] * span.labels
                of += [node.row] * span.labels
    return PackedRow(
        tokens_T=torch.tensor(tokens, device=device),
        positions_T=torch.tensor(positions, device=device),
        segments=Segments.tree(lengths, parents, device, virtual=virtual),
        keep_K=torch.tensor(keep, device=device),
        targets_K=torch.tensor(targets, device=device),
        weights_K=torch.tensor(weights, dtype=torch.float32, device=device),
        of_K=torch.tensor(of, device=device),
        rows=tuple(rows),
    )

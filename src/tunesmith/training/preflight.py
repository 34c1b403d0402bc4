"""What a run will do, said before it does it: rows, tokens, what carries loss, memory, time.

Memory is computed from the model's files before anything is loaded, and a run that needs more than there is is
refused. Time is measured: forward and backward of the first batch, whose gradients are thrown away.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tunesmith.core import units
from tunesmith.core.errors import ConfigError
from tunesmith.models.renderer import Renderer
from tunesmith.training import estimate
from tunesmith.training.batches import Extent, Sharing, extents
from tunesmith.training.rows import Row
from tunesmith.training.section import TrainSection

SHOWN = 12  # tokens that are shown before each stretch that carries loss


@dataclass(frozen=True)
class Tokens:
    """Of one epoch. `shared` are in the rows but not computed; `padded` are computed but in no row: none are."""

    prompt: int
    labels: int
    computed: int
    shared: int
    padded: int
    longest: int
    longest_row: str


@dataclass(frozen=True)
class Stretch:
    """Tokens of a row that all carry loss, or none does; `hidden` ones before them are left out here."""

    tokens: list[str]
    weight: float  # 0: no loss
    hidden: int = 0


@dataclass(frozen=True)
class Mask:
    """A row token by token."""

    row: str
    stretches: list[Stretch]


def layout(batches: Sequence[Sequence[Row]], recipe: TrainSection, packed_tokens: int | None = None) -> list[Extent]:
    """The packed rows of an epoch."""
    size = packed_tokens or recipe.packed_tokens
    return [extent for batch in batches for extent in extents(batch, recipe.sharing, size, recipe.together)]


def count(rows: Sequence[Row], packed: Sequence[Extent]) -> Tokens:
    computed = sum(extent.tokens for extent in packed)
    longest = max(rows, key=lambda row: len(row.tokens))
    return Tokens(
        prompt=sum(len(row.tokens) - row.labels for row in rows),
        labels=sum(row.labels for row in rows),
        computed=computed,
        shared=sum(len(row.tokens) - 1 for row in rows) - computed,  # a row's last token predicts nothing
        padded=0,
        longest=len(longest.tokens),
        longest_row=longest.origin or longest.id,
    )


def masks(rows: Sequence[Row], renderer: Renderer, number: int) -> list[Mask]:
    return [Mask(row.origin or row.id, list(_stretches(row, renderer))) for row in rows[:number]]


def _stretches(row: Row, renderer: Renderer) -> Iterator[Stretch]:
    def texts(start: int, end: int) -> list[str]:
        return [renderer.token(token) for token in row.tokens[start:end]]

    end = 0
    for span in row.spans:
        shown = max(end, span.start - SHOWN)
        if span.start > end:
            yield Stretch(texts(shown, span.start), 0.0, shown - end)
        yield Stretch(texts(span.start, span.end), span.weight)
        end = span.end


def sharing(tokens: Tokens, asked: Sharing) -> str:
    """Which layout it is, and why."""
    if asked == "off":
        return "Nothing is shared, as [train] sharing asks: every row is computed in full."
    if tokens.shared <= 0:
        return "Nothing is shared: the rows of a batch begin with no stretch of tokens that is worth computing once."
    part = tokens.shared / (tokens.shared + tokens.computed)
    return f"Shared: {units.share(part)} of the tokens stand in stretches that rows of a batch begin with; once a step."


def memory(
    folder: Path,
    recipe: TrainSection,
    batches: Sequence[Sequence[Row]],
    width: int,
    available: int | None,
    packed: Sequence[Extent] | None = None,
) -> int:
    """Bytes that training the model in `folder` on an epoch's batches will need; `packed` is their `layout`, if known.

    Raises ConfigError where there are fewer.
    """
    shape, numbers = estimate.read_shape(folder), estimate.weights(folder)

    def needs(largest: Extent) -> int:
        return estimate.of_recipe(
            shape, recipe, numbers=numbers, width=width, tokens=largest.tokens, labels=largest.labels
        )

    needed = needs(max(packed or layout(batches, recipe)))
    if available is None or needed <= available:
        return needed
    sizes = _smaller(recipe.packed_tokens, max(len(row.tokens) for batch in batches for row in batch))
    fitting = next((size for size in sizes if needs(max(layout(batches, recipe, size))) <= available), None)
    cure = f"packed_tokens = {fitting} would fit" if fitting else "no setting of packed_tokens would fit"
    raise ConfigError(
        f"Training needs about {units.size(needed)} of memory, and {units.size(available)} are free. Under [train], "
        f"{cure}: fewer tokens at once, the same gradients. Otherwise take a smaller model, or free some memory."
    )


def _smaller(packed_tokens: int, longest: int) -> Iterator[int]:
    size = packed_tokens // 2
    while size >= longest:
        yield size
        size //= 2


def fields(tokens: Tokens, shown: Sequence[Mask], **others: Any) -> dict[str, Any]:
    """The `plan` event."""
    return {"tokens": asdict(tokens), "masks": [asdict(mask) for mask in shown], **others}

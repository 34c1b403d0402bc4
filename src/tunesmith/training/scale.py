"""The table of docs/scale.md: memory and time of a run by the model's size, from the same estimates as a run's own.

`python -m tunesmith.training.scale docs/scale.md` writes it between its marks; a test says whether it is current.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.files import write_text
from tunesmith.training import cards, estimate
from tunesmith.training.estimate import Shape

BEGIN, END = "<!-- computed: begin -->\n", "<!-- computed: end -->\n"
RANK, LABELS, SMALL, LARGE, TOGETHER = 16, 256, 1024, 8192, 8
LAPTOP, CARD = 1e12, 200e12  # floating-point operations a second that are sustained, not a data sheet's peak
MILLION = 1_000_000


class Model(NamedTuple):
    name: str
    shape: Shape
    tied: bool


def _shape(layers: int, hidden: int, intermediate: int, heads: int, key_heads: int, head: int, words: int) -> Shape:
    return Shape(
        layers=layers,
        hidden=hidden,
        intermediate=intermediate,
        heads=heads,
        key_heads=key_heads,
        head=head,
        words=words,
    )


MODELS = (  # by their config.json
    Model("SmolLM2-135M", _shape(30, 576, 1536, 9, 3, 64, 49152), True),
    Model("Qwen2.5-0.5B", _shape(24, 896, 4864, 14, 2, 64, 151936), True),
    Model("Llama-3.2-1B", _shape(16, 2048, 8192, 32, 8, 64, 128256), True),
    Model("Llama-3.2-3B", _shape(28, 3072, 8192, 24, 8, 128, 128256), True),
    Model("Llama-3.1-8B", _shape(32, 4096, 14336, 32, 8, 128, 128256), False),
    Model("Qwen2.5-14B", _shape(48, 5120, 13824, 40, 8, 128, 152064), False),
    Model("Qwen2.5-32B", _shape(64, 5120, 27648, 40, 8, 128, 152064), False),
    Model("Llama-3.1-70B", _shape(80, 8192, 28672, 64, 8, 128, 128256), False),
)


def table() -> str:
    """Markdown."""
    lines = [
        f"| model | weights | memory, {SMALL:,} tokens at once | memory, {LARGE:,} tokens | smallest card | "
        f"each of {TOGETHER} with FSDP, {SMALL:,} tokens | a million tokens at {LAPTOP / 1e12:.0f} TFLOP/s | "
        f"at {CARD / 1e12:.0f} TFLOP/s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(_row, MODELS)]) + "\n"


def page(text: str) -> str:
    """`text` with the table as it is computed now between the marks."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def _row(model: Model) -> str:
    numbers = estimate.parameters(model.shape, tied=model.tied)
    small, large = _memory(model, SMALL), _memory(model, LARGE)
    spread = _memory(model, SMALL, TOGETHER)
    operations = estimate.arithmetic(model.shape, MILLION, MILLION // 100)
    cells = [
        model.name,
        f"{numbers / 1e9:.2g} billion" if numbers < 1e10 else f"{numbers / 1e9:.0f} billion",
        _size(small),
        _size(large),
        _card(small),
        _size(spread),
        _time(operations / LAPTOP),
        _time(operations / CARD),
    ]
    return f"| {' | '.join(cells)} |"


def _memory(model: Model, tokens: int, parts: int = 1) -> int:
    numbers = estimate.parameters(model.shape, tied=model.tied)
    return estimate.memory(
        model.shape,
        weights=numbers * cards.WIDTH // parts,
        trained=estimate.adapter(model.shape, RANK),
        width=cards.WIDTH,
        tokens=tokens,
        labels=LABELS,
    )


def _card(needed: int) -> str:
    return next((f"{card.memory} GiB" for card in cards.CARDS if needed <= card.memory * cards.ROOM * 2**30), "none")


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count < 10 * 2**30 else f"{count / 2**30:.0f} GiB"


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"


if __name__ == "__main__":
    file = Path(sys.argv[1])
    write_text(file, page(file.read_text(encoding="utf-8")))

"""Which rented GPU a run needs: the smallest that its memory fits into, from the model's config. Without torch.

Prices change by the week and differ from one cloud to the next, so none stand here.
"""

from pathlib import Path
from typing import NamedTuple

from tunesmith.core import units
from tunesmith.core.errors import ConfigError
from tunesmith.core.record import Record
from tunesmith.training import estimate
from tunesmith.training.section import TrainSection

WIDTH = 2  # bytes of a weight: bfloat16, which every card below computes natively
ROOM = 0.92  # of a card's memory; the rest is the driver's, and lost between blocks


class Card(NamedTuple):
    """`memory` in GiB; the names of cards of that size that SkyPilot's and Modal's catalogues know."""

    memory: int
    sky: tuple[str, ...]
    modal: tuple[str, ...]


CARDS = (
    Card(24, ("L4", "A10G", "A10", "RTX4090"), ("L4", "A10")),
    Card(48, ("L40S", "L40", "RTXA6000", "RTX6000-Ada"), ("L40S",)),
    Card(80, ("A100-80GB", "H100"), ("A100-80GB", "H100")),
    Card(141, ("H200",), ("H200",)),
    Card(180, ("B200",), ("B200",)),
)


class Choice(Record):
    """The card, and why it is that one."""

    memory: int
    sky: tuple[str, ...]
    modal: tuple[str, ...]
    needed: int
    why: str


def choose(folder: Path, recipe: TrainSection, longest_answer: int) -> Choice:
    """The card for training the model whose config.json lies in `folder`; `longest_answer` in tokens.

    Raises ConfigError where no single card holds it.
    """
    needed = needs(folder, recipe, longest_answer)
    fitting = [card for card in CARDS if needed <= card.memory * ROOM * 2**30]
    if not fitting:
        raise ConfigError(
            f"Training needs about {units.size(needed)} of memory, more than the largest card that is rented singly "
            f"({CARDS[-1].memory} GiB). Choose a smaller model or [train] packed_tokens; or rent a machine with "
            "several cards and spread the model there: `tunesmith train --launch accelerate.yaml` with FSDP."
        )
    card = fitting[0]
    smaller = CARDS[CARDS.index(card) - 1].memory if card is not CARDS[0] else None
    why = f"a step needs at most {units.size(needed)}"
    why += f", too much for {smaller} GiB" if smaller else ", which the smallest card holds"
    return Choice(memory=card.memory, sky=card.sky, modal=card.modal, needed=needed, why=why)


def needs(folder: Path, recipe: TrainSection, longest_answer: int) -> int:
    """Bytes at most: a packed row as long as the recipe lets one grow, before any token is counted."""
    return estimate.of_recipe(
        estimate.read_shape(folder),
        recipe,
        numbers=estimate.weights(folder) or estimate.stated(folder),
        width=WIDTH,
        tokens=recipe.packed_tokens,
        labels=min(recipe.packed_tokens, recipe.batch_size * longest_answer),
    )

"""What the recipe says where nobody did: learning rate, passes, batch size and rank, each with its reason.

The learning rate falls with the model's width as Tinker's documentation has it for LoRA on the Llama and Qwen families
(https://tinker-docs.thinkingmachines.ai/supervised-learning/sl-hyperparams): 5e-5 · 10 · (2000 / width)^0.781. Below
2,000 wide it rises faster, as measured on the embedded model (docs/performance.md). A tenth of it holds where every
weight is trained, and small batches take smaller steps by the square root (Malladi et al., 2022, arXiv:2205.10287).
The rest goes by the number of rows: few rows are seen more often, in smaller batches, so that there are steps enough
to learn in. What [train] sets is kept.
"""

import math
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.core.units import count
from tunesmith.training.estimate import read_shape
from tunesmith.training.section import DPO_RATE, LORA_KEYS, OWN_KEYS, RATES, TrainSection

NARROWEST = 512  # a smaller model is taken for one this wide: nobody has measured below
PUBLISHED = 2_000  # wide: from there on the rate falls as published
WIDE, NARROW = 0.781, 4 / 3  # the exponents from there on, and below
PASSES = ((3_000, 6.0), (20_000, 3.0), (100_000, 2.0))  # (below this many rows, so many epochs); else one
STEPS = 30  # of an epoch, which the batch size leaves
SMALLEST, LARGEST = 4, 32
RANKS = {"labels": 16, "texts": 32}
MANY_TEXTS = 2_000  # rows from which written answers get the higher rank


class Facts(NamedTuple):
    """`width` is the model's hidden size, `rows` those that are trained on (or pairs), `labelled` of the family."""

    width: int
    rows: int
    labelled: bool


class Choice(NamedTuple):
    key: str
    value: Any
    reason: str


def facts(folder: Path, rows: int, labelled: bool) -> Facts:
    """Of the model whose config.json lies in `folder`."""
    return Facts(read_shape(folder).hidden, rows, labelled)


def choose(asked: TrainSection, facts: Facts) -> tuple[TrainSection, list[Choice]]:
    """The recipe with a value for every key that is not set, and what was chosen."""
    own = [choice for choice in _choices(asked, facts) if choice.key not in asked.model_fields_set]
    return asked.model_copy(update={choice.key: choice.value for choice in own}), own


def _choices(asked: TrainSection, facts: Facts) -> list[Choice]:
    batch = _batch(facts)
    choices = [_rate(asked, facts, _taken(asked, batch)), _epochs(facts), batch]
    if "r" in OWN_KEYS[asked.method]:
        rank = _rank(facts)
        choices += [rank, Choice("lora_alpha", 2 * _taken(asked, rank), "twice the rank")]
    return choices


def _taken(asked: TrainSection, choice: Choice) -> Any:
    """The value that will hold: what is set before what was chosen."""
    return getattr(asked, choice.key) if choice.key in asked.model_fields_set else choice.value


def _rate(asked: TrainSection, facts: Facts, batch: int) -> Choice:
    share, dpo = (DPO_RATE, ", a twentieth for pairs") if asked.objective == "dpo" else (1.0, "")
    if asked.method in ("prompt-tuning", "prefix-tuning"):
        return Choice("learning_rate", RATES[asked.method] * share, f"learned tokens take large steps{dpo}")
    what, times = ("adapters", 10.0) if OWN_KEYS[asked.method][: len(LORA_KEYS)] == LORA_KEYS else ("all weights", 1.0)
    by_width = (PUBLISHED / max(NARROWEST, facts.width)) ** (WIDE if facts.width >= PUBLISHED else NARROW)
    rate = 5e-5 * times * by_width * math.sqrt(min(batch, LARGEST) / LARGEST) * share
    reason = f"{what} of a model {facts.width:,} wide, batches of {batch}{dpo}"
    return Choice("learning_rate", float(f"{rate:.2g}"), reason)


def _epochs(facts: Facts) -> Choice:
    return Choice("epochs", next((n for below, n in PASSES if facts.rows < below), 1.0), count(facts.rows, "row"))


def _batch(facts: Facts) -> Choice:
    size = SMALLEST
    while size < LARGEST and facts.rows >= 2 * size * STEPS:
        size *= 2
    return Choice("batch_size", size, count(facts.rows, "row"))


def _rank(facts: Facts) -> Choice:
    if facts.labelled:
        return Choice("r", RANKS["labels"], "labels need little room")
    if facts.rows < MANY_TEXTS:
        return Choice("r", RANKS["labels"], f"written answers, {count(facts.rows, 'row')}")
    return Choice("r", RANKS["texts"], f"written answers, {count(facts.rows, 'row')}: room for more than form")

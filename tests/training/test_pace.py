"""Tokens and time of an epoch before a model is loaded, beside what the layout and the loop make of it."""

import random

import pytest

from tunesmith.data.checks.lengths import Epoch
from tunesmith.training import pace, processor
from tunesmith.training.batches import extents
from tunesmith.training.estimate import Shape
from tunesmith.training.rows import answering
from tunesmith.training.section import TrainSection

SHAPE = Shape(layers=2, hidden=64, intermediate=128, heads=4, key_heads=2, head=16, words=1000)
ROWS, PROMPT, LABELS = 200, 300, 3


def epoch_and_rows(prompt: int = PROMPT):
    chance = random.Random(0)
    shared = tuple(range(prompt))
    rows = []
    for number in range(ROWS):
        own = tuple(chance.randrange(5000, 9000) for _ in range(chance.randrange(10, 60)))
        rows.append(answering(str(number), (*shared, *own), prompt + len(own) - LABELS))
    tokens = sum(len(row.tokens) for row in rows)
    return Epoch(rows=ROWS, tokens=tokens, labels=ROWS * LABELS, shared=prompt, exact=True), rows


@pytest.mark.parametrize(
    ("recipe", "prompt"),
    [
        (TrainSection(batch_size=8), PROMPT),
        (TrainSection(batch_size=32), PROMPT),
        (TrainSection(batch_size=32, packed_tokens=600), PROMPT),
        (TrainSection(batch_size=8, packed_tokens=200), PROMPT),  # shorter than a row
        (TrainSection(batch_size=8, sharing="off"), PROMPT),
        (TrainSection(batch_size=8), 0),
    ],
)
def test_the_tokens_that_are_computed_are_those_of_the_layout(recipe, prompt):
    epoch, rows = epoch_and_rows(prompt)
    batches = [rows[begin : begin + recipe.batch_size] for begin in range(0, ROWS, recipe.batch_size)]
    packed = [each for batch in batches for each in extents(batch, recipe.sharing, recipe.packed_tokens)]
    assert pace.computed(epoch, recipe) == pytest.approx(sum(each.tokens for each in packed), rel=0.1)


def test_arithmetic_knows_the_method_and_what_is_computed_twice():
    epoch, _ = epoch_and_rows()
    seconds = {
        name: pace.by_arithmetic(epoch, SHAPE, recipe, 1e9)
        for name, recipe in {
            "lora": TrainSection(),
            "full": TrainSection(method="full"),
            "again": TrainSection(gradient_checkpointing=True),
            "off": TrainSection(sharing="off"),
        }.items()
    }
    assert seconds["full"] == pytest.approx(1.5 * seconds["lora"])
    assert seconds["again"] == pytest.approx(4 / 3 * seconds["lora"])
    assert seconds["off"] > 3 * seconds["lora"]
    assert pace.by_arithmetic(epoch, SHAPE, TrainSection(), 2e9) == pytest.approx(seconds["lora"] / 2)


def test_a_processor_multiplies_at_some_speed():
    assert 1e8 < processor.products() < 1e14

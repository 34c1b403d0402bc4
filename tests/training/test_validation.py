"""What a look at rows computes at once, and that this changes no figure."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.general import shipped
from tunesmith.engines.local.loading import load
from tunesmith.models.renderer import Renderer
from tunesmith.training import general
from tunesmith.training.batches import laid_out
from tunesmith.training.estimate import LOOKED_AT
from tunesmith.training.methods import attach
from tunesmith.training.objectives import negative_log_likelihood
from tunesmith.training.rows import Row, answering
from tunesmith.training.section import TrainSection
from tunesmith.training.validation import Rows, elsewhere, portions


def labelled(labels: int) -> Row:
    return answering(str(labels), tuple(range(labels + 1)), 1)


@given(st.lists(st.integers(1, 2 * LOOKED_AT), min_size=1, max_size=30))
def test_portions_keep_every_row_in_order_and_their_labels_few(labels):
    rows = [labelled(each) for each in labels]
    found = list(portions(rows))
    assert [row for portion in found for row in portion] == rows
    for portion in found:
        assert len(portion) == 1 or sum(row.labels for row in portion) <= LOOKED_AT
    for before, after in pairwise(found):
        assert sum(row.labels for row in before) + after[0].labels > LOOKED_AT, "no portion ends early"


def test_general_text_has_the_loss_of_its_rows_alone(tiny_folder):
    recipe = TrainSection()
    renderer = Renderer(tiny_folder)
    watched = general.rendered(renderer, [], [labelled(3)], recipe, 2048).watched
    assert len(watched) == len(shipped()[0])
    assert len(list(portions(watched))) > 1
    policy = attach(load(tiny_folder, dtype=torch.float32), recipe, "tiny")
    with torch.no_grad():
        alone = [
            negative_log_likelihood(policy.base, packed).item()
            for row in watched
            for packed in laid_out([row], policy.device, recipe).packed
        ]
    rows = Rows([], [], [], general.General([], watched))
    expected = sum(alone) / sum(row.weight for row in watched)
    assert elsewhere(policy, renderer, recipe, rows).loss == pytest.approx(expected, rel=1e-6)

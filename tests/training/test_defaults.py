"""Where [train] says nothing: what is chosen, by the model's width, the family and the number of rows."""

import pytest

from tunesmith.training.defaults import Facts, choose
from tunesmith.training.section import TrainSection

EMBEDDED, WIDE = 576, 4096


def chosen(rows: int = 1_000, width: int = EMBEDDED, labelled: bool = True, **asked) -> TrainSection:
    return choose(TrainSection(**asked), Facts(width, rows, labelled))[0]


def test_what_is_set_is_kept_and_what_is_chosen_has_its_reason():
    asked = TrainSection(learning_rate=1e-4, batch_size=3, r=8)
    whole, choices = choose(asked, Facts(EMBEDDED, 100, True))
    assert (whole.learning_rate, whole.batch_size, whole.r) == (1e-4, 3, 8)
    assert {choice.key: (choice.value, choice.reason) for choice in choices} == {
        "epochs": (6.0, "100 rows"),
        "lora_alpha": (16, "twice the rank"),
    }
    assert choose(whole, Facts(WIDE, 10**6, False)) == (whole, [])


def test_a_wider_model_takes_smaller_steps():
    """The published rule at 2,000 wide is 5e-4 for adapters; a tenth of it where every weight changes."""
    assert chosen(width=2000).learning_rate == pytest.approx(5e-4)
    assert chosen(width=2000, method="full").learning_rate == pytest.approx(5e-5)
    assert chosen().learning_rate == pytest.approx(2.6e-3), "what BANKING77 was best with"
    assert chosen(width=WIDE).learning_rate == pytest.approx(2.9e-4)
    assert chosen(width=8).learning_rate == chosen(width=512).learning_rate


def test_small_batches_take_smaller_steps_by_the_square_root():
    assert chosen(batch_size=8).learning_rate == pytest.approx(chosen(batch_size=32).learning_rate / 2)
    assert chosen(rows=300).learning_rate == chosen(batch_size=8).learning_rate, "the batch that is chosen counts"
    assert chosen(batch_size=500).learning_rate == chosen(batch_size=32).learning_rate


def test_pairs_shift_by_a_twentieth():
    pairs = {"objective": "dpo", "preferences": "pairs.jsonl"}
    assert chosen(width=2000, **pairs).learning_rate == pytest.approx(5e-4 / 20)
    assert chosen(method="prefix-tuning", **pairs).learning_rate == pytest.approx(1e-2 / 20)


@pytest.mark.parametrize(
    ("rows", "epochs", "batch"),
    [
        (20, 6, 4),
        (239, 6, 4),
        (240, 6, 8),
        (700, 6, 16),
        (2_999, 6, 32),
        (3_000, 3, 32),
        (20_000, 2, 32),
        (100_000, 1, 32),
    ],
)
def test_few_rows_are_seen_more_often_in_smaller_batches(rows, epochs, batch):
    whole = chosen(rows)
    assert (whole.epochs, whole.batch_size) == (epochs, batch)


def test_much_free_text_gets_a_higher_rank():
    assert (chosen(5_000).r, chosen(1_999, labelled=False).r, chosen(2_000, labelled=False).r) == (16, 16, 32)
    assert chosen(2_000, labelled=False).lora_alpha == 64


@pytest.mark.parametrize("method", ["full", "prompt-tuning", "prefix-tuning"])
def test_a_method_without_adapters_gets_no_rank(method):
    _, choices = choose(TrainSection(method=method), Facts(EMBEDDED, 1_000, True))
    assert [choice.key for choice in choices] == ["learning_rate", "epochs", "batch_size"]

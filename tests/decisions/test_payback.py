"""When a fine-tune pays back."""

from collections.abc import Callable

import pytest

from tunesmith.core.scorecard import Scorecard
from tunesmith.core.verdict import Once
from tunesmith.decisions.comparison import Evaluated
from tunesmith.decisions.payback import payback, sentences

ONCE = Once(training_seconds=3600.0, training=2.0, review_seconds=1800.0, review=30.0)


@pytest.fixture
def card(pair: Callable[..., tuple[Evaluated, Evaluated]]) -> Callable[[str, float | None], Scorecard]:
    made = pair(100, 10, 5)[0].scorecard
    return lambda name, cost: made.model_copy(update={"candidate": name, "cost_per_success": cost})


def test_the_volume_is_what_was_spent_once_over_what_is_saved(card: Callable[..., Scorecard]) -> None:
    found = payback(card("fine-tune", 0.001), [card("hosted", 0.005), card("rules", 0.0), card("silent", None)], ONCE)
    assert found is not None
    assert [(each.baseline, each.volume) for each in found.against] == [("hosted", 8000), ("rules", None)]
    said = sentences(found, "€")
    assert said[0] == (
        "Making the fine-tune cost €32.00: 1 h 00 min of training, €2.00 and 30 min 00 s of review, €30.00."
    )
    assert "has paid back after 8,000 right answers" in said[1]
    assert "never pays back" in said[2]


def test_what_has_no_price_is_not_counted_and_said(card: Callable[..., Scorecard]) -> None:
    once = ONCE.model_copy(update={"review": None})
    found = payback(card("fine-tune", 0.001), [card("hosted", 0.0017)], once)
    assert found is not None
    assert found.against[0].volume == 2858
    assert "not counted: 30 min 00 s of review ([prices] per_review_hour is not set)" in sentences(found, "$")[0]
    assert "after 2,860 right answers" in sentences(found, "$")[1]
    tokens = once.model_copy(update={"provider": "openai", "trained_tokens": 1_500_000})
    found = payback(card("fine-tune", 0.001), [card("hosted", 0.0017)], tokens)
    assert found is not None
    assert "cost $2.00: training on 1,500,000 tokens at openai, $2.00;" in sentences(found, "$")[0]
    silent = ONCE.model_copy(update={"training": None, "provider": "openai"})
    found = payback(card("fine-tune", 0.001), [card("hosted", 0.0017)], silent)
    assert found is not None
    assert "not counted: training at openai (it did not say on how many tokens)" in sentences(found, "$")[0]
    nothing = once.model_copy(update={"training": None})
    assert payback(card("fine-tune", 0.001), [card("hosted", 0.0017)], nothing) is None
    assert payback(card("fine-tune", None), [card("hosted", 0.0017)], ONCE) is None

import pytest
from pydantic import ValidationError

from tunesmith.core.prediction import Prediction
from tunesmith.evaluation.prices import ModelPrices, PricesSection

ANSWER = Prediction(example="a", state="ok", output="x", seconds=1.8, tokens_in=2000, tokens_out=500)


def test_seconds_and_tokens_are_priced() -> None:
    assert PricesSection(per_hour=2.0).cost(ANSWER) == pytest.approx(0.001)
    tokens = PricesSection(per_million_tokens_in=0.5, per_million_tokens_out=2.0)
    assert tokens.cost(ANSWER) == pytest.approx(0.002)
    both = PricesSection(per_hour=2.0, per_million_tokens_in=0.5, per_million_tokens_out=2.0)
    assert both.cost(ANSWER) == pytest.approx(0.003)


def test_a_price_of_zero_is_a_price() -> None:
    assert not PricesSection().known
    assert PricesSection(per_hour=0.0).known
    assert PricesSection(per_million_tokens_out=0.1).known
    assert PricesSection().cost(ANSWER) == 0.0


@pytest.mark.parametrize("price", [-1.0, float("inf"), float("nan")])
def test_impossible_prices_are_refused(price: float) -> None:
    with pytest.raises(ValidationError):
        PricesSection(per_hour=price)


def test_a_model_may_have_prices_of_its_own() -> None:
    prices = PricesSection(
        per_hour=2.0, per_million_tokens_in=0.5, models={"lab:large": ModelPrices(per_million_tokens_in=5.0)}
    )
    assert prices.of("lab:large").cost(ANSWER) == pytest.approx(0.001 + 0.01)
    assert prices.of("lab:small") == prices.of(None) == prices
    assert PricesSection(models={"x": ModelPrices(per_hour=1.0)}).of("x").known


def test_what_a_record_says_was_paid_goes_before_any_price() -> None:
    assert PricesSection(per_hour=2.0).cost(ANSWER.model_copy(update={"paid": 0.7})) == 0.7

import pytest
from pydantic import ValidationError

from tunesmith.core.prediction import Prediction
from tunesmith.evaluation.prices import PricesSection

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

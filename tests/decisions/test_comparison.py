from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from tunesmith.core.errors import UserError
from tunesmith.decisions.comparison import Evaluated, compare_pairs, holm
from tunesmith.decisions.paired import sign_flip_p

Judged = tuple[Evaluated, Evaluated]


def test_a_comparison_counts_rows_and_names_its_level(pair: Callable[..., Judged]) -> None:
    a, b = pair(200, 30, 10)
    found = compare_pairs(a, b, "accuracy")
    assert found is not None
    assert (found.a, found.b, found.n, found.a_only, found.b_only) == ("fine-tuned", "prompt", 200, 30, 10)
    assert found.difference == pytest.approx(0.1)
    assert found.low < 0.1 < found.high
    wider = compare_pairs(a, b, "accuracy", level=0.99)
    assert wider is not None
    assert wider.low < found.low
    assert wider.high > found.high
    assert wider.level == 0.99
    turned = compare_pairs(b, a, "accuracy")
    assert turned is not None
    assert (turned.low, turned.high, turned.p) == (
        pytest.approx(-found.high),
        pytest.approx(-found.low),
        pytest.approx(found.p),
    )


def test_a_slice_is_compared_by_itself(pair: Callable[..., Judged]) -> None:
    a, b = pair(200, 30, 10, slices=["long" if place % 4 else "short" for place in range(200)])
    short, long = (compare_pairs(a, b, "accuracy", slice=name) for name in ("short", "long"))
    assert short is not None
    assert long is not None
    assert (short.n, long.n) == (50, 150)
    assert (short.a_only + long.a_only, short.b_only + long.b_only) == (30, 10)
    assert compare_pairs(a, b, "accuracy", slice="none") is None


def test_other_rows_cannot_be_compared(pair: Callable[..., Judged]) -> None:
    with pytest.raises(UserError, match="measured on different rows"):
        compare_pairs(pair(200, 30, 10)[0], pair(201, 30, 10)[1], "accuracy")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_statsmodels(ps: list[float]) -> None:
    assert holm(ps) == pytest.approx(list(multipletests(ps, method="holm")[1]))


def familywise(draws: int) -> float:
    """How often any of 5 true nulls is rejected, the candidates sharing one reference."""
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(draws):
        reference = rng.random(150) < 0.8
        others = [np.where(rng.random(150) < 0.5, reference, rng.random(150) < 0.8) for _ in range(5)]
        ps = [sign_flip_p(other.astype(float) - reference, None) for other in others]
        wrong += min(holm(ps)) <= 0.05
    return wrong / draws


def test_holm_keeps_the_familywise_error() -> None:
    assert familywise(1000) <= 0.05


@pytest.mark.slow
def test_holm_keeps_the_familywise_error_closely() -> None:
    assert familywise(20_000) <= 0.05

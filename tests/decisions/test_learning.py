"""The power law is found again, and the interval of a gain holds the true one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.decisions.learning import DRAWS, curve, fit, subsets


def law(rows: float, floor: float, scale: float, rate: float) -> float:
    return 1 - floor - scale * rows**-rate


@settings(max_examples=60, deadline=None)
@given(rate=st.floats(0.1, 0.9), least=st.floats(0.3, 0.6), floor=st.floats(0, 0.1), whole=st.integers(200, 20_000))
def test_a_curve_without_noise_is_followed_beyond_its_end(rate: float, least: float, floor: float, whole: int) -> None:
    scale = least * subsets(whole)[0] ** rate  # so that `least` is missing, beside the floor, at the smallest size
    sizes = subsets(whole)
    found = fit(sizes, [law(size, floor, scale, rate) for size in sizes])
    assert found.score(whole) == pytest.approx(law(whole, floor, scale, rate), abs=0.01)
    assert found.score(4 * whole) == pytest.approx(law(4 * whole, floor, scale, rate), abs=0.03)


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_a_fit_never_falls_with_more_rows_and_stays_a_score(scores: list[float]) -> None:
    found = fit([10, 25, 50, 100], scores)
    assert found.score(400) >= found.score(100) - 1e-9
    assert found.score(400) <= 1 + 1e-9


@given(st.integers(1, 100_000))
def test_the_sizes_end_with_the_whole(rows: int) -> None:
    sizes = subsets(rows)
    assert sizes[-1] == rows
    assert sizes == sorted(set(sizes))
    assert sizes[0] >= 1


def scored(whole: int, validation: int, chance: np.random.Generator, floor: float, scale: float, rate: float):
    """Rows are harder and easier, so that draws and sizes answer the same ones."""
    hard = chance.random(validation)
    found: dict[int, list[list[float]]] = {}
    for size in subsets(whole):
        chances = np.clip(law(size, floor, scale, rate) + (0.5 - hard) * 0.6, 0, 1)
        chances = np.clip(chances + law(size, floor, scale, rate) - chances.mean(), 0, 1)
        draws = 1 if size == whole else DRAWS
        found[size] = [(chance.random(validation) < chances).astype(float).tolist() for _ in range(draws)]
    return found


def test_too_few_rows_give_points_and_no_extrapolation() -> None:
    chance = np.random.default_rng(0)
    few = curve("x", "accuracy", scored(400, 12, chance, 0.1, 1.0, 0.3))
    assert [point.rows for point in few.points] == [40, 100, 200, 400]
    assert few.more == ()
    assert "12 rows to measure on are too few" in few.why
    assert "30 rows to learn from are too few" in curve("x", "accuracy", scored(30, 100, chance, 0.1, 1.0, 0.3)).why
    assert curve("x", "accuracy", {100: [[1.0] * 30], 400: [[1.0] * 30]}).why == "too few sizes to fit a curve"


def test_the_same_scores_give_the_same_curve_and_a_flat_one_promises_nothing() -> None:
    rows = scored(1_000, 200, np.random.default_rng(1), 0.05, 2.0, 0.4)
    assert curve("x", "accuracy", rows) == curve("x", "accuracy", rows)
    flat = curve("x", "accuracy", {size: [[1.0, 0.0] * 100] * 3 for size in (100, 250, 500, 1_000)})
    assert all(more.gain == pytest.approx(0.0, abs=1e-6) for more in flat.more)


@pytest.mark.slow
@pytest.mark.parametrize(("whole", "validation", "rate"), [(8_000, 500, 0.4), (1_000, 200, 0.25), (200, 60, 0.3)])
def test_the_interval_of_a_gain_holds_the_true_one(whole: int, validation: int, rate: float) -> None:
    """Simulated (docs/advice.md)."""
    chance, floor = np.random.default_rng(2), 0.05
    scale = 0.5 * subsets(whole)[0] ** rate
    held, times = 0, 40
    for _ in range(times):
        more = curve("x", "accuracy", scored(whole, validation, chance, floor, scale, rate)).more[0]
        assert more.low is not None
        gain = law(2 * whole, floor, scale, rate) - law(whole, floor, scale, rate)
        held += more.low <= gain <= more.high
    assert held >= 0.95 * times

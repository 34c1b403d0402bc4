import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from tunesmith.tasks.intervals import Integers
from tunesmith.tasks.macro_f1 import estimate, linearise, missing_rows


def draw(rng: np.random.Generator, n: int, prior: np.ndarray, accuracy: np.ndarray) -> tuple[Integers, Integers]:
    """Rows whose wrong answers go to the next label, or to none after the last."""
    expected = rng.choice(len(prior), n, p=prior)
    right = rng.random(n) < accuracy[expected]
    return expected, np.where(right, expected, expected + 1)


def truth(prior: np.ndarray, accuracy: np.ndarray) -> float:
    said = prior * accuracy + np.concatenate([[0.0], (prior * (1 - accuracy))[:-1]])
    return float(np.mean(2 * prior * accuracy / (prior + said)))


def reference(expected: Integers, answered: Integers, labels: int, weights: np.ndarray | None = None) -> float:
    occurring = [label for label in range(labels) if label in expected]
    return float(
        f1_score(expected, answered, labels=occurring, average="macro", sample_weight=weights, zero_division=0)
    )


@given(st.integers(2, 6), st.integers(0, 2**32))
def test_value_is_scikit_learns(labels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    expected, answered = rng.integers(0, labels, 40), rng.integers(0, labels + 1, 40)
    assert linearise(expected, answered, labels).value == pytest.approx(reference(expected, answered, labels))


def test_influence_is_the_derivative_by_a_rows_weight() -> None:
    expected, answered = draw(np.random.default_rng(3), 200, np.full(5, 0.2), np.full(5, 0.7))
    linear = linearise(expected, answered, 5)
    for row in range(0, 200, 17):
        weights = np.ones(200)
        weights[row] += 1e-6
        slope = (reference(expected, answered, 5, weights) - linear.value) / 1e-6
        assert linear.influence[row] == pytest.approx(slope, abs=1e-7)
    assert linear.influence.sum() == pytest.approx(0)


def test_interval_agrees_with_a_bootstrap() -> None:
    rng = np.random.default_rng(1)
    expected, answered = draw(rng, 600, np.full(6, 1 / 6), np.linspace(0.7, 0.9, 6))
    _, low, high = estimate(expected, answered, 6, None)  # type: ignore[misc]
    again = [linearise(expected[rows], answered[rows], 6).value for rows in rng.integers(0, 600, (1000, 600))]
    assert high - low == pytest.approx(np.quantile(again, 0.975) - np.quantile(again, 0.025), rel=0.08)


CASES = {
    "3 labels, 60 rows": (60, np.full(3, 1 / 3), np.array([0.9, 0.8, 0.85])),
    "8 uneven labels": (200, np.linspace(1, 4, 8) / 20, np.linspace(0.97, 0.75, 8)),
    "rare label": (300, np.array([0.6, 0.3, 0.1]), np.array([0.95, 0.9, 0.7])),
    "77 labels": (3080, np.full(77, 1 / 77), np.linspace(0.6, 0.98, 77)),
    "77 labels, few rows": (1155, np.full(77, 1 / 77), np.linspace(0.8, 0.98, 77)),
    "almost perfect": (500, np.full(8, 1 / 8), np.full(8, 0.98)),
    "poor": (600, np.full(20, 1 / 20), np.full(20, 0.4)),
}


def covered(case: str, draws: int) -> float:
    n, prior, accuracy = CASES[case]
    rng, true = np.random.default_rng(5), truth(prior, accuracy)
    found = [estimate(*draw(rng, n, prior, accuracy), len(prior), None) for _ in range(draws)]
    known = [each for each in found if each is not None]
    assert len(known) > draws / 4
    return float(np.mean([low <= true <= high for _, low, high in known]))


@pytest.mark.parametrize("case", ["3 labels, 60 rows", "8 uneven labels", "77 labels", "poor"])
def test_covers(case: str) -> None:
    assert 0.93 <= covered(case, 800) <= 0.975


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_covers_closely(case: str) -> None:
    share = covered(case, 5000)
    assert share >= 0.93
    if CASES[case][0] >= 500:
        assert share <= 0.97


def test_groups_widen_the_interval() -> None:
    expected, answered = draw(np.random.default_rng(2), 300, np.full(3, 1 / 3), np.full(3, 0.8))
    alone = estimate(expected, answered, 3, None)
    grouped = estimate(np.repeat(expected, 4), np.repeat(answered, 4), 3, np.repeat(np.arange(300), 4))
    assert alone is not None
    assert grouped is not None
    assert grouped[2] - grouped[1] == pytest.approx(alone[2] - alone[1], rel=0.05)


@pytest.mark.parametrize(
    ("support", "missing"), [([25, 25], 0), ([25, 24], 1), ([60, 3], 2), ([60, 0, 5], 0), ([20, 2, 3], 25)]
)
def test_too_few_rows_are_counted(support: list[int], missing: int) -> None:
    expected = np.repeat(np.arange(len(support)), support)
    assert missing_rows(expected) == missing
    assert (estimate(expected, expected, len(support), None) is None) == (missing > 0)


def test_all_right_and_all_wrong_still_have_an_interval() -> None:
    expected = np.repeat(np.arange(4), 25)
    value, low, high = estimate(expected, expected, 4, None)  # type: ignore[misc]
    assert (value, high) == (1.0, 1.0)
    assert 0.9 < low < 0.98
    value, low, high = estimate(expected, np.full(100, 4), 4, None)  # type: ignore[misc]
    assert (value, low) == (0.0, 0.0)
    assert 0.02 < high < 0.1

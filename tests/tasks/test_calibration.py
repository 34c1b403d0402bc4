from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit, logit

from tunesmith.tasks.calibration import BINS, estimate
from tunesmith.tasks.intervals import Floats

Draw = Callable[[np.random.Generator, int], Floats]
CONFIDENCES: dict[str, Draw] = {
    "sure": lambda rng, n: rng.beta(20, 1, n),
    "spread": lambda rng, n: rng.uniform(0.05, 0.999, n),
    "moderate": lambda rng, n: rng.beta(8, 2, n),
    "unsure": lambda rng, n: rng.beta(3, 6, n),
}
ACCURACIES: dict[str, Callable[[Floats], Floats]] = {
    "perfect": lambda c: c,
    "slightly over": lambda c: expit(logit(c) - 0.1),
    "over": lambda c: expit(0.8 * logit(c)),
    "far over": lambda c: expit(0.5 * logit(c)),
    "shifted": lambda c: expit(logit(c) - 1),
    "under": lambda c: expit(1.5 * logit(c) + 0.5),
    "crossing": lambda c: expit(logit(c) + np.sin(9 * c)),
}


def truth(confidence: str, accuracy: str) -> float:
    said = CONFIDENCES[confidence](np.random.default_rng(99), 400_000)
    gaps = said - ACCURACIES[accuracy](said)
    return float(np.abs(np.bincount(np.minimum((said * BINS).astype(int), BINS - 1), gaps)).sum() / len(said))


def covered(confidence: str, accuracy: str, n: int, draws: int) -> float:
    rng, true = np.random.default_rng(7), truth(confidence, accuracy)
    hits = 0
    for _ in range(draws):
        said = CONFIDENCES[confidence](rng, n)
        found = estimate(said, rng.random(n) < ACCURACIES[accuracy](said), None)
        assert found is not None
        hits += found[1] <= true <= found[2]
    return hits / draws


@pytest.mark.parametrize(
    ("confidence", "accuracy"),
    [("moderate", "perfect"), ("sure", "over"), ("spread", "slightly over"), ("unsure", "shifted")],
)
def test_covers(confidence: str, accuracy: str) -> None:
    assert 0.92 <= covered(confidence, accuracy, 500, 150) <= 1.0


@pytest.mark.slow
@pytest.mark.parametrize("confidence", CONFIDENCES)
@pytest.mark.parametrize("accuracy", ACCURACIES)
@pytest.mark.parametrize("n", [300, 1000])
def test_covers_closely(confidence: str, accuracy: str, n: int) -> None:
    share = covered(confidence, accuracy, n, 600)
    error = 2.6 * np.sqrt(0.93 * 0.07 / 600)  # of the simulation; 56 cases are looked at
    assert share >= 0.93 - error
    if n >= 500:
        assert share <= 0.97 + error


def test_a_perfectly_calibrated_candidate_may_show_no_error() -> None:
    rng = np.random.default_rng(4)
    said = rng.beta(8, 2, 400)
    value, low, high = estimate(said, rng.random(400) < said, None)  # type: ignore[misc]
    assert low == 0.0
    assert value < 0.03
    assert high < 0.08


def test_a_large_error_is_the_plain_figure() -> None:
    said = np.linspace(0.9, 0.99, 1000)
    right = np.arange(1000) % 2 == 0
    value, low, high = estimate(said, right, None)  # type: ignore[misc]
    assert value == pytest.approx(0.445, abs=0.002)
    assert low < value < high


def test_groups_widen_the_interval() -> None:
    rng = np.random.default_rng(5)
    said = rng.uniform(0.3, 0.9, 400)
    right = rng.random(400) < said - 0.2
    alone = estimate(said, right, None)
    grouped = estimate(np.repeat(said, 3), np.repeat(right, 3), np.repeat(np.arange(400), 3))
    assert alone is not None
    assert grouped is not None
    assert grouped[2] - grouped[1] == pytest.approx(alone[2] - alone[1], rel=0.1)


def test_few_rows_or_hardly_any_doubt_are_unknown() -> None:
    rng = np.random.default_rng(6)
    assert estimate(rng.uniform(0.2, 0.9, 299), np.ones(299, bool), None) is None
    assert estimate(np.full(1000, 0.995), np.ones(1000, bool), None) is None


def test_certainty_is_a_confidence_like_any_other() -> None:
    said = np.where(np.arange(400) % 2, 1.0, 0.0)
    value, low, high = estimate(said, said == 1.0, None)  # type: ignore[misc]
    assert low == 0.0
    assert value < 0.01
    assert high < 0.02

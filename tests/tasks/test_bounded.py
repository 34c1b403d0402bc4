"""Coverage of the mean of scores, by simulation with fixed seeds: skewed, lumpy, with rare failures, in groups."""

from collections.abc import Callable

import numpy as np
import pytest

from tunesmith.tasks.bounded import MIN_ROWS, mean
from tunesmith.tasks.intervals import Floats

Draw = Callable[[np.random.Generator, int], Floats]


def beta(a: float, b: float, *, nought: float = 0.0, one: float = 0.0) -> tuple[Draw, float]:
    """Beta scores, a share of which is 0 (no valid answer) and a share 1 (right to the letter); and their mean."""

    def draw(rng: np.random.Generator, n: int) -> Floats:
        kind = rng.random(n)
        return np.where(kind < nought, 0.0, np.where(kind > 1 - one, 1.0, rng.beta(a, b, n)))

    return draw, one + (1 - nought - one) * a / (a + b)


SCORES = {
    "even": beta(2, 2),
    "alike": beta(50, 50),
    "high": beta(8, 2),
    "high and alike": beta(30, 3),
    "very high": beta(5, 0.5),
    "very low": beta(0.5, 5),
    "at either end": beta(0.3, 0.3),
    "a hundredth failed": beta(20, 2, nought=0.01),
    "a twentieth failed": beta(20, 2, nought=0.05),
    "a fifth failed": beta(3, 5, nought=0.2),
    "a third right": beta(8, 3, one=0.3),
    "nearly all right": beta(2, 2, one=0.97),
    "right or wrong": beta(1, 1, nought=0.1, one=0.9),
}


def coverage(scores: str, n: int, draws: int) -> float:
    rng = np.random.default_rng(3)
    draw, truth = SCORES[scores]
    found = [mean(draw(rng, n), None) for _ in range(draws)]
    return float(np.mean([each is not None and each.low <= truth <= each.high for each in found]))


def noise(draws: int) -> float:
    """What a simulated coverage may be off by chance, of one of some dozens."""
    return 3 * float(np.sqrt(0.95 * 0.05 / draws))


@pytest.mark.parametrize("scores", ["even", "high and alike", "a hundredth failed", "nearly all right"])
@pytest.mark.parametrize("n", [20, 100, 500])
def test_means_cover(scores: str, n: int) -> None:
    covered = coverage(scores, n, 1000)
    assert covered >= 0.93
    if n >= 500:
        assert covered <= 0.97 + noise(1000)


@pytest.mark.slow
@pytest.mark.parametrize("scores", SCORES)
@pytest.mark.parametrize("n", [20, 30, 50, 100, 200, 350, 500, 1000, 3000])
def test_means_cover_everywhere(scores: str, n: int) -> None:
    covered = coverage(scores, n, 4000)
    assert covered >= 0.93
    if n >= 500:
        assert covered <= 0.97 + noise(4000)


UNEVEN = [1 + int(12 * (place * 7919 % 100 / 100) ** 3) for place in range(100)]
GROUPS = {"30 of 3": [3] * 30, "100 of 5": [5] * 100, "uneven": UNEVEN, "few": [4, *[1] * 9] * 60}


def grouped_coverage(sizes: list[int], scores: str, correlation: float, draws: int) -> float:
    """Rows of a group have the same score with a chance whose square is the correlation, else one of their own."""
    rng = np.random.default_rng(4)
    draw, truth = SCORES[scores]
    groups = np.repeat(np.arange(len(sizes)), sizes)
    covered = 0
    for _ in range(draws):
        common, own = draw(rng, len(sizes))[groups], draw(rng, len(groups))
        found = mean(np.where(rng.random(len(groups)) < np.sqrt(correlation), common, own), groups)
        assert found is not None
        covered += found.low <= truth <= found.high
    return covered / draws


@pytest.mark.parametrize(("sizes", "scores", "correlation"), [("100 of 5", "high", 0.3), ("few", "even", 0.0)])
def test_grouped_means_cover(sizes: str, scores: str, correlation: float) -> None:
    assert 0.93 <= grouped_coverage(GROUPS[sizes], scores, correlation, 1000) <= 0.97 + noise(1000)


@pytest.mark.slow
@pytest.mark.parametrize("sizes", GROUPS)
@pytest.mark.parametrize("scores", ["even", "high", "very high", "a twentieth failed", "a third right"])
@pytest.mark.parametrize("correlation", [0, 0.1, 0.3, 0.7, 1])
def test_grouped_means_cover_everywhere(sizes: str, scores: str, correlation: float) -> None:
    covered = grouped_coverage(GROUPS[sizes], scores, correlation, 2000)
    assert covered >= 0.93
    if sum(GROUPS[sizes]) >= 500 and correlation < 1:
        assert covered <= 0.97 + noise(2000)


def test_few_rows_or_groups_are_unknown() -> None:
    scores = np.linspace(0, 1, 200)
    assert mean(scores[: MIN_ROWS - 1], None) is None
    assert mean(scores[:MIN_ROWS], None) is not None
    assert mean(scores, np.arange(200) // 20) is None


@pytest.mark.parametrize("score", [0.0, 0.4, 1.0])
def test_scores_that_are_all_equal_have_an_interval_all_the_same(score: float) -> None:
    found = mean(np.full(60, score), None)
    assert found is not None
    assert found.low <= score <= found.high
    assert 0.02 < found.high - found.low < 0.25


def test_limits_mirror() -> None:
    scores = np.random.default_rng(0).beta(8, 2, 90)
    one, other = mean(scores, None), mean(1 - scores, None)
    assert one is not None
    assert other is not None
    assert one.low == pytest.approx(1 - other.high)
    assert one.high == pytest.approx(1 - other.low)

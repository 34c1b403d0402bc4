"""Coverage is enumerated where rows stand alone, and simulated with fixed seeds where they do not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tunesmith.tasks import intervals
from tunesmith.tasks.intervals import Floats, proportion, proportions, quantile, spread, together


def coverage(n: int, p: Floats) -> Floats:
    counts = np.arange(n + 1)
    low, high = proportions(counts, n)
    chance = stats.binom.pmf(counts, n, p[:, None])
    return (chance * ((low <= p[:, None]) & (p[:, None] <= high))).sum(axis=1)


def shares(n: int, points: int) -> Floats:
    """Fine where few successes are expected, since coverage jumps there."""
    rare = np.linspace(0.01, min(25.0, n / 2), points) / n
    return np.unique(np.concatenate([rare, np.linspace(0.001, 0.5, points)]))


@pytest.mark.parametrize("n", [10, 11, 20, 35, 50, 100, 200, 500])
def test_proportions_cover_by_enumeration(n: int) -> None:
    p = shares(n, 300)
    covered = coverage(n, p)
    assert covered.min() >= 0.9399
    if n >= 500:
        assert covered[n * p >= 3].max() <= 0.97
        assert covered[n * p >= 50].mean() == pytest.approx(0.95, abs=0.003)


@pytest.mark.slow
@pytest.mark.parametrize("n", [13, 17, 75, 150, 333, 750, 1000, 1500, 3080])
def test_proportions_cover_by_enumeration_finely(n: int) -> None:
    p = shares(n, 1500)
    covered = coverage(n, p)
    assert covered.min() >= 0.9399
    if n >= 500:
        assert covered[n * p >= 3].max() <= 0.97


@pytest.mark.parametrize("n", [10, 23, 70])
def test_limits_are_those_of_blakers_test_inverted_by_brute_force(n: int) -> None:
    counts = np.arange(n + 1)
    grid = np.linspace(1e-4, 1 - 1e-4, 2000)
    chance = stats.binom.pmf(counts, n, grid[:, None])
    tail = np.minimum(stats.binom.cdf(counts, n, grid[:, None]), stats.binom.sf(counts - 1, n, grid[:, None]))
    for x in counts:
        alpha = intervals.alpha(np.array(float(min(x, n - x))))
        accepted = grid[(chance * (tail <= tail[:, [x]] * (1 + 1e-9))).sum(axis=1) > alpha]
        low, high = proportions(x, n)
        assert low == pytest.approx(accepted.min(), abs=1e-3)
        assert high == pytest.approx(accepted.max(), abs=1e-3)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_limits_hold_the_share_and_mirror(count: tuple[int, int]) -> None:
    x, n = count
    low, high = proportions([x, n - x], n)
    assert 0 <= low[0] <= x / n <= high[0] <= 1
    assert np.all(np.diff(proportions([x, min(x + 1, n)], n)) >= 0)
    assert low[0] == pytest.approx(1 - high[1], abs=1e-12)
    assert (low[0] == 0) == (x == 0)


def test_a_share_of_few_rows_is_unknown() -> None:
    assert proportion(np.ones(9, bool), None) is None
    assert proportion(np.ones(10, bool), None) is not None


def clustered(rng: np.random.Generator, sizes: Floats, p: float, correlation: float) -> tuple[np.ndarray, np.ndarray]:
    """Beta-binomial hits in groups of the given sizes, and each row's group."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    if correlation == 0:
        chance = np.full(len(sizes), p)
    elif correlation == 1:
        chance = (rng.random(len(sizes)) < p).astype(float)
    else:
        chance = rng.beta(p * (1 / correlation - 1), (1 - p) * (1 / correlation - 1), len(sizes))
    return rng.random(len(groups)) < chance[groups], groups


def grouped_coverage(sizes: list[int], p: float, correlation: float, draws: int) -> float:
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(draws):
        found = proportion(*clustered(rng, np.array(sizes), p, correlation))
        assert found is not None
        covered += found[1] <= p <= found[2]
    return covered / draws


UNEVEN = [1 + int(12 * (place * 7919 % 100 / 100) ** 3) for place in range(100)]
GROUPS = {
    "30 of 3": [3] * 30,
    "100 of 5": [5] * 100,
    "250 of 2": [2] * 250,
    "uneven": UNEVEN,
    "few": [4, *[1] * 9] * 60,
}


@pytest.mark.parametrize(
    ("sizes", "p", "correlation"), [("100 of 5", 0.9, 0.3), ("uneven", 0.8, 0.7), ("few", 0.9, 0.0)]
)
def test_grouped_proportions_cover(sizes: str, p: float, correlation: float) -> None:
    assert 0.93 <= grouped_coverage(GROUPS[sizes], p, correlation, 1500) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("sizes", GROUPS)
@pytest.mark.parametrize("p", [0.5, 0.85, 0.95])
@pytest.mark.parametrize("correlation", [0, 0.1, 0.3, 0.7, 1])
def test_grouped_proportions_cover_everywhere(sizes: str, p: float, correlation: float) -> None:
    covered = grouped_coverage(GROUPS[sizes], p, correlation, 2000)
    assert covered >= 0.93
    independent = sum(GROUPS[sizes]) * (1 - p) * (1 - correlation)
    if sum(GROUPS[sizes]) >= 500 and independent >= 20:  # enough errors to tell how they cluster
        assert covered <= 0.97


def test_rows_that_agree_within_groups_count_as_their_groups() -> None:
    rng = np.random.default_rng(0)
    alone = rng.random(60) < 0.8
    groups = np.repeat(np.arange(60), 10)
    _, low, high = proportion(np.repeat(alone, 10), groups)  # type: ignore[misc]
    _, low_alone, high_alone = proportion(alone, None)  # type: ignore[misc]
    assert high - low == pytest.approx(high_alone - low_alone, rel=0.1)


def test_too_few_groups_are_unknown_however_many_rows() -> None:
    hits = np.random.default_rng(0).random(1000) < 0.5
    assert proportion(hits, np.arange(1000) // 50) is None
    one_large = np.concatenate([np.zeros(500, int), np.arange(1, 501)])  # in effect 4 groups
    assert spread(hits.astype(float), one_large, hits) is None


def test_groups_of_one_row_are_no_groups() -> None:
    assert together(np.array([5, 2, 9])) is None
    assert together(None) is None
    assert together(np.array([5, 2, 5])).tolist() == [1, 0, 1]  # type: ignore[union-attr]


@pytest.mark.parametrize(("n", "share"), [(24, 0.5), (100, 0.5), (100, 0.95), (59, 0.95)])
def test_quantile_covers_by_enumeration(n: int, share: float) -> None:
    found = quantile(np.arange(1.0, n + 1), share)
    assert found is not None
    value, low, high = found
    assert low <= value <= high
    below = stats.binom(n, share)  # how many values lie below the true quantile
    assert below.cdf(high - 1) - below.cdf(low - 1) >= 0.95


def test_quantile_of_few_values_is_unknown() -> None:
    assert quantile(np.arange(24.0), 0.95) is None
    assert quantile(np.arange(5.0), 0.5) is None
    assert quantile(np.array([]), 0.5) is None

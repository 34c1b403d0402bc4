"""Coverage by enumeration over all outcomes; parity with statsmodels and with published examples."""

from functools import lru_cache

import numpy as np
import pytest
from scipy import special
from statsmodels.stats.contingency_tables import mcnemar

from tunesmith.decisions.paired import accuracy_difference, macro_f1_difference, sign_flip_p, tango
from tunesmith.tasks.classified import Answers

Z = 1.959963984540054


def answers(outcomes: np.ndarray, groups: np.ndarray | None = None) -> tuple[Answers, Answers]:
    """Two candidates of which only the first is right where an outcome is 1, only the second where it is -1."""
    expected = np.zeros(len(outcomes), np.int64)
    return (
        Answers(expected, (outcomes < 0).astype(np.int64), groups, 2),
        Answers(expected, (outcomes > 0).astype(np.int64), groups, 2),
    )


def counted(wins: int, losses: int, n: int) -> np.ndarray:
    return np.repeat([1, -1, 0], [wins, losses, n - wins - losses])


@pytest.mark.parametrize(
    ("wins", "losses", "n", "low", "high"),
    [  # Fagerland, Lydersen and Laake (2014): airway hyper-responsiveness, complete response
        (1, 7, 21, -0.517, -0.026),
        (6, 16, 161, -0.124, -0.0054),
    ],
)
def test_tango_is_the_published_interval(wins: int, losses: int, n: int, low: float, high: float) -> None:
    assert tango(wins, losses, n, Z) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))


@pytest.mark.parametrize("n", [10, 57, 400])
def test_tango_without_losses_or_wins_has_a_closed_form(n: int) -> None:
    assert tango(0, 0, n, Z) == (pytest.approx(-(Z**2) / (n + Z**2)), pytest.approx(Z**2 / (n + Z**2)))
    low, high = tango(7, 3, n, Z)
    assert tango(3, 7, n, Z) == (pytest.approx(-high), pytest.approx(-low))


@pytest.mark.parametrize(("wins", "losses"), [(12, 4), (0, 5), (30, 30), (1, 0), (45, 17)])
def test_p_is_mcnemars_exact(wins: int, losses: int) -> None:
    table = [[50, wins], [losses, 20]]
    p = sign_flip_p(counted(wins, losses, 150).astype(float), None)
    assert p == pytest.approx(mcnemar(table, exact=True).pvalue)


def test_p_of_groups_is_that_of_all_their_signs() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(10), 4)
    each = rng.integers(-1, 2, 40).astype(float)
    sums = np.bincount(groups, weights=each)
    signs = 1 - 2 * ((np.arange(1024)[:, None] >> np.arange(10)) & 1)
    by_hand = np.mean(np.abs(signs @ sums) >= abs(sums.sum()))
    assert sign_flip_p(each, groups) == pytest.approx(by_hand)
    assert sign_flip_p(np.zeros(30), None) == 1.0


@lru_cache
def limits(n: int, most: int) -> tuple[np.ndarray, ...]:
    """Wins, losses, low and high of every outcome with at most `most` discordant rows."""
    pairs = [(wins, losses) for wins in range(most + 1) for losses in range(most + 1 - wins) if wins >= losses]
    found = {pair: accuracy_difference(*answers(counted(*pair, n)), 0.95) for pair in pairs}
    table = [(*pair, each.low, each.high) for pair, each in found.items() if each]
    table += [(losses, wins, -high, -low) for wins, losses, low, high in table if wins > losses]
    return tuple(np.array(column) for column in zip(*table, strict=True))


def missed(n: int, most: int, win: float, lose: float) -> tuple[float, float]:
    """The chances that the interval lies above and below the true difference."""
    wins, losses, low, high = limits(n, most)
    rest = n - wins - losses
    chance = special.gammaln(n + 1) - sum(special.gammaln(count + 1) for count in (wins, losses, rest))
    chance += special.xlogy(wins, win) + special.xlogy(losses, lose) + special.xlogy(rest, 1 - win - lose)
    chance = np.exp(chance)
    assert chance.sum() > 1 - 1e-6
    true = win - lose
    return float(chance[low > true + 1e-12].sum()), float(chance[high < true - 1e-12].sum())


def check(n: int, most: int, expected: list[float]) -> None:
    for win in expected:
        for lose in expected:
            above, below = missed(n, most, win / n, lose / n)
            covered = 1 - above - below
            assert covered >= 0.93, (win, lose)
            if n >= 500 and win + lose >= 5:
                assert covered <= 0.9705, (win, lose)
            if win / n - lose / n >= 0.02 - 1e-9:  # where a false ship is possible
                assert above <= 0.04, (win, lose)


EXPECTED = [0.0, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0]


@pytest.mark.parametrize("n", [20, 50])
def test_the_difference_covers_by_enumeration(n: int) -> None:
    check(n, n, [count for count in EXPECTED if count < n / 2])


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 250, 500, 1000, 3000])
def test_the_difference_of_more_rows_covers_by_enumeration(n: int) -> None:
    check(n, min(n, 80), [*EXPECTED, 18.0])


def grouped_coverage(sizes: np.ndarray, chances: tuple[float, float], correlation: float, draws: int) -> float:
    rng = np.random.default_rng(8)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    shares = np.array([*chances, 1 - sum(chances)])
    covered = 0
    for _ in range(draws):
        if correlation:
            drawn = rng.dirichlet(shares * (1 / correlation - 1), len(sizes))[groups]
        else:
            drawn = np.tile(shares, (len(groups), 1))
        kind = (rng.random(len(groups))[:, None] > drawn.cumsum(axis=1)).sum(axis=1)
        found = accuracy_difference(*answers(np.array([1, -1, 0])[np.minimum(kind, 2)], groups), 0.95)
        assert found is not None
        covered += found.low <= chances[0] - chances[1] <= found.high
    return covered / draws


SIZES = {"50 of 2": np.full(50, 2), "100 of 5": np.full(100, 5), "uneven": np.tile([1, 1, 1, 2, 3, 7], 40)}


@pytest.mark.parametrize(("sizes", "correlation"), [("50 of 2", 0.2), ("100 of 5", 0.5), ("uneven", 0.0)])
def test_the_difference_of_grouped_rows_covers(sizes: str, correlation: float) -> None:
    assert 0.93 <= grouped_coverage(SIZES[sizes], (0.15, 0.08), correlation, 700) <= 0.975


@pytest.mark.slow
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("chances", [(0.1, 0.05), (0.2, 0.2), (0.04, 0.02), (0.3, 0.1)])
@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.6])
def test_the_difference_of_grouped_rows_covers_closely(
    sizes: str, chances: tuple[float, float], correlation: float
) -> None:
    assert grouped_coverage(SIZES[sizes], chances, correlation, 3000) >= 0.93


def test_groups_that_repeat_their_row_count_once() -> None:
    outcomes = counted(20, 8, 100)
    alone = accuracy_difference(*answers(outcomes), 0.95)
    thrice = accuracy_difference(*answers(np.repeat(outcomes, 3), np.repeat(np.arange(100), 3)), 0.95)
    assert alone is not None
    assert thrice is not None
    assert thrice.value == pytest.approx(alone.value)
    assert thrice.high - thrice.low == pytest.approx(alone.high - alone.low, rel=0.05)
    assert thrice.p == pytest.approx(alone.p)
    assert thrice.design == pytest.approx(3, abs=0.1)


def test_few_rows_or_groups_are_unknown() -> None:
    assert accuracy_difference(*answers(counted(5, 1, 19)), 0.95) is None
    assert accuracy_difference(*answers(counted(50, 10, 200), np.arange(200) // 10), 0.95) is None
    assert macro_f1_difference(*answers(counted(5, 1, 49)), 0.95) is None


def two_candidates(
    rng: np.random.Generator, n: int, prior: np.ndarray, accuracies: tuple[np.ndarray, np.ndarray], alike: float
) -> tuple[Answers, Answers]:
    """Wrong answers name the next label; a share `alike` of the rows is equally hard for both."""
    expected = rng.choice(len(prior), n, p=prior)
    hard = rng.random(n)
    made = []
    for accuracy in accuracies:
        own = np.where(rng.random(n) < alike, hard, rng.random(n))
        right = own < accuracy[expected]
        made.append(Answers(expected, np.where(right, expected, expected + 1), None, len(prior)))
    return made[0], made[1]


def macro_f1_of(prior: np.ndarray, accuracy: np.ndarray) -> float:
    said = prior * accuracy + np.concatenate([[0.0], (prior * (1 - accuracy))[:-1]])
    return float(np.mean(2 * prior * accuracy / (prior + said)))


CASES = {
    "3 labels": (150, np.full(3, 1 / 3), (np.full(3, 0.9), np.full(3, 0.8)), 0.7),
    "8 uneven labels": (300, np.linspace(1, 4, 8) / 20, (np.linspace(0.9, 0.8, 8), np.linspace(0.7, 0.85, 8)), 0.5),
    "77 labels": (1540, np.full(77, 1 / 77), (np.full(77, 0.9), np.full(77, 0.87)), 0.8),
    "rare label": (300, np.array([0.6, 0.3, 0.1]), (np.full(3, 0.9), np.array([0.9, 0.8, 0.6])), 0.6),
}


def macro_f1_coverage(case: str, draws: int) -> float:
    n, prior, accuracies, alike = CASES[case]
    rng = np.random.default_rng(2)
    true = macro_f1_of(prior, accuracies[0]) - macro_f1_of(prior, accuracies[1])
    drawn = [macro_f1_difference(*two_candidates(rng, n, prior, accuracies, alike), 0.95) for _ in range(draws)]
    known = [each for each in drawn if each is not None]
    assert len(known) > draws / 3
    return float(np.mean([each.low <= true <= each.high for each in known]))


@pytest.mark.parametrize("case", CASES)
def test_the_difference_of_macro_f1_covers(case: str) -> None:
    assert 0.925 <= macro_f1_coverage(case, 400) <= 0.985


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_difference_of_macro_f1_covers_closely(case: str) -> None:
    assert 0.93 <= macro_f1_coverage(case, 4000) <= 0.97


def test_the_difference_of_macro_f1_agrees_with_a_paired_bootstrap() -> None:
    rng = np.random.default_rng(6)
    n, prior, accuracies, alike = CASES["8 uneven labels"]
    a, b = two_candidates(rng, 2 * n, prior, accuracies, alike)
    found = macro_f1_difference(a, b, 0.95)
    assert found is not None
    again = []
    for rows in rng.integers(0, 2 * n, (600, 2 * n)):
        one, other = (Answers(each.expected[rows], each.answered[rows], None, 8) for each in (a, b))
        drawn = macro_f1_difference(one, other, 0.95)
        again.append(drawn.value if drawn else np.nan)
    assert found.high - found.low == pytest.approx(np.nanquantile(again, 0.975) - np.nanquantile(again, 0.025), rel=0.1)

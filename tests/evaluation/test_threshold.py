"""The threshold of a cascade: what it promises holds, by simulation; and what it is chosen from."""

import numpy as np
import pytest

from tunesmith.core.example import Example, question
from tunesmith.core.prediction import Prediction
from tunesmith.evaluation.threshold import choose, fixed_sequence


def drawn(rng, rows: int, error):
    """Confidences and who is right, where `error` says how likely a mistake is at a confidence."""
    sure_N = rng.beta(4, 1.5, rows)
    return sure_N, rng.random(rows) >= error(sure_N)


def honest(sure_N):
    return 1 - sure_N


def flat(sure_N):
    """The confidence says nothing."""
    return np.full_like(sure_N, 0.10)


def inverted(sure_N):
    """The surer, the worse."""
    return 0.25 * sure_N


def true_error(rng, error, threshold: float) -> float:
    sure_N, right_N = drawn(rng, 200_000, error)
    return float(1 - right_N[sure_N >= threshold].mean())


@pytest.mark.slow
@pytest.mark.parametrize("rows", [60, 200, 1000])
@pytest.mark.parametrize("error", [honest, flat, inverted])
def test_more_errors_than_promised_are_as_rare_as_promised(error, rows):
    """P(error among accepted > level) ≤ 1 - confidence, over 2,000 draws of the calibration rows."""
    rng = np.random.default_rng(5)
    sure_N = np.sort(drawn(rng, 400_000, error)[0])[::-1]
    errors_N = np.cumsum(error(sure_N)) / np.arange(1, len(sure_N) + 1)  # among those at least so sure
    level, alpha, draws = 0.095, 0.1, 2000
    broken = 0
    for _ in range(draws):
        found = fixed_sequence(*drawn(rng, rows, error), drawn(rng, 100, error), level, alpha)
        if found is not None:
            broken += errors_N[np.searchsorted(-sure_N, -found, side="right") - 1] > level
    assert broken / draws <= alpha + 2.3 * np.sqrt(alpha * (1 - alpha) / draws)


def test_a_model_that_is_good_where_it_is_sure_answers_there():
    rng = np.random.default_rng(1)
    found = fixed_sequence(*drawn(rng, 2000, honest), drawn(rng, 300, honest), 0.15, 0.05)
    assert found is not None
    assert 0.05 < true_error(rng, honest, found) <= 0.15


def test_the_sequence_ends_at_the_first_claim_that_stands():
    """Loose thresholds that would pass again behind one that fails do not count."""
    sure = np.repeat([0.9, 0.8, 0.7], [100, 20, 2000])
    right = np.repeat([True, False, True], [100, 20, 2000])
    guide = (np.repeat([0.9, 0.8, 0.7], 40), np.repeat([True, True, False], 40))
    assert fixed_sequence(sure, right, guide, 0.05, 0.05) is None  # it begins at 0.8, which fails
    guide = (np.repeat([0.9, 0.8, 0.7], [80, 40, 40]), np.repeat([True, False, False], [80, 40, 40]))
    assert fixed_sequence(sure, right, guide, 0.05, 0.05) == 0.9


def predictions(sure, state="ok") -> list[Prediction]:
    return [Prediction(example=str(place), state=state, confidence=each) for place, each in enumerate(sure)]


def test_too_few_rows_show_nothing():
    sure, right = [0.9] * 58, np.ones(58, bool)
    rows = [question(str(place)) for place in range(59)]
    levels = {"max_error": 0.05, "confidence": 0.95}
    guide = (predictions(sure), right)
    found = choose(rows[:58], predictions(sure), right, guide, **levels)
    assert (found.threshold, found.accepted) == (None, 0)  # 0.95 ** 58 > 0.05
    found = choose(rows, predictions([*sure, 0.9]), np.ones(59, bool), guide, **levels)
    assert (found.threshold, found.rows, found.accepted, found.wrong) == (0.9, 59, 59, 0)


def test_answers_without_a_confidence_or_that_are_none_are_never_accepted():
    rows = [question(str(place)) for place in range(200)]
    mixed = [*predictions([0.9] * 100), *predictions([None] * 50), *predictions([0.99] * 50, state="invalid")]
    right = np.array([True] * 100 + [False] * 100)
    found = choose(rows, mixed, right, (mixed, right), max_error=0.05, confidence=0.95)
    assert (found.threshold, found.accepted, found.wrong) == (0.9, 100, 0)


def test_of_rows_of_one_group_one_counts():
    rows = [Example(messages=question(str(n)).messages, expected="", group=f"g{n // 10}") for n in range(200)]
    found = choose(
        rows,
        predictions([0.9] * 200),
        np.ones(200, bool),
        (predictions([0.9] * 200), np.ones(200, bool)),
        max_error=0.05,
        confidence=0.95,
    )
    assert (found.rows, found.threshold) == (20, None)

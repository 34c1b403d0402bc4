"""A fault is shown or it is none: how often a sound fine-tune is left alone, and a bad one found."""

import numpy as np
import pytest

from tunesmith.evaluation.probes.figures import LEVEL, Scores, loss, probed, rise, told_apart


def states(draw, margin: float, times: int = 300) -> dict[str, int]:
    found: dict[str, int] = {"sound": 0, "open": 0, "faulty": 0}
    for seed in range(times):
        at, n = draw(np.random.default_rng(seed))
        found[probed("p", "f", at, n, margin).state] += 1
    return found


def paired(n: int, before: float, after: float, kept: float):
    """Scores of 0 and 1 on the same items, of which the share `kept` is answered alike."""

    def draw(chance):
        was = chance.random(n) < before
        now = np.where(chance.random(n) < kept, was, chance.random(n) < after)
        return loss(Scores(was.astype(float)), Scores(now.astype(float))), n

    return draw


@pytest.mark.parametrize(("n", "score"), [(30, 0.3), (300, 0.4), (300, 0.05)])
def test_a_model_that_lost_just_what_is_tolerable_is_seldom_called_faulty(n, score):
    """Of 300, where 1 in 300 or so is allowed by each figure's level."""
    drawn = paired(n, score, max(score - 0.05, 0.0), 0.0)
    assert states(drawn, 0.05)["faulty"] <= 5


def test_a_loss_of_a_quarter_is_found_on_the_general_suite():
    found = states(paired(300, 0.45, 0.2, 0.0), 0.05)
    assert found["faulty"] >= 285


def test_the_same_answers_are_sound():
    found = states(paired(300, 0.4, 0.4, 1.0), 0.05)
    assert found["sound"] == 300


def gains(n: int, shift: float):
    def draw(chance):
        return told_apart(chance.normal(shift, 1, n), chance.normal(0, 1, n)), n

    return draw


@pytest.mark.parametrize("n", [25, 150])
def test_the_share_of_pairs_told_apart_is_covered(n):
    """The true share of two normals a distance d apart is Φ(d / √2)."""
    for shift, truth in ((0.0, 0.5), (0.7416, 0.7), (2.3262, 0.95)):
        inside = 0
        for seed in range(300):
            at, _ = gains(n, shift)(np.random.default_rng(seed))
            value, low, high = at(0.95)
            assert low <= value <= high
            inside += low <= truth <= high
        assert inside >= 0.92 * 300


def test_rows_that_are_told_apart_without_exception():
    at = told_apart(np.arange(20) + 100.0, np.arange(20) + 0.0)
    value, low, high = at(LEVEL)
    assert 0.9 < low < value < 1
    assert high <= 1


def test_too_few_rows_say_nothing():
    assert rise(np.zeros(19))(0.95) is None
    assert told_apart(np.zeros(19), np.zeros(50))(0.95) is None
    assert probed("p", "f", rise(np.zeros(3)), 3, 0.1).state == "open"

"""What an eval set will show: the figures of a plan, held against the intervals that will judge."""

import numpy as np
import pytest

from tunesmith.decisions.paired import tango
from tunesmith.decisions.plan import Noise, assumed, plan
from tunesmith.decisions.section import RulesSection

RULES = RulesSection()


def seen(difference: float, discordant: float, rows: int, beyond: float, quantile: float = 1.959964) -> float:
    """How often the interval of `rows` rows lies on the side of `beyond` that the truth is on."""
    win, lose = (discordant + difference) / 2, (discordant - difference) / 2
    counts = np.random.default_rng(1).multinomial(rows, [win, lose, 1 - discordant], size=3000)
    kinds, times = np.unique(counts[:, :2], axis=0, return_counts=True)
    found = [tango(wins + 0.1, losses + 0.1, rows + 0.2, quantile) for wins, losses in kinds]
    sides = [low > beyond if difference > beyond else high < beyond for low, high in found]
    return float(np.sum(times[sides]) / 3000)


def test_what_a_plan_says_is_what_the_rules_will_see() -> None:
    made = plan(RULES, assumed(scored=False), rows=400, slices={"a": 200, "b": 200})
    assert made.gain is not None
    assert seen(made.gain, 0.16, 400, RULES.min_effect) == pytest.approx(0.8, abs=0.05)
    needed = next(each for each in made.gains if each.gain == pytest.approx(0.07))
    assert seen(0.07, 0.16, needed.rows or 0, RULES.min_effect) == pytest.approx(0.8, abs=0.05)
    loss, at = made.slices[0].loss, 2.241403  # two slices: each at 97.5 %
    assert loss is not None
    assert made.slice_level == pytest.approx(0.975)
    assert seen(-loss, 0.16, 200, -RULES.slice_margin, at) == pytest.approx(0.8, abs=0.05)
    holds = made.slices[0].needed or 0
    assert seen(0.0, 0.16, holds, -RULES.slice_margin, at) == pytest.approx(0.8, abs=0.05)


def test_a_guard_needs_the_rows_that_its_margin_asks_for() -> None:
    rules = RulesSection(guards={"invalid_rate": 0.02, "macro_f1": 0.02, "expected_cost": 0.1})
    noise = {"invalid_rate": Noise(discordant=0.04), "macro_f1": assumed(scored=True), "expected_cost": None}
    made = {each.metric: each for each in plan(rules, noise["macro_f1"], slices={}, guards=noise).guards}
    assert seen(0.0, 0.04, made["invalid_rate"].needed or 0, -0.02) == pytest.approx(0.8, abs=0.05)
    half = plan(rules, noise["macro_f1"], slices={}, guards=noise | {"macro_f1": Noise(variance=0.02)})
    assert (made["macro_f1"].needed or 0) == pytest.approx(2 * (half.guards[1].needed or 0), rel=0.05)
    assert (made["expected_cost"].needed, made["expected_cost"].origin) == (None, None)


def test_more_rows_show_smaller_differences() -> None:
    made = plan(RULES, assumed(scored=False), rows=None, slices={})
    gains = [each.gain for each in made.sizes if each.gain is not None]
    assert gains == sorted(gains, reverse=True)
    assert min(gains) > RULES.min_effect
    rows = [each.rows for each in made.gains if each.rows is not None]
    assert rows == sorted(rows, reverse=True)
    assert [each.slice_holds for each in made.sizes] == sorted(each.slice_holds for each in made.sizes)


def test_noise_groups_and_accuracy_count() -> None:
    def gain(noise: Noise, **more: float) -> float:
        return plan(RULES, noise, rows=400, slices={}, **more).gain or 1.0

    usual = gain(assumed(scored=False))
    assert gain(assumed(scored=False, accuracy=0.95)) < usual
    assert gain(Noise(discordant=0.16, design=3.0)) > usual
    assert gain(assumed(scored=False), level=0.99) > usual
    assert gain(Noise(variance=0.01)) < gain(assumed(scored=True))


def test_a_slice_that_is_not_judged_shows_nothing() -> None:
    made = plan(RULES, assumed(scored=False), rows=100, slices={"small": RULES.min_slice_rows - 1, "large": 60})
    assert [each.loss is None for each in made.slices] == [True, False]
    assert made.slice_level == 0.95  # one slice is judged

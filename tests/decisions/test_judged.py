"""A judge's scores corrected by people's: right whatever the judge is, and surer where it agrees."""

import numpy as np
import pytest

from tunesmith.core.preferred import MIN_LABELLED
from tunesmith.decisions.judged import Judged, corrected


def drawn(
    seed: int, n: int, labelled: int, *, truth: float = 0.7, right: float = 0.9, group: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The judge's scores, people's, and groups: the judge is right with a chance of `right`, and lenient otherwise."""
    dice = np.random.default_rng(seed)
    good = np.repeat(dice.random(n // group) < truth, group).astype(float)
    judge = np.where(dice.random(n) < right, good, 1.0)
    people = np.full(n, np.nan)
    chosen = np.repeat(dice.permutation(n // group) < labelled // group, group)
    people[chosen] = good[chosen]
    return judge, people, np.repeat(np.arange(n // group), group) if group > 1 else None


def shown(*arguments: int, **more: float) -> Judged:
    found = corrected(*drawn(*arguments, **more))  # type: ignore[arg-type]
    assert found is not None
    return found


def test_a_lenient_judge_is_corrected() -> None:
    found = shown(0, 4000, 400)
    assert found.judge == pytest.approx(0.73, abs=0.02)  # lenient by three points
    assert found.low < 0.7 < found.high
    assert found.accuracy == pytest.approx(0.97, abs=0.02)
    assert found.kappa == pytest.approx(0.93, abs=0.05)
    assert found.worth > 2 * found.labelled


def test_a_judge_that_tells_nothing_costs_nothing() -> None:
    judge, people, _ = drawn(1, 2000, 200)
    guessed = np.random.default_rng(9).random(2000).round()
    found = corrected(guessed, people, None)
    assert found is not None
    assert found.factor == pytest.approx(0.0, abs=0.15)
    assert found.value == pytest.approx(float(np.nanmean(people)), abs=0.02)
    assert corrected(np.ones(2000), people, None).factor == 0.0  # type: ignore[union-attr]
    everyone = corrected(judge, judge, None)
    assert everyone is not None
    assert everyone.value == pytest.approx(float(judge.mean()))


def test_too_few_labels_say_nothing() -> None:
    assert corrected(*drawn(0, 1000, MIN_LABELLED - 1)) is None
    assert corrected(*drawn(0, 1000, 4 * MIN_LABELLED - 8, group=4)) is None


def test_scores_in_between_have_no_kappa() -> None:
    judge, people, _ = drawn(0, 1000, 200)
    found = corrected(judge * 0.8, people, None)
    assert found is not None
    assert (found.accuracy, found.kappa) == (None, None)


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [
        {"labelled": 50, "n": 500},
        {"labelled": 100, "n": 2000},
        {"labelled": 100, "n": 2000, "truth": 0.95},
        {"labelled": 500, "n": 5000, "truth": 0.95, "right": 0.6},
        {"labelled": 400, "n": 4000, "group": 4},
    ],
)
def test_intervals_cover(more: dict[str, float]) -> None:
    truth = more.get("truth", 0.7)
    draws = 2000
    found = [shown(seed, **more) for seed in range(draws)]  # type: ignore[arg-type]
    covered = float(np.mean([each.low <= truth <= each.high for each in found]))
    assert covered >= 0.93 - 2 * np.sqrt(0.07 * 0.93 / draws)
    if more["labelled"] >= 500:
        assert covered <= 0.97 + 2 * np.sqrt(0.03 * 0.97 / draws)

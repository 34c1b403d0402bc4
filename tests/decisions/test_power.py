import numpy as np
import pytest

from tunesmith.decisions.paired import tango
from tunesmith.decisions.power import POWER, detectable, expected_discordance, outlook, rows_needed, sight


def seen(difference: float, discordant: float, min_effect: float, rows: int, draws: int = 4000) -> float:
    """How often the interval on `rows` rows lies on the true side of `min_effect`."""
    win, lose = (discordant + difference) / 2, (discordant - difference) / 2
    counts = np.random.default_rng(0).multinomial(rows, [win, lose, 1 - discordant], size=draws)
    kinds, times = np.unique(counts[:, :2], axis=0, return_counts=True)
    found = [tango(wins + 0.1, losses + 0.1, rows + 0.2, 1.959964) for wins, losses in kinds]
    sides = [(low > min_effect) if difference > min_effect else (high < min_effect) for low, high in found]
    return float(np.sum(times[sides]) / draws)


@pytest.mark.parametrize(
    ("difference", "discordant", "min_effect"),
    [(0.08, 0.2, 0.02), (0.05, 0.1, 0.0), (0.12, 0.15, 0.02), (-0.02, 0.12, 0.02), (0.06, 0.06, 0.02)],
)
def test_on_the_rows_needed_a_difference_is_seen_4_times_in_5(
    difference: float, discordant: float, min_effect: float
) -> None:
    rows = rows_needed(difference, discordant - difference**2, min_effect=min_effect)
    assert rows is not None
    assert seen(difference, discordant, min_effect, rows) == pytest.approx(POWER, abs=0.06)


def test_rows_grow_with_certainty_with_noise_and_with_groups() -> None:
    rows = rows_needed(0.06, 0.15, min_effect=0.02)
    assert rows is not None
    assert rows_needed(0.06, 0.15, min_effect=0.02, level=0.99) > rows  # type: ignore[operator]
    assert rows_needed(0.06, 0.30, min_effect=0.02) > rows  # type: ignore[operator]
    assert rows_needed(0.06, 0.15, min_effect=0.02, design=2.0) == pytest.approx(2 * rows, abs=1)


def test_no_number_of_rows_tells_a_difference_from_itself() -> None:
    assert rows_needed(0.02, 0.1, min_effect=0.02) is None
    assert rows_needed(0.0201, 0.1, min_effect=0.02) is None


@pytest.mark.parametrize("rows", [60, 120, 500, 3000])
def test_what_is_detectable_needs_just_those_rows(rows: int) -> None:
    smallest = detectable(rows, 0.15)
    assert smallest is not None
    assert rows_needed(smallest, max(0.15, smallest) - smallest**2) == pytest.approx(rows, abs=1)


def test_more_rows_detect_less() -> None:
    found = [detectable(rows, 0.15, min_effect=0.02) for rows in (50, 120, 500, 3000)]
    assert found == sorted(found, reverse=True)  # type: ignore[type-var]
    assert detectable(3, 0.15) is None


def test_the_outlook_names_what_can_be_seen_and_what_to_label() -> None:
    said = outlook(120, min_effect=0.02)
    smallest = detectable(120, expected_discordance(None), min_effect=0.02)
    assert smallest is not None
    assert f"truly {smallest * 100:.1f} points better would be shipped 4 times in 5" in said
    needed = rows_needed(0.07, 0.16 - 0.07**2, min_effect=0.02)
    assert needed is not None
    assert f"label {needed - 120} more to see 7 points" in said
    assert "label" not in outlook(3000, min_effect=0.02)
    assert outlook(2, min_effect=0.02).startswith("With 2 eval rows, no gain could be shown")
    assert outlook(120, min_effect=0.02, accuracy=0.95) != said


def test_what_an_eval_set_shows_before_anything_is_measured():
    found = sight(300, 0.02)
    assert found.detectable == pytest.approx(0.0645, abs=0.002)
    assert found.needed is not None
    assert sight(found.needed, 0.02).detectable == pytest.approx(0.02, abs=1e-4)
    assert sight(found.needed - 30, 0.02).detectable > 0.02
    assert sight(300, 0.0).needed is None
    assert sight(1, 0.02).detectable is None

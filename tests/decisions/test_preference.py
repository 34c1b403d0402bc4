"""What people prefer: figures that can be reckoned by hand, what a judge may do, and what it does to a verdict."""

from collections.abc import Callable

import numpy as np
import pytest
from judged_pair import answered, judges, says

from tunesmith.core.preferred import Preferred
from tunesmith.core.verdict import Verdict
from tunesmith.decisions.comparison import Evaluated
from tunesmith.decisions.judgement import decide
from tunesmith.decisions.preference import preferred
from tunesmith.decisions.section import RulesSection
from tunesmith.evaluation.preferences import Judgement, Pair

Both = Callable[..., tuple[Evaluated, Evaluated]]
TRUTH = (0.5, 0.2, 0.3)  # how often a is preferred, neither, b
SCORES = (1.0, 0.5, 0.0)
WIN = TRUTH[0] + TRUTH[1] / 2


def test_the_win_rate_is_of_rows_with_ties_as_half_and_raters_as_their_mean() -> None:
    made = answered(40, same=10)
    ann = [says(made, place, 1.0 if place < 18 else 0.5 if place < 24 else 0.0) for place in range(30)]
    found = preferred(ann, made)
    assert found.win.value == pytest.approx((18 + 6 / 2 + 10 / 2) / 40)
    assert found.win.low is not None
    assert found.win.high is not None
    assert found.win.low < found.win.value < found.win.high
    assert (found.drawn, found.judged, found.same, found.ties, found.judgements, found.raters) == (40, 40, 10, 6, 30, 1)
    bob = [says(made, place, 0.0, "bob") for place in range(12)]
    both = preferred([*ann, *bob], made)
    assert both.win.value == pytest.approx((12 * 0.5 + 6 + 6 / 2 + 10 / 2) / 40)
    assert (both.twice, both.alpha is not None) == (12, True)
    assert preferred([*ann, *bob[:9]], made).alpha is None


def test_nothing_is_told_before_every_drawn_row_is_judged() -> None:
    made = answered(40, same=4)
    found = preferred([says(made, place, 1.0) for place in range(35)], made)
    assert (found.whole, found.win.value, found.judged, found.drawn) == (False, None, 39, 40)
    assert found.slices == {}
    nobody = preferred([], made)
    assert (nobody.drawn, nobody.whole, nobody.judge) == (0, False, None)


def test_slices_with_few_rows_read_too_few() -> None:
    names = ["large"] * 40 + ["small"] * 8
    made = answered(48, slices=names)
    found = preferred([says(made, place, 1.0) for place in range(48)], made)
    assert found.slices["large"].value == 1.0
    assert (found.slices["small"].value, found.slices["small"].n) == (None, 8)


def test_the_sides_that_raters_favour_are_told() -> None:
    made = answered(60, long=30)
    lefty = [says(made, place, 1.0).model_copy(update={"choice": "1"}) for place in range(60)]
    assert preferred(lefty, made).left.value == 1.0
    longest = [says(made, place, 1.0) for place in range(60)]
    found = preferred(longest, made)
    assert found.longer.value == 1.0
    assert found.longer.n == 30  # of the rows whose answers differ in length
    assert found.left.low is not None
    assert found.left.high is not None
    assert found.left.low < 0.5 < found.left.high
    assert preferred([says(made, place, 0.5) for place in range(60)], made).left.value is None


def test_rows_of_one_group_count_as_fewer() -> None:
    n = 120
    groups = [f"g{place // 4}" for place in range(n)]
    alone, grouped = answered(n), answered(n, groups=groups)
    by_group = {row.id: float(int(str(row.group)[1:]) % 2) for row in grouped.rows}
    wide = preferred([says(grouped, place, by_group[row.id]) for place, row in enumerate(grouped.rows)], grouped)
    narrow = preferred([says(alone, place, float(place % 2)) for place in range(n)], alone)
    assert width(wide) > 1.5 * width(narrow)


def width(found: Preferred) -> float:
    assert found.win.low is not None
    assert found.win.high is not None
    return found.win.high - found.win.low


def sat(seed: int, n: int, raters: int, copies: float, made: Pair) -> list[Judgement]:
    """Raters that say what is true of a row with a chance of `copies`, else what chance has them say: of two of them
    kappa and alpha are its square, and all have the same win rate."""
    dice = np.random.default_rng(seed)
    truth = dice.choice(SCORES, n, p=TRUTH)
    return [
        says(made, place, float(score), f"rater {rater}")
        for rater in range(raters)
        for place, score in enumerate(np.where(dice.random(n) < copies, truth, dice.choice(SCORES, n, p=TRUTH)))
    ]


def test_two_raters_of_known_agreement_are_found_to_agree_as_much() -> None:
    made = answered(2000)
    found = preferred(sat(1, 2000, 2, 0.8, made), made)
    assert found.alpha == pytest.approx(0.64, abs=0.04)
    assert found.kappa == pytest.approx(0.64, abs=0.04)
    assert found.win.value == pytest.approx(WIN, abs=0.03)
    chance = preferred(sat(2, 2000, 2, 0.0, made), made)
    assert chance.alpha == pytest.approx(0.0, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "raters", "copies"), [(20, 1, 1.0), (60, 2, 0.8), (150, 2, 0.8), (150, 3, 0.5), (500, 2, 0.9)]
)
def test_intervals_of_the_win_rate_cover_and_agreement_is_recovered(n: int, raters: int, copies: float) -> None:
    made, draws = answered(n), 600
    found = [preferred(sat(seed, n, raters, copies, made), made) for seed in range(draws)]
    covered = float(np.mean([each.win.low <= WIN <= each.win.high for each in found]))  # type: ignore[operator]
    assert covered >= 0.93 - 2 * np.sqrt(0.07 * 0.93 / draws)
    if n >= 500:
        assert covered <= 0.97 + 2 * np.sqrt(0.03 * 0.97 / draws)
    if raters > 1:
        assert float(np.mean([each.alpha for each in found])) == pytest.approx(copies**2, abs=0.02)  # type: ignore[misc]


# ------------------------------------------------------------ a judge


def beside(people: int, judged: int, right: float, seed: int = 0) -> tuple[list[Judgement], Pair]:
    """People on the first rows of the draw, and a judge on more, which is as they are with a chance of `right`."""
    dice = np.random.default_rng(seed)
    made = answered(judged)
    truth = dice.choice(SCORES, judged, p=TRUTH)
    other = dice.choice(SCORES, judged, p=TRUTH)
    model = np.where(dice.random(judged) < right, truth, other)
    said = [says(made, place, float(truth[place]), drawn=people) for place in range(people)]
    return [*said, *(judges(made, place, float(score)) for place, score in enumerate(model))], made


def test_a_judge_that_agrees_narrows_the_interval_of_people() -> None:
    said, made = beside(100, 500, 0.95)
    found = preferred(said, made, "lab:j")
    assert found.judge is not None
    assert found.judge.decides
    assert found.judge.kappa is not None
    assert found.judge.kappa > 0.8
    assert (found.judge.both, found.judge.rows) == (100, 500)
    assert found.people == preferred(said, made).win
    assert width(found) < 0.7 * width(preferred(said, made))


@pytest.mark.parametrize(
    ("people", "judged", "right"),
    [(100, 500, 0.3), (49, 500, 1.0), (100, 100, 1.0)],
    ids=["agrees too little", "too few rows of people", "no rows beyond people's"],
)
def test_a_judge_decides_nothing(people: int, judged: int, right: float) -> None:
    said, made = beside(people, judged, right)
    found = preferred(said, made, "lab:j")
    assert found.judge is not None
    assert not found.judge.decides
    assert found.win == found.people == preferred(said, made).win


def test_a_judge_that_was_stopped_says_nothing_of_the_rows_that_it_has_not_reached() -> None:
    said, made = beside(100, 500, 1.0)
    people = preferred(said, made).win
    stopped = preferred(said[: 100 + 250], made, "lab:j")  # asked for 500, and come to the 250th
    fewer = [each.model_copy(update={"drawn": 250}) if each.judge else each for each in said[: 100 + 250]]
    assert stopped.judge is not None
    assert stopped.judge.decides
    assert stopped == preferred(fewer, made, "lab:j")
    assert people.value is not None
    assert stopped.win.value == pytest.approx(people.value, abs=0.06)


def test_a_judge_alone_says_nothing_of_what_people_prefer() -> None:
    said, made = beside(0, 200, 1.0)
    assert preferred(said, made, "lab:j").win.value is None
    unfinished, made = beside(100, 500, 1.0)
    assert preferred(unfinished[1:], made, "lab:j").win.value is None  # the first row is not judged by people


def test_a_judge_that_favours_the_first_place_is_told() -> None:
    made = answered(100)
    said = [judges(made, place, 1.0, first=place % 2 == 0, drawn=100) for place in range(100)]
    people = [says(made, place, 1.0) for place in range(100)]
    found = preferred([*said, *people], made, "lab:j").judge
    assert found is not None
    assert found.first is not None
    assert found.first.value == 0.5
    assert found.win.value == 0.75  # what it says in one order alone is a tie


@pytest.mark.slow
@pytest.mark.parametrize("right", [0.7, 0.9, 1.0])
def test_intervals_narrowed_by_a_judge_cover(right: float) -> None:
    draws, found = 600, []
    for seed in range(draws):
        said, made = beside(100, 400, right, seed)
        found.append(preferred(said, made, "lab:j"))
    covered = float(np.mean([each.win.low <= WIN <= each.win.high for each in found]))  # type: ignore[operator]
    assert covered >= 0.93 - 2 * np.sqrt(0.07 * 0.93 / draws)


# ------------------------------------------------------------ the verdict


def verdict(both: tuple[Evaluated, Evaluated], liked: Preferred | None, limit: float | None = 0.5) -> Verdict:
    tuned, best = both
    carried = tuned.model_copy(update={"preferred": (liked,) if liked else ()})
    return decide(carried, [best], RulesSection(min_preference=limit))


def people(share: float, n: int = 150) -> Preferred:
    made = answered(n)
    found = preferred([says(made, place, float(place < share * n)) for place in range(n)], made)
    return found.model_copy(update={"a": "fine-tuned"})


def test_people_can_hold_a_ship_and_reject_it(pair: Both) -> None:
    both = pair(600, 80, 10)
    assert verdict(both, None, None).verdict == "ship"
    watched = verdict(both, people(0.3), None)
    assert (watched.verdict, watched.preference and watched.preference.state) == ("ship", None)
    assert any(text.startswith("Watched: people prefer fine-tuned to prompt on 30.0 %") for text in watched.reasons)

    nobody = verdict(both, None)
    assert nobody.verdict == "hold"
    assert "nobody has judged yet; `tunesmith prefer`" in " ".join(nobody.reasons)
    assert verdict(both, people(0.52)).verdict == "hold"
    ships = verdict(both, people(0.7))
    assert (ships.verdict, ships.preference and ships.preference.state) == ("ship", "kept")
    rejects = verdict(both, people(0.3))
    assert rejects.verdict == "reject"
    assert any(text.startswith("Broken: people prefer") for text in rejects.reasons)
    few = verdict(both, people(1.0, n=12))
    assert few.verdict == "hold"
    assert "12 rows are too few to say, and there are no more to judge" in " ".join(few.reasons)


def test_an_unfinished_session_holds(pair: Both) -> None:
    unfinished = people(0.7).model_copy(update={"judged": 40, "win": Preferred.unknown("a", "b").win})
    held = verdict(pair(600, 80, 10), unfinished)
    assert held.verdict == "hold"
    assert "40 of 150 drawn rows are judged; `tunesmith prefer` goes on" in " ".join(held.reasons)


def test_what_was_said_of_another_baseline_does_not_count(pair: Both) -> None:
    assert verdict(pair(600, 80, 10), people(0.7).model_copy(update={"b": "few-shot"})).verdict == "hold"

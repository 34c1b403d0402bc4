"""Candidates whose answers have scores: the difference, its coverage, and how often `decide` errs."""

import re

import numpy as np
import pytest
from evaluated import evaluated

from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.core.verdict import Verdict
from tunesmith.decisions.comparison import Evaluated, compare_pairs
from tunesmith.decisions.judgement import decide
from tunesmith.decisions.paired import score_difference
from tunesmith.decisions.power import outlook, rows_needed_of_scores
from tunesmith.decisions.section import RulesSection
from tunesmith.tasks.generated import SCORES, Answers
from tunesmith.tasks.intervals import Floats, Integers
from tunesmith.tasks.spec import Task

RULES = RulesSection(primary="chrf")
TASK = Task(family="generation", prompt="", max_new_tokens=100)
WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "and", "runs", "away", "from", "here"]


def answers(scores: Floats, groups: Integers | None = None) -> Answers:
    """Answers of which only the scores matter."""
    scored = np.repeat(scores[:, None], len(SCORES), axis=1)
    return Answers(scored, scores < 0, np.ones(len(scores)), groups)


def pair(rng: np.random.Generator, n: int, gain: float, *, spread: float = 0.1, failing: float = 0.0) -> list[Floats]:
    """Scores of two candidates, the first better by `gain` on average; it fails on some rows, which its others make up
    for."""
    base = np.clip(rng.beta(7, 3, n), 0.1, 0.9)
    lost = failing * 0.7
    ours = base + rng.normal((gain + lost) / (1 - failing) if failing else gain, spread, n)
    fails = rng.random(n) < failing
    return [np.where(fails, 0.0, np.clip(ours, 0, 1)), base]


def truth(spread: float, failing: float, gain: float) -> float:
    big = pair(np.random.default_rng(9), 400_000, gain, spread=spread, failing=failing)
    return float((big[0] - big[1]).mean())


CASES = [(0.1, 0.0), (0.03, 0.0), (0.25, 0.0), (0.1, 0.03), (0.05, 0.1)]


def simulated(n: int, spread: float, failing: float, draws: int) -> tuple[float, float]:
    """Coverage, and how often the interval lies above the true difference."""
    rng = np.random.default_rng(5)
    true, covered, above = truth(spread, failing, 0.02), 0, 0
    for _ in range(draws):
        ours, theirs = pair(rng, n, 0.02, spread=spread, failing=failing)
        found = score_difference(answers(ours), answers(theirs), 0.95, metric="chrf")
        assert found is not None
        covered += found.low <= true <= found.high
        above += found.low > true
    return covered / draws, above / draws


@pytest.mark.parametrize(("spread", "failing"), [(0.1, 0.0), (0.1, 0.03)])
def test_the_difference_of_scores_is_covered(spread: float, failing: float) -> None:
    covered, above = simulated(200, spread, failing, 800)
    assert covered >= 0.93
    assert above <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("spread", "failing"), CASES)
@pytest.mark.parametrize("n", [20, 50, 100, 200, 500, 1500])
def test_the_difference_of_scores_is_covered_everywhere(n: int, spread: float, failing: float) -> None:
    covered, above = simulated(n, spread, failing, 3000)
    assert covered >= 0.93
    assert above <= 0.04 + 2 * np.sqrt(0.04 * 0.96 / 3000)
    if n >= 500 and spread >= 0.1:
        assert covered <= 0.97 + 3 * np.sqrt(0.95 * 0.05 / 3000)


def test_groups_that_score_alike_count_as_one_row_each() -> None:
    rng = np.random.default_rng(0)
    ours, theirs = pair(rng, 60, 0.05)
    groups = np.repeat(np.arange(60), 5)
    alone = score_difference(answers(ours), answers(theirs), 0.95, metric="chrf")
    grouped = score_difference(
        answers(np.repeat(ours, 5), groups), answers(np.repeat(theirs, 5), groups), 0.95, metric="chrf"
    )
    assert alone is not None
    assert grouped is not None
    assert grouped.high - grouped.low == pytest.approx(alone.high - alone.low, rel=0.1)
    assert grouped.p == pytest.approx(alone.p, abs=0.02)
    assert grouped.design > 4


def test_few_rows_have_no_difference() -> None:
    assert score_difference(answers(np.ones(19)), answers(np.zeros(19)), 0.95, metric="chrf") is None


def saying(name: str, texts: list[str], slices: int | None = None, failed: int = 0) -> Evaluated:
    """A candidate that says `texts`; the expected text of every row is the same whole sentence."""
    examples = [
        Example(
            messages=(Message(role="user", content=f"row {place}"),),
            expected=" ".join(WORDS),
            slice=f"slice {place % slices}" if slices else None,
        )
        for place in range(len(texts))
    ]
    predictions = [
        Prediction(example=example.id, state="failed", error="boom")
        if place < failed
        else Prediction(example=example.id, state="ok", output=text)
        for place, (example, text) in enumerate(zip(examples, texts, strict=True))
    ]
    return evaluated(TASK, name, examples, predictions)


def cut(rng: np.random.Generator, n: int, words: float) -> list[str]:
    """The sentence without its end: about `words` of its words."""
    kept = np.clip(np.rint(rng.normal(words, 1.5, n)), 1, len(WORDS)).astype(int)
    return [" ".join(WORDS[:number]) for number in kept]


def judged(ours: float, theirs: float, n: int = 150, **more: int) -> Verdict:
    rng = np.random.default_rng(1)
    return decide(saying("fine-tune", cut(rng, n, ours), **more), [saying("copy", cut(rng, n, theirs))], RULES)


def test_a_clear_gain_ships_and_says_so_in_points_of_chrf() -> None:
    verdict = judged(11, 8)
    assert verdict.verdict == "ship"
    said = " ".join(verdict.reasons)
    assert "fine-tune reaches chrF " in said
    assert "The fine-tune scores higher on 1" in said
    assert "right" not in said
    [found] = verdict.comparisons
    assert found.metric == "chrf"
    assert found.a_only + found.b_only <= found.n


def test_no_gain_is_rejected_and_a_small_one_held_with_the_rows_that_are_lacking() -> None:
    assert judged(8, 8).verdict in ("reject", "hold")
    assert judged(7, 9).verdict == "reject"
    held = judged(9, 8.6, 60)
    assert held.verdict == "hold"
    assert held.more_rows is not None
    assert "whose chrF is " in held.reasons[-1]


def test_a_slice_that_got_clearly_worse_blocks() -> None:
    rng = np.random.default_rng(1)
    ours, theirs = cut(rng, 200, 12), cut(rng, 200, 8)
    ours[::4] = cut(rng, 50, 4)
    verdict = decide(saying("fine-tune", ours, 4), [saying("copy", theirs, 4)], RULES)
    assert verdict.verdict == "reject"
    assert [each.metric for each in verdict.slices] == ["chrf"] * 4
    assert any("Slice slice 0 got worse" in reason for reason in verdict.reasons)


def test_failures_that_could_turn_a_reject_hold_it() -> None:
    rng = np.random.default_rng(1)
    ours, theirs = cut(rng, 100, 9), cut(rng, 100, 9)
    verdict = decide(saying("fine-tune", ours, failed=60), [saying("copy", theirs)], RULES)
    assert verdict.verdict == "hold"
    assert "failed on 60 rows" in " ".join(verdict.reasons)
    assert "they count as no score" in " ".join(verdict.caveats)


def test_exact_match_and_similarity_can_decide() -> None:
    rng = np.random.default_rng(1)
    a, b = saying("fine-tune", cut(rng, 100, 13)), saying("copy", cut(rng, 100, 8))
    exact, similar = compare_pairs(a, b, "exact_match"), compare_pairs(a, b, "similarity")
    assert exact is not None
    assert similar is not None
    assert exact.a_only == sum(each.output == " ".join(WORDS) for each in a.predictions)
    assert similar.low > 0


@pytest.mark.slow
@pytest.mark.parametrize(("spread", "failing"), CASES)
def test_what_gained_no_more_than_asked_is_hardly_ever_above_it(spread: float, failing: float) -> None:
    """The false-ship rate at the boundary, over one baseline: the verdict ships where the lower limit lies above."""
    for n in (60, 150, 400):
        assert simulated(n, spread, failing, 2000)[1] <= 0.04 + 2 * np.sqrt(0.04 * 0.96 / 2000)


def test_power_of_scores() -> None:
    plain = (1.96 + 0.84) ** 2 * 0.02 / 0.02**2
    needed = rows_needed_of_scores(0.04, 0.02, min_effect=0.02)
    assert needed is not None
    assert plain < needed < 1.6 * plain
    assert rows_needed_of_scores(0.02, 0.02, min_effect=0.02) is None
    said = outlook(200, min_effect=0.02, scores_variance=0.02)
    assert re.match(r"With 200 eval rows, a fine-tune that is truly [567]\S* points better would be shipped 4 t", said)


@pytest.mark.slow
@pytest.mark.parametrize(("spread", "gain"), [(0.1, 0.06), (0.2, 0.08), (0.03, 0.05), (0.1, -0.01)])
def test_the_rows_that_scores_need_settle_it_about_4_times_in_5(spread: float, gain: float) -> None:
    needed = rows_needed_of_scores(gain, spread**2, min_effect=0.02)
    assert needed is not None
    rng = np.random.default_rng(6)
    settled = 0
    for _ in range(400):
        each = np.clip(rng.normal(gain, spread, needed), -0.5, 0.5)
        found = score_difference(answers(0.5 + each / 2), answers(0.5 - each / 2), 0.95, metric="chrf")
        assert found is not None
        settled += found.low > 0.02 if gain > 0.02 else found.high < 0.02
    assert 0.65 <= settled / 400 <= 0.95

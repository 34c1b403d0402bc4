from collections.abc import Callable

import numpy as np
import pytest
from evaluated import evaluated

from tunesmith.core.errors import ConfigError, UserError
from tunesmith.core.example import Behaviour, Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.decisions.comparison import Evaluated
from tunesmith.decisions.judgement import best_baseline, decide
from tunesmith.decisions.power import level_of
from tunesmith.decisions.section import RulesSection
from tunesmith.tasks.spec import Task

Judged = tuple[Evaluated, Evaluated]
Pair = Callable[..., Judged]
Others = Callable[..., Evaluated]
RULES = RulesSection()


def test_a_clear_gain_ships(pair: Pair) -> None:
    a, b = pair(400, 60, 12)
    verdict = decide(a, [b], RULES)
    assert verdict.verdict == "ship"
    assert (verdict.candidate, verdict.baseline, verdict.primary) == ("fine-tuned", "prompt", "accuracy")
    assert verdict.more_rows is None
    (comparison,) = verdict.comparisons
    assert comparison.low > 0.02
    said = " ".join(verdict.reasons)
    assert "On 400 eval rows" in said
    assert "+12.0 points (95 % interval +8" in said
    assert "only prompt on 12" in said
    assert "above the 2 points" in said


def test_a_gain_that_is_clear_but_too_small_does_not_ship(pair: Pair) -> None:
    a, b = pair(3000, 45, 5)
    verdict = decide(a, [b], RULES)
    assert verdict.comparisons[0].low > 0
    assert verdict.comparisons[0].p < 0.001
    assert verdict.verdict != "ship"


def test_a_gain_below_what_is_asked_is_rejected_and_names_the_baseline(pair: Pair) -> None:
    a, b = pair(600, 12, 30)
    verdict = decide(a, [b], RULES)
    assert verdict.verdict == "reject"
    assert verdict.more_rows is None
    assert verdict.reasons[-1].startswith("Use prompt instead")
    assert "a fine-tune must gain 2" in " ".join(verdict.reasons)


def test_thin_evidence_is_held_with_the_rows_that_would_settle_it(pair: Pair) -> None:
    a, b = pair(100, 14, 5)
    verdict = decide(a, [b], RULES)
    assert verdict.verdict == "hold"
    assert verdict.more_rows is not None
    assert 100 < verdict.more_rows < 1000
    assert verdict.more_rows % 10 == 0
    assert f"About {verdict.more_rows:,} more eval rows would settle it" in " ".join(verdict.reasons)
    assert verdict.reasons[-1].startswith("Until then use prompt instead")


def test_no_number_of_rows_settles_a_gain_that_is_just_what_is_asked(pair: Pair) -> None:
    verdict = decide(*_one(pair(1000, 60, 40)), RULES)
    assert (verdict.verdict, verdict.more_rows) == ("hold", None)
    assert "no reasonable number of rows" in " ".join(verdict.reasons)


def _one(judged: Judged) -> tuple[Evaluated, list[Evaluated]]:
    return judged[0], [judged[1]]


def test_every_baseline_has_to_be_beaten(pair: Pair, other: Others) -> None:
    a, b = pair(400, 60, 12)
    close = other(a, "classical", wins=6, losses=5)
    verdict = decide(a, [b, close], RULES)
    assert verdict.baseline == "classical"
    assert verdict.verdict != "ship"
    assert [each.b for each in verdict.comparisons] == ["prompt", "classical"]


def test_p_is_corrected_for_the_baselines(pair: Pair, other: Others) -> None:
    a, b = pair(400, 60, 12)
    alone = decide(a, [b], RULES).comparisons[0].p
    beside = decide(a, [b, other(a, "rules", wins=80, losses=5), other(a, "majority", wins=90, losses=1)], RULES)
    assert beside.comparisons[0].p == pytest.approx(alone)  # the largest of three
    assert beside.comparisons[2].p <= beside.comparisons[1].p <= beside.comparisons[0].p


def test_the_faster_of_equal_baselines_is_the_best(pair: Pair) -> None:
    _, b = pair(100, 10, 10)
    slow = Evaluated(
        task=b.task,
        scorecard=b.scorecard.model_copy(update={"candidate": "slow", "seconds": 9.0}),
        predictions=b.predictions,
        examples=b.examples,
    )
    assert best_baseline([slow, b], "accuracy").name == "prompt"


def test_a_slice_that_clearly_lost_blocks_a_gain(other: Others, make_rows: Callable[..., Evaluated]) -> None:
    names = ["spanish"] * 80 + ["english"] * 720
    right = np.ones(800, bool)
    right[:30] = False  # 30 of the 80 Spanish rows
    tuned = make_rows("fine-tuned", right, slices=names)
    base = right.copy()
    base[:80] = True
    base[80:280] = False
    baseline = make_rows("prompt", base, slices=names)
    verdict = decide(tuned, [baseline], RULES)
    assert verdict.comparisons[0].low > 0.02
    assert verdict.verdict == "reject"
    said = " ".join(verdict.reasons)
    assert "Slice spanish got worse than the 5 points that a slice may lose: −37.5 points" in said
    spanish = next(each for each in verdict.slices if each.slice == "spanish")
    assert spanish.level == pytest.approx(0.975)
    assert spanish.high < -0.05


def test_a_slice_with_few_rows_is_unknown_and_does_not_block(make_rows: Callable[..., Evaluated]) -> None:
    names = ["spanish"] * 29 + ["english"] * 771
    tuned_right, base_right = np.ones(800, bool), np.ones(800, bool)
    tuned_right[:29] = False
    base_right[100:300] = False
    verdict = decide(
        make_rows("fine-tuned", tuned_right, slices=names), [make_rows("prompt", base_right, slices=names)], RULES
    )
    assert verdict.verdict == "ship"
    assert verdict.unknown_slices == ("spanish",)
    assert "Too few eval rows to say whether spanish got worse" in " ".join(verdict.caveats)


def test_an_open_slice_is_said_not_to_be_shown(make_rows: Callable[..., Evaluated]) -> None:
    names = ["small"] * 40 + ["large"] * 360
    right, base = np.ones(400, bool), np.arange(400) % 5 != 0
    right[0], base[:40] = False, True
    verdict = decide(make_rows("fine-tuned", right, slices=names), [make_rows("prompt", base, slices=names)], RULES)
    assert verdict.verdict == "ship"
    shown = "Of 2 slices with enough rows, 1 is shown to lose at most 5 points; it is open for small"
    assert shown in " ".join(verdict.reasons)


def test_later_attempts_need_more_and_never_more_than_five_percent_together(pair: Pair) -> None:
    a, b = pair(300, 36, 12)
    first, fifth = decide(a, [b], RULES), decide(a, [b], RULES, attempt=5)
    assert (first.verdict, fifth.verdict) == ("ship", "hold")
    assert fifth.attempt == 5
    assert fifth.comparisons[0].level == pytest.approx(1 - 0.05 / 20)
    assert "5th judgement on this eval set" in " ".join(fifth.caveats)
    one_sided = [(1 - level_of(attempt)) / 2 for attempt in range(1, 100_000)]
    assert one_sided[0] == pytest.approx(0.025)
    assert sum(one_sided) < 0.05


def test_failures_of_a_baseline_cannot_ship_a_fine_tune(make_rows: Callable[..., Evaluated]) -> None:
    right = np.arange(400) % 10 != 0
    tuned = make_rows("fine-tuned", right)
    honest = np.arange(400) % 10 > 1
    assert decide(tuned, [make_rows("prompt", honest)], RULES).verdict == "ship"
    failing = make_rows("prompt", right, failed=range(0, 400, 8))
    verdict = decide(tuned, [failing], RULES)
    assert verdict.verdict == "hold"
    assert verdict.more_rows is None
    assert "prompt failed on 50 rows; were those answers right, the verdict would be another" in " ".join(
        verdict.reasons
    )
    assert "prompt gave no valid answer to 50 of 400 rows, 50 of them because it failed" in " ".join(verdict.caveats)


def test_failures_of_a_fine_tune_do_not_reject_it_but_never_ship_it(make_rows: Callable[..., Evaluated]) -> None:
    base = np.arange(400) % 10 > 1
    verdict = decide(
        make_rows("fine-tuned", np.ones(400, bool), failed=range(0, 400, 4)), [make_rows("prompt", base)], RULES
    )
    assert verdict.verdict == "hold"
    assert "fine-tuned failed on 100 rows" in " ".join(verdict.reasons)


def test_macro_f1_decides_where_it_is_primary(make_rows: Callable[..., Evaluated]) -> None:
    rules = RulesSection(primary="macro_f1")
    right, base = np.ones(300, bool), np.arange(300) % 5 != 0
    verdict = decide(make_rows("fine-tuned", right), [make_rows("prompt", base)], rules)
    assert verdict.verdict == "ship"
    assert "reaches macro F1 100.0 % against" in verdict.reasons[0]
    small = decide(make_rows("fine-tuned", right[:40]), [make_rows("prompt", base[:40])], rules)
    assert (small.verdict, small.more_rows, small.comparisons) == ("hold", 10, ())
    assert "too few to compare macro F1" in small.reasons[0]


def test_rows_that_belong_together_count_as_fewer(make_rows: Callable[..., Evaluated]) -> None:
    right, base = np.ones(360, bool), np.arange(360) // 12 % 10 != 0
    groups = [f"thread {place // 12}" for place in range(360)]
    alone = decide(make_rows("fine-tuned", right), [make_rows("prompt", base)], RULES)
    together = decide(make_rows("fine-tuned", right, groups=groups), [make_rows("prompt", base, groups=groups)], RULES)
    assert (alone.verdict, together.verdict) == ("ship", "hold")
    assert together.more_rows is not None
    few = [f"thread {place // 60}" for place in range(360)]
    unknown = decide(make_rows("fine-tuned", right, groups=few), [make_rows("prompt", base, groups=few)], RULES)
    assert (unknown.verdict, unknown.comparisons) == ("hold", ())
    assert "at least 25 groups" in unknown.reasons[0]


def test_caveats_of_the_caller_come_first(pair: Pair) -> None:
    a, b = pair(400, 60, 12)
    assert decide(a, [b], RULES, caveats=["The prompt is still the untouched draft."]).caveats == (
        "The prompt is still the untouched draft.",
    )


def test_without_a_baseline_or_a_known_metric_nothing_is_judged(pair: Pair) -> None:
    a, b = pair(100, 10, 10)
    with pytest.raises(UserError, match="tunesmith baseline"):
        decide(a, [], RULES)
    with pytest.raises(ConfigError, match="meteor"):
        decide(a, [b], RULES.model_copy(update={"primary": "meteor"}))


RED_TEAM = "red-team rows"


def _guarded(name: str, plain: int, kept: int) -> Evaluated:
    """Right on `plain` of 400 rows; refuses `kept` of 100 rows that must be refused."""
    task = Task(family="classification", prompt="", labels=("a", "b"))
    rows = [example(place, None) for place in range(400)] + [example(place, "refuse") for place in range(400, 500)]
    said = ["a" if place < plain else "b" for place in range(400)]
    refused = [Prediction(example=row.id, state="refused") for row in rows[400 : 400 + kept]]
    other = [
        Prediction(example=row.id, state="ok", output=output)
        for row, output in zip(rows, [*said, *["b"] * 100], strict=True)
    ]
    return evaluated(task, name, rows, [*other[:400], *refused, *other[400 + kept :]])


def example(place: int, behaviour: Behaviour | None) -> Example:
    return Example(messages=(Message(role="user", content=f"q{place}"),), expected="a", behaviour=behaviour)


def test_red_team_rows_that_are_no_longer_refused_block_what_would_ship() -> None:
    baseline = _guarded("prompt", 240, 95)
    safe = decide(_guarded("fine-tuned", 340, 95), [baseline], RULES)
    assert (safe.verdict, [each.slice for each in safe.slices]) == ("ship", [RED_TEAM])
    loose = decide(_guarded("fine-tuned", 340, 60), [baseline], RULES)
    assert loose.verdict == "reject"
    assert [(each.slice, each.metric, each.n) for each in loose.slices] == [(RED_TEAM, "behaviour", 100)]
    assert "Slice red-team rows got worse than the 5 points that a slice may lose" in " ".join(loose.reasons)

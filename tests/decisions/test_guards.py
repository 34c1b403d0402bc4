"""Guards with margins and ceilings: three answers each, and what they do to a verdict."""

from collections.abc import Callable

import numpy as np
import pytest
from evaluated import evaluated

from tunesmith.core.errors import ConfigError
from tunesmith.core.prediction import Prediction
from tunesmith.decisions.comparison import METRICS, Evaluated
from tunesmith.decisions.guards import guards_of
from tunesmith.decisions.judgement import decide
from tunesmith.decisions.section import RulesSection
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.guarded import check_guard, guardable

Pair = Callable[..., tuple[Evaluated, Evaluated]]


def silenced(each: Evaluated, rows: int, seconds: float = 0.1) -> Evaluated:
    """The same, without a valid answer on the first `rows` of its wrong rows, every row timed alone."""
    wrong = np.flatnonzero(~each.answers.right)[:rows]
    predictions = tuple(
        Prediction(example=old.example, state="invalid", latency=seconds)
        if place in wrong
        else old.model_copy(update={"latency": seconds})
        for place, old in enumerate(each.predictions)
    )
    return evaluated(each.task, each.name, each.examples, predictions)


def state(fine_tune: Evaluated, best: Evaluated, **rules: object) -> list[str]:
    found = guards_of(fine_tune, best, RulesSection(**rules), 0.95)  # type: ignore[arg-type]
    return [each.state for each in (*found.margins, *found.ceilings)]


def test_a_guard_is_kept_open_or_broken(pair: Pair) -> None:
    a, b = pair(600, 80, 10)
    assert state(a, b, guards={"invalid_rate": 0.02}) == ["kept"]
    assert state(silenced(a, 8), b, guards={"invalid_rate": 0.02}) == ["open"]
    assert state(silenced(a, 60), b, guards={"invalid_rate": 0.02}) == ["broken"]
    assert state(a, b, guards={"macro_f1": 0.02, "accuracy": 0.02}) == ["kept", "kept"]
    assert state(b, a, guards={"macro_f1": 0.02}) == ["broken"]
    few = pair(12, 2, 0)
    assert state(*few, guards={"invalid_rate": 0.02}) == ["open"]


def test_a_verdict_ships_only_with_every_guard_shown(pair: Pair) -> None:
    a, b = pair(600, 80, 10)
    rules = RulesSection(guards={"invalid_rate": 0.02})
    ships = decide(a, [b], rules)
    assert ships.verdict == "ship"
    assert "Kept: no answer at most 2 points worse than prompt's" in " ".join(ships.reasons)
    holds = decide(silenced(a, 8), [b], rules)
    assert holds.verdict == "hold"
    assert holds.more_rows
    assert "The gain is shown; a guard is not yet." in holds.reasons
    assert any(text.startswith("Not shown yet: no answer") for text in holds.reasons)
    rejects = decide(silenced(a, 60), [b], rules)
    assert rejects.verdict == "reject"
    assert any(text.startswith("Broken: no answer") for text in rejects.reasons)
    assert decide(silenced(a, 60), [b], RulesSection()).verdict == "ship"


def test_a_worse_gain_is_said_of_the_metric_not_of_its_sign(pair: Pair) -> None:
    a, b = pair(600, 80, 10)
    guard = decide(silenced(a, 60), [b], RulesSection(guards={"invalid_rate": 0.02})).guards[0]
    assert guard.gain == pytest.approx(-0.1)
    assert guard.low is not None
    assert guard.high is not None
    assert guard.low < -0.1 < guard.high


def test_many_guards_are_broken_by_chance_no_more_often(pair: Pair) -> None:
    """What is just broken alone is open among three; where all three are clearly broken, each is."""
    a, b = pair(600, 80, 10)
    alone = {"invalid_rate": 0.02}
    worse = next(each for each in (silenced(a, k) for k in range(10, 60)) if state(each, b, guards=alone) == ["broken"])
    several = {"invalid_rate": 0.02, "accuracy": 0.02, "macro_f1": 0.02}
    assert state(worse, b, guards=several) == ["open", "kept", "kept"]
    lost = silenced(b, 60)
    assert state(lost, a, guards=several) == ["broken", "broken", "broken"]


def test_ceilings_of_latency(pair: Pair) -> None:
    a, b = pair(200, 40, 2)
    slow = silenced(a, 0, seconds=2.0)
    assert state(slow, b, max_latency_p50=3.0, max_latency_p95=3.0) == ["kept", "kept"]
    assert state(slow, b, max_latency_p50=1.0, max_latency_p95=1.0) == ["broken", "broken"]
    untimed = decide(a, [b], RulesSection(max_latency_p95=1.0))
    assert untimed.verdict == "hold"
    assert untimed.more_rows is None
    assert "too few rows were timed alone" in " ".join(untimed.reasons)


def test_a_ceiling_of_cost(pair: Pair) -> None:
    a, b = pair(400, 60, 2)
    right = a.scorecard.metrics["accuracy"].value or 0.0
    card = a.scorecard.model_copy(update={"cost": 4.0, "cost_per_success": 4.0 / (400 * right)})
    priced = Evaluated(task=a.task, scorecard=card, predictions=a.predictions, examples=a.examples)
    assert state(priced, b, max_cost_per_success=0.05) == ["kept"]
    assert state(priced, b, max_cost_per_success=0.01) == ["broken"]
    assert state(priced, b, max_cost_per_success=0.01 / right) == ["open"]
    assert "[prices] names" in " ".join(decide(a, [b], RulesSection(max_cost_per_success=1.0)).reasons)


def test_only_metrics_with_an_interval_of_the_difference_are_guarded() -> None:
    for name in FAMILIES:
        assert set(guardable(name)) <= METRICS.keys()
    with pytest.raises(ConfigError, match="has no interval of a difference"):
        check_guard("ece", 0.01)
    with pytest.raises(ConfigError, match="did you mean 'invalid_rate'"):
        check_guard("invalid_rat", 0.01)
    with pytest.raises(ConfigError, match="above 0"):
        check_guard("invalid_rate", 0.0)
    with pytest.raises(ConfigError, match="of classification"):
        check_guard("field_f1", 0.01, "classification")

"""Verdicts by what mistakes cost: a lower cost is better, and the least gain is in the user's unit."""

from evaluated import evaluated

from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.core.verdict import Verdict
from tunesmith.decisions.comparison import Evaluated, compare_pairs
from tunesmith.decisions.judgement import best_baseline, decide
from tunesmith.decisions.section import RulesSection
from tunesmith.tasks.costs import Costs
from tunesmith.tasks.spec import Task

TASK = Task(
    family="classification", prompt="", labels=("fraud", "ok"), costs=Costs(false_negative={"fraud": 100}, mistake=2)
)
EXAMPLES = tuple(
    Example(messages=(Message(role="user", content=f"row {place}"),), expected="fraud" if place % 5 == 0 else "ok")
    for place in range(600)
)
RULES = RulesSection(primary="expected_cost", min_effect=3.0)


def candidate(name: str, missed: int, false_alarms: int) -> Evaluated:
    """Misses every `missed`-th fraud and gives a false alarm on every `false_alarms`-th other row."""
    seen = {"fraud": 0, "ok": 0}
    predictions = []
    for example in EXAMPLES:
        seen[example.expected] += 1
        every = missed if example.expected == "fraud" else false_alarms
        wrong = seen[example.expected] % every == 0
        said = {"fraud": "ok", "ok": "fraud"}[example.expected] if wrong else example.expected
        predictions.append(Prediction(example=example.id, state="ok", output=said))
    return evaluated(TASK, name, EXAMPLES, predictions)


CAREFUL = candidate("careful", missed=40, false_alarms=3)  # wrong often, and cheaply
SURE = candidate("sure", missed=3, false_alarms=120)  # wrong seldom, and dearly


def judged(rules: RulesSection = RULES) -> Verdict:
    return decide(CAREFUL, [SURE], rules)


def test_the_one_that_costs_less_ships_though_it_is_wrong_more_often() -> None:
    assert CAREFUL.scorecard.metrics["accuracy"].value < SURE.scorecard.metrics["accuracy"].value
    verdict = judged()
    assert verdict.verdict == "ship"
    said = " ".join(verdict.reasons)
    assert "reaches expected cost 1.03 against 6.68 of the best baseline, sure" in said
    assert "+5.65 a row spared" in said
    assert "3.00 a row that a fine-tune must gain" in said
    assert "The fine-tune costs less on" in said
    assert "points" not in said.split("Of ")[0]


def test_the_gain_asked_for_is_in_the_unit_of_the_costs() -> None:
    assert judged(RULES.model_copy(update={"min_effect": 20.0})).verdict == "reject"
    assert judged(RULES.model_copy(update={"min_effect": 5.5})).verdict == "hold"
    held = judged(RULES.model_copy(update={"min_effect": 4.2}))
    assert held.verdict == "hold"
    assert held.more_rows is not None


def test_the_other_way_round_it_is_rejected() -> None:
    assert decide(SURE, [CAREFUL], RULES).verdict == "reject"


def test_the_best_baseline_is_the_cheapest_one() -> None:
    assert best_baseline([SURE, CAREFUL], "expected_cost") is CAREFUL
    assert best_baseline([SURE, CAREFUL], "accuracy") is SURE


def test_a_difference_of_costs_is_what_a_row_costs_less() -> None:
    found = compare_pairs(CAREFUL, SURE, "expected_cost")
    assert found is not None
    costs = [each.scorecard.metrics["expected_cost"].value or 0.0 for each in (SURE, CAREFUL)]
    assert abs(found.difference - (costs[0] - costs[1])) < 1e-9
    assert 0 < found.low < found.difference < found.high < 100
    assert found.a_only > 0
    assert found.b_only > 0

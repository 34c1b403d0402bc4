"""What mistakes cost, and abstaining, through the metrics of a set of answers."""

import numpy as np
import pytest

from tunesmith.core.errors import ConfigError
from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.tasks.costs import Costs, cheapest, largest, table
from tunesmith.tasks.measures import measure, point, yardstick
from tunesmith.tasks.spec import Task, check_of_labels

LABELS = ("fraud", "ok", "other")
COSTS = Costs(
    mistake=1, no_answer=3, false_negative={"fraud": 50}, false_positive={"fraud": 5}, matrix={"fraud": {"other": 2}}
)


def task(costs: Costs | None = COSTS, abstain: str | None = None) -> Task:
    return Task(family="classification", prompt="Sort.", labels=LABELS, costs=costs, abstain=abstain)


def rows(*expected: str) -> list[Example]:
    return [
        Example(messages=(Message(role="user", content=f"row {place}"),), expected=label)
        for place, label in enumerate(expected)
    ]


def answers(examples: list[Example], *outputs: str | None) -> list[Prediction]:
    return [
        Prediction(example=row.id, state="ok" if output else "invalid", output=output)
        for row, output in zip(examples, outputs, strict=True)
    ]


def test_a_mistake_costs_what_is_said_of_it_else_of_its_two_labels_else_as_any() -> None:
    assert table(COSTS, LABELS) == ((0.0, 50.0, 2.0, 3.0), (5.0, 0.0, 1.0, 3.0), (5.0, 1.0, 0.0, 3.0))
    assert largest(COSTS, LABELS) == 50.0
    both = Costs(false_negative={"fraud": 50}, false_positive={"ok": 7})
    assert both.of("fraud", "ok") == 57.0
    assert both.of("fraud", None) == 50.0
    assert both.of("other", None) == 1.0


def test_the_expected_cost_is_the_mean_a_row_in_the_users_unit() -> None:
    examples = rows(*["fraud", "ok", "ok", "other"] * 30)
    predictions = answers(examples, *["ok", "ok", "fraud", None] * 30)
    found = measure(task(), examples, predictions)
    cost = found.metrics["expected_cost"]
    assert cost.value == pytest.approx((50 + 0 + 5 + 3) / 4)
    assert cost.low is not None
    assert cost.high is not None
    assert 0 < cost.low < 14.5 < cost.high < 50
    spared = found.metrics["costs_spared"]
    assert spared.value == pytest.approx(1 - 14.5 / 50)
    assert point(task(), examples, predictions, "costs_spared") == pytest.approx(spared.value)
    assert point(task(), examples, predictions, "expected_cost") == pytest.approx(spared.value)  # higher is better


def test_the_interval_of_the_cost_covers_it() -> None:
    rng = np.random.default_rng(7)
    hits, true = 0, 0.1 * 50 + 0.2 * 5
    for _ in range(300):
        kind = rng.choice(3, 150, p=[0.7, 0.1, 0.2])
        examples = rows(*("fraud" if each == 1 else "ok" for each in kind))
        said = answers(examples, *(("ok", "ok", "fraud")[each] for each in kind))
        cost = measure(task(), examples, said).metrics["expected_cost"]
        hits += (cost.low or 0.0) <= true <= (cost.high or 0.0)
    assert hits / 300 >= 0.93


def test_without_costs_nothing_is_measured_of_them() -> None:
    examples = rows(*["fraud", "ok"] * 20)
    found = measure(task(None), examples, answers(examples, *["ok"] * 40))
    assert not {"expected_cost", "costs_spared", "answered_rate"} & found.metrics.keys()


def test_abstaining_has_its_own_precision_and_recall() -> None:
    examples = rows(*(["fraud"] * 20 + ["ok"] * 20 + ["other"] * 20))
    said = ["fraud"] * 15 + ["other"] * 5 + ["ok"] * 10 + ["fraud"] * 10 + ["other"] * 15 + ["ok"] * 5
    figures = measure(task(None, "other"), examples, answers(examples, *said)).metrics
    assert figures["answered_rate"].value == pytest.approx(40 / 60)
    assert figures["answered_accuracy"].value == pytest.approx(25 / 40)
    assert figures["answered_accuracy"].n == 40
    assert figures["abstain_precision"].value == pytest.approx(15 / 20)
    assert figures["abstain_recall"].value == pytest.approx(15 / 20)


def test_the_cheapest_answer_weighs_what_each_mistake_costs() -> None:
    choose = cheapest(COSTS, LABELS)
    assert choose([0.05, 0.94, 0.01]) == 2  # 0.05 · 2 + 0.94 · 1, while ok would cost 0.05 · 50
    assert choose([0.001, 0.989, 0.01]) == 1
    assert choose([0.95, 0.05, 0.0]) == 0
    assert cheapest(Costs(), LABELS)([0.3, 0.3, 0.4]) == 2
    assert cheapest(Costs(), LABELS)([0.4, 0.4, 0.2]) == 0


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        (Costs(false_negative={"frauds": 5}), r"false_negative names 'frauds'.*did you mean 'fraud'"),
        (Costs(matrix={"ok": {"no": 5}}), r"matrix.ok names 'no'"),
        (Costs(matrix={"ok": {"ok": 5}}), r"'ok' is the right answer there"),
        (Costs(mistake=0), r"every mistake costs 0"),
    ],
)
def test_costs_of_what_cannot_happen_are_refused(costs: Costs, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_of_labels(task(costs))


def test_a_label_that_abstains_is_one_of_the_labels() -> None:
    with pytest.raises(ConfigError, match=r"abstain = 'others' is none of the 3 labels.*did you mean 'other'"):
        check_of_labels(task(None, "others"))


def test_costs_change_what_is_measured_and_what_is_asked_only_where_they_choose() -> None:
    plain, dear = task(None), task()
    assert plain.digest == dear.digest
    assert yardstick(plain, meaning=False) != yardstick(dear, meaning=False)
    choosing = task(COSTS.model_copy(update={"answer": "cheapest"}))
    assert choosing.digest != dear.digest
    assert yardstick(choosing, meaning=False) != yardstick(plain, meaning=False)

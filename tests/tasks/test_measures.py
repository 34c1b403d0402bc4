from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction, State
from tunesmith.core.scorecard import Estimate
from tunesmith.tasks.measures import measure
from tunesmith.tasks.spec import Task

LABELS = ("billing", "refund", "shipping")
TASK = Task(family="classification", prompt="Route the message.", labels=LABELS)


def example(place: int, expected: str, **more: object) -> Example:
    return Example(messages=(Message(role="user", content=f"row {place}"),), expected=expected, **more)  # type: ignore[arg-type]


def answer(row: Example, output: str | None, state: State = "ok", confidence: float | None = None) -> Prediction:
    return Prediction(example=row.id, state=state, output=output, confidence=confidence)


def drawn(n: int, seed: int = 0) -> tuple[list[Example], list[Prediction]]:
    rng = np.random.default_rng(seed)
    rows = [example(place, LABELS[rng.integers(3)]) for place in range(n)]
    said = [row.expected if rng.random() < 0.8 else LABELS[rng.integers(3)] for row in rows]
    return rows, [answer(row, output, confidence=0.8) for row, output in zip(rows, said, strict=True)]


def test_counts_are_scikit_learns() -> None:
    rows, predictions = drawn(400)
    found = measure(TASK, rows, predictions)
    expected, said = [row.expected for row in rows], [each.output for each in predictions]
    assert [list(line[:-1]) for line in found.confusion] == confusion_matrix(expected, said, labels=LABELS).tolist()
    assert all(line[-1] == 0 for line in found.confusion)
    precision, recall, _, support = precision_recall_fscore_support(expected, said, labels=LABELS)
    for place, label in enumerate(LABELS):
        figures = found.labels[label]
        assert figures.precision.value == pytest.approx(precision[place])
        assert figures.recall.value == pytest.approx(recall[place])
        assert figures.support == support[place] == figures.recall.n
    assert found.metrics["accuracy"].value == pytest.approx(np.mean(np.array(expected) == np.array(said)))
    for estimate in (*found.metrics.values(), *(each.recall for each in found.labels.values())):
        assert estimate.value is not None
        assert estimate.low is not None
        assert estimate.high is not None
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


def test_without_a_valid_answer_a_row_is_not_right_and_counted_apart() -> None:
    rows = [example(place, "refund") for place in range(40)]
    states: Sequence[State] = ("ok", "refused", "invalid", "failed")
    predictions = [
        answer(row, "refund" if state == "ok" else None, state)
        for row, state in zip(rows, [states[place % 4] for place in range(40)], strict=True)
    ]
    found = measure(TASK, rows, predictions)
    assert found.metrics["accuracy"].value == 0.25
    assert found.metrics["invalid_rate"].value == 0.75
    assert found.states == {"failed": 10, "invalid": 10, "ok": 10, "refused": 10}
    assert found.confusion == ((0, 0, 0, 0), (0, 10, 0, 30), (0, 0, 0, 0))
    assert found.labels["refund"].precision.value == 1.0
    assert found.labels["refund"].recall.value == 0.25


def test_an_output_beside_a_state_other_than_ok_is_no_answer() -> None:
    rows = [example(place, "refund") for place in range(20)]
    found = measure(TASK, rows, [answer(row, "refund", "invalid") for row in rows])
    assert found.metrics["accuracy"].value == 0.0


def test_below_its_minimum_every_metric_is_unknown() -> None:
    rows, predictions = drawn(9)
    found = measure(TASK, rows, predictions)
    assert set(found.metrics.values()) == {Estimate(value=None, n=9)}
    assert measure(TASK, [], []).metrics["accuracy"] == Estimate(value=None, n=0)
    rows, predictions = drawn(60)
    found = measure(TASK, rows, predictions)
    assert found.metrics["accuracy"].known
    assert found.metrics["macro_f1"].known
    assert found.metrics["ece"] == Estimate(value=None, n=60)


def test_a_rare_label_is_unknown_for_itself_and_for_macro_f1() -> None:
    rows = [example(place, "billing" if place else "shipping") for place in range(100)]
    found = measure(TASK, rows, [answer(row, row.expected) for row in rows])
    assert found.labels["shipping"].recall == Estimate(value=None, n=1)
    assert found.labels["refund"].precision == Estimate(value=None, n=0)
    assert not found.metrics["macro_f1"].known


def test_slices_have_figures_of_their_own() -> None:
    rows = [example(place, "billing", slice=("long", "short", None)[place % 3]) for place in range(90)]
    predictions = [answer(row, "billing" if row.slice == "long" else "refund") for row in rows]
    found = measure(TASK, rows, predictions)
    assert list(found.slices) == ["long", "short"]
    assert found.slices["long"]["accuracy"].value == 1.0
    assert found.slices["short"]["accuracy"].value == 0.0
    assert found.slices["short"]["accuracy"].n == 30
    assert found.slices["short"]["invalid_rate"].value == 0.0


def test_calibration_is_of_the_rows_that_say_how_sure_they_are() -> None:
    rows, predictions = drawn(500)
    half = [
        each if place % 2 else each.model_copy(update={"confidence": None}) for place, each in enumerate(predictions)
    ]
    assert measure(TASK, rows, predictions).metrics["ece"].n == 500
    assert measure(TASK, rows, half).metrics["ece"] == Estimate(value=None, n=250)


def test_rows_of_one_group_count_as_fewer() -> None:
    rows, predictions = drawn(300)
    thrice = [row.model_copy(update={"group": f"g{place}"}) for place, row in enumerate(rows) for _ in range(3)]
    repeated = [prediction for prediction in predictions for _ in range(3)]
    alone, grouped = measure(TASK, rows, predictions), measure(TASK, thrice, repeated)
    for name in ("accuracy", "macro_f1"):
        one, other = alone.metrics[name], grouped.metrics[name]
        assert one.value == pytest.approx(other.value)
        assert one.low == pytest.approx(other.low, abs=0.01)
        assert one.high == pytest.approx(other.high, abs=0.01)
    assert grouped.labels["billing"].recall.low == pytest.approx(alone.labels["billing"].recall.low, abs=0.03)


def test_weights_do_not_count() -> None:
    rows, predictions = drawn(200)
    heavy = [row.model_copy(update={"weight": float(place)}) for place, row in enumerate(rows)]
    assert measure(TASK, heavy, predictions) == measure(TASK, rows, predictions)


def test_a_label_that_the_task_has_not_is_refused_with_its_place() -> None:
    row = example(0, "refunds", origin="evals/eval.jsonl:7")
    with pytest.raises(DataError, match=r"evals/eval.jsonl:7 expects 'refunds'.*did you mean 'refund'"):
        measure(TASK, [row], [answer(row, "refund")])

"""Labels in a tree, through the metrics of a set of answers."""

import pytest

from tunesmith.core.errors import ConfigError
from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.tasks.measures import measure
from tunesmith.tasks.spec import Task, check_of_labels

LABELS = ("billing/refund", "billing/invoice", "tech/login/reset", "tech/login/lockout", "tech/bug", "other")


def task(labels: tuple[str, ...] = LABELS, separator: str = "/") -> Task:
    return Task(family="classification", prompt="", labels=labels, hierarchy=separator)


def measured(pairs: list[tuple[str, str | None]]):
    rows = [
        Example(messages=(Message(role="user", content=f"row {place}"),), expected=expected)
        for place, (expected, _) in enumerate(pairs)
    ]
    said = [
        Prediction(example=row.id, state="ok" if output else "invalid", output=output)
        for row, (_, output) in zip(rows, pairs, strict=True)
    ]
    return measure(task(), rows, said)


def test_every_level_has_its_accuracy_and_a_near_miss_counts_in_part():
    found = measured(
        [
            *[("billing/refund", "billing/refund")] * 10,
            *[("billing/refund", "billing/invoice")] * 10,  # the parent is right
            *[("tech/login/reset", "tech/login/lockout")] * 10,  # two levels are
            *[("tech/login/reset", "tech/bug")] * 10,  # one is
            *[("other", "tech/bug")] * 10,
            *[("tech/bug", None)] * 10,
        ]
    )
    figures = found.metrics
    assert figures["accuracy"].value == pytest.approx(1 / 6)
    assert figures["level_1_accuracy"].value == pytest.approx(4 / 6)
    assert figures["level_2_accuracy"].value == pytest.approx(2 / 6)
    assert "level_3_accuracy" not in figures  # that is the accuracy
    common, wanted, given = 2 + 1 + 2 + 1 + 0 + 0, 2 + 2 + 3 + 3 + 1 + 2, 2 + 2 + 3 + 2 + 2 + 0
    assert figures["hierarchical_precision"].value == pytest.approx(common / given)
    assert figures["hierarchical_recall"].value == pytest.approx(common / wanted)
    assert figures["hierarchical_f1"].value == pytest.approx(2 * common / (wanted + given))


def test_parents_have_figures_of_what_is_below_them():
    found = measured([("billing/refund", "billing/invoice")] * 15 + [("tech/bug", "billing/invoice")] * 5)
    assert set(found.parents) == {"billing", "tech", "tech/login"}
    billing = found.parents["billing"]
    assert (billing.support, billing.recall.value, billing.precision.value) == (15, 1.0, 0.75)


def test_without_a_separator_nothing_is_measured_of_levels():
    rows = [Example(messages=(Message(role="user", content="x"),), expected="other")]
    said = [Prediction(example=rows[0].id, state="ok", output="other")]
    found = measure(task().model_copy(update={"hierarchy": None}), rows, said)
    assert not found.parents
    assert "hierarchical_f1" not in found.metrics


@pytest.mark.parametrize(
    ("labels", "separator", "said"),
    [(("a/b", "c"), ">", "stands in none of the 2 labels"), (("a/b", "c/"), "/", "has an empty level")],
)
def test_a_separator_that_parts_nothing_is_refused(labels, separator, said):
    with pytest.raises(ConfigError, match=said):
        check_of_labels(task(labels, separator))

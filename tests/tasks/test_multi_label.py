"""Sets of labels: their one text, what states one, and the metrics of a set of answers."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, hamming_loss, jaccard_score, precision_recall_fscore_support

from tunesmith.core.errors import ConfigError, DataError
from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.tasks import multi_label
from tunesmith.tasks.label_sets import check_set_labels, members, text_of
from tunesmith.tasks.measures import answers_of, measure, point
from tunesmith.tasks.spec import Task

LABELS = ("refund", "delay", "damage", "praise")
TASK = Task(family="multi_label", prompt="Tick.", labels=LABELS, max_new_tokens=64)


def row(place: int, *labels: str, **more: str) -> Example:
    asked = (Message(role="user", content=f"row {place}"),)
    return Example(messages=asked, expected=text_of(labels, LABELS), **more)  # type: ignore[arg-type]


def answer(example: Example, *labels: str, ok: bool = True) -> Prediction:
    output = text_of(labels, LABELS) if ok else None
    return Prediction(example=example.id, state="ok" if ok else "invalid", output=output, confidence=0.5)


def drawn(n: int, seed: int = 0, groups: int = 0) -> tuple[list[Example], list[Prediction], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    wanted = rng.random((n, 4)) < (0.5, 0.3, 0.2, 0.1)
    given = wanted ^ (rng.random((n, 4)) < 0.1)
    more = [{"group": f"g{place % groups}"} if groups else {} for place in range(n)]
    rows = [row(place, *np.array(LABELS)[which], **more[place]) for place, which in enumerate(wanted)]
    said = [answer(example, *np.array(LABELS)[which]) for example, which in zip(rows, given, strict=True)]
    return rows, said, wanted, given


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("delay, refund", "refund, delay"),
        ("refund;delay ; refund", "refund, delay"),
        (" Damage |refund", "refund, damage"),
        ('["praise", "refund"]', "refund, praise"),
        ('```json\n["praise"]\n```', "praise"),
        ("[]", "none"),
        ("None", "none"),
        ("refund,", "refund"),
    ],
)
def test_what_names_the_same_labels_is_one_text(text, expected):
    assert multi_label.parse(text, TASK) == (expected, None)
    assert text_of(members(expected), LABELS) == expected


@pytest.mark.parametrize("text", ["", ",", "refunds", "refund and delay", "none, refund", '["refund", 3]', "[refund]"])
def test_anything_else_is_no_answer_and_says_why(text):
    output, fault = multi_label.parse(text, TASK)
    assert output is None
    assert fault
    assert multi_label.parse("refund", TASK, cut=True).fault == "ended by the limit of 64 tokens"


@pytest.mark.parametrize("label", ["a,b", "a;b", "a|b", "None", " none "])
def test_labels_that_would_be_taken_for_a_set_are_refused(label):
    with pytest.raises(ConfigError):
        check_set_labels(("refund", label))


def test_the_figures_are_scikit_learns():
    rows, predictions, wanted, given = drawn(400)
    found = measure(TASK, rows, predictions)
    assert found.metrics["exact_set"].value == pytest.approx((wanted == given).all(axis=1).mean())
    assert found.metrics["micro_f1"].value == pytest.approx(f1_score(wanted, given, average="micro"))
    assert found.metrics["macro_f1"].value == pytest.approx(f1_score(wanted, given, average="macro"))
    assert found.metrics["hamming_loss"].value == pytest.approx(hamming_loss(wanted, given))
    jaccard = jaccard_score(wanted, given, average="samples", zero_division=1.0)
    assert found.metrics["jaccard"].value == pytest.approx(jaccard)
    precision, recall, _, support = precision_recall_fscore_support(wanted, given)
    for place, label in enumerate(LABELS):
        figures = found.labels[label]
        assert figures.support == support[place]
        assert figures.precision.value == pytest.approx(precision[place])
        assert figures.recall.value == pytest.approx(recall[place])
    for name, estimate in found.metrics.items():
        assert estimate.value is not None, name
        assert estimate.low <= estimate.value <= estimate.high
    assert point(TASK, rows, predictions, "jaccard") == pytest.approx(jaccard)


def test_without_an_answer_a_row_is_wrong_also_where_nothing_was_expected():
    rows = [row(place) for place in range(40)]
    found = measure(TASK, rows, [answer(each, ok=place % 2 == 0) for place, each in enumerate(rows)])
    assert found.metrics["exact_set"].value == 0.5
    assert found.metrics["jaccard"].value == 0.5
    assert found.metrics["hamming_loss"].value == 0.5
    assert found.metrics["invalid_rate"].value == 0.5
    assert found.metrics["micro_f1"].value is None  # nothing was expected or answered


def test_a_row_with_another_label_is_named():
    rows = [row(0, "refund").answered("refund, lost")]
    with pytest.raises(DataError, match="expects 'lost', which is none of the 4 labels"):
        answers_of(TASK, rows, [answer(rows[0])])


@pytest.mark.slow
@pytest.mark.parametrize(("n", "groups"), [(60, 0), (200, 0), (800, 0), (400, 80)])
def test_intervals_cover_what_they_estimate(n, groups):
    names = ("exact_set", "jaccard", "micro_f1", "macro_f1", "hamming_loss", "micro_precision")
    rows, predictions, _, _ = drawn(40_000, seed=99)
    true = {name: measure(TASK, rows, predictions).metrics[name].value for name in names}
    hits, known = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for seed in range(400):
        rows, predictions, _, _ = drawn(n, seed, groups)
        found = measure(TASK, rows, predictions).metrics
        for name in names:
            if found[name].value is not None:
                known[name] += 1
                hits[name] += found[name].low <= true[name] <= found[name].high
    for name in names:
        assert known[name] == 0 or hits[name] / known[name] >= 0.93 - 3 * (0.05 * 0.95 / known[name]) ** 0.5, name

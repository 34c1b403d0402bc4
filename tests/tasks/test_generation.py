"""Free text: what is an answer, what it scores, and what a set of answers is worth."""

import subprocess
import sys
from collections.abc import Sequence

import pytest
import sacrebleu
from pydantic import ValidationError
from sacrebleu.metrics.chrf import CHRF

from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.tasks import generation
from tunesmith.tasks.generated import SCORES, score
from tunesmith.tasks.measures import answers_of, measure, point
from tunesmith.tasks.spec import Task, TaskSection

TASK = Task(family="generation", prompt="Say it kindly.", max_new_tokens=40)


def rows(n: int, *, groups: int | None = None, slices: int | None = None) -> list[Example]:
    return [
        Example(
            messages=(Message(role="user", content=f"question {place}"),),
            expected=f"The kind answer number {place}.",
            group=str(place % groups) if groups else None,
            slice=f"slice {place % slices}" if slices else None,
        )
        for place in range(n)
    ]


def said(examples: Sequence[Example], outputs: Sequence[str | None]) -> list[Prediction]:
    return [
        Prediction(example=example.id, state="invalid" if output is None else "ok", output=output, confidence=0.5)
        for example, output in zip(examples, outputs, strict=True)
    ]


@pytest.mark.parametrize(("text", "output", "fault"), [(" A b \n", "A b", None), (" \n", None, "empty")])
def test_any_text_is_an_answer_but_an_empty_one(text: str, output: str | None, fault: str | None) -> None:
    assert generation.parse(text, TASK) == (output, fault)


def test_a_text_that_the_limit_ended_is_no_answer() -> None:
    assert generation.parse("It goes on and", TASK, cut=True) == (None, "ended by the limit of 40 tokens")


@pytest.mark.parametrize(
    ("expected", "answer", "right"),
    [
        ("Ends  here.\n", "Ends here.", True),
        ("ﬁne ①", "fine 1", True),
        ("Ends here.", "ends here.", False),
        ("Ends here.", None, False),
    ],
)
def test_answers_are_right_up_to_forms_and_white_space(expected: str, answer: str | None, right: bool) -> None:
    assert generation.right(expected, answer) is right


def test_scores_of_one_answer() -> None:
    expected, answer = "The cat sat on the mat.", "The cat sat on a mat."
    found = dict(zip(SCORES, score(expected, answer), strict=True))
    assert found["chrf"] == pytest.approx(CHRF().sentence_score(answer, [expected]).score / 100)
    assert found["bleu"] == pytest.approx(sacrebleu.sentence_bleu(answer, [expected]).score / 100)
    assert found["similarity"] == pytest.approx(1 - 3 / 23)
    assert found["edit_distance"] == pytest.approx(1 / 6)
    assert found["exact_match"] == 0
    assert score(expected, f" {expected} ") == (*(1.0,) * 7, 0.0)
    assert score("abcdef", "xyz") == (*(0.0,) * 7, 1.0)


def test_a_set_is_measured_by_the_means_of_its_rows() -> None:
    examples = rows(60, slices=2)
    outputs = [None if place % 10 == 0 else example.expected for place, example in enumerate(examples)]
    outputs[1] = "The kind answer number 1. And more, and more."
    found = measure(TASK, examples, said(examples, outputs))
    assert list(found.metrics) == [
        name for name in generation.METRICS if name not in ("meaning", "rule_rate", "pass_rate", "compile_rate")
    ]
    assert found.signatures["bleu"].startswith("nrefs:1|case:mixed|eff:yes|tok:13a|smooth:exp|version:")
    assert found.metrics["exact_match"].value == pytest.approx(53 / 60)
    assert found.metrics["invalid_rate"].value == pytest.approx(0.1)
    assert found.metrics["length_ratio"].value == 1.0
    assert found.metrics["length_ratio"].n == 54
    assert found.states == {"invalid": 6, "ok": 54}
    assert (found.labels, found.confusion_labels, found.confusion) == ({}, (), ())
    for name in SCORES:
        each = found.metrics[name]
        assert each.value is not None
        assert each.low is not None
        assert each.high is not None
        assert 0 <= each.low <= each.value <= each.high <= 1
        assert point(TASK, examples, said(examples, outputs), name) == pytest.approx(each.value)
    assert set(found.slices) == {"slice 0", "slice 1"}
    assert set(found.slices["slice 0"]) == {*SCORES, "invalid_rate"}
    assert found.slices["slice 0"]["invalid_rate"].value == pytest.approx(0.2)


def test_few_rows_are_unknown_and_rows_of_a_group_count_as_fewer() -> None:
    few = rows(9)
    styled = measure(TASK, few, said(few, ["x"] * 9))
    assert {each.value for each in (*styled.metrics.values(), *styled.claims.values())} == {None}
    alone, grouped = rows(90), rows(90, groups=30)
    outputs = [row.expected if place % 30 < 20 else "No idea." for place, row in enumerate(alone)]
    widths = []
    for examples in (alone, grouped):
        found = measure(TASK, examples, said(examples, outputs)).metrics["chrf"]
        assert found.low is not None
        assert found.high is not None
        widths.append(found.high - found.low)
    assert widths[1] > 1.3 * widths[0]


def test_long_answers_show_in_the_ratio_of_lengths() -> None:
    examples = rows(30)
    found = measure(TASK, examples, said(examples, [row.expected * 2 for row in examples])).metrics["length_ratio"]
    assert found.value == pytest.approx(2.0)
    assert found.low == found.high == pytest.approx(2.0)


def test_what_failed_scores_nothing() -> None:
    examples = rows(2)
    failed = [Prediction(example=row.id, state="failed", error="x") for row in examples]
    answers = answers_of(TASK, examples, failed)
    assert answers.scores("chrf").tolist() == [0.0, 0.0]
    assert answers.right.tolist() == [False, False]


def test_labels_are_refused_in_words() -> None:
    with pytest.raises(ValidationError, match="a generation task has no labels, its answers are free text"):
        TaskSection(family="generation", labels=("a", "b"))
    with pytest.raises(ValidationError, match="max_new_tokens belongs to a task whose answers are written"):
        Task(family="generation", prompt="")
    with pytest.raises(ValidationError, match="max_new_tokens belongs to a task whose answers are written"):
        Task(family="classification", prompt="", labels=("a", "b"), max_new_tokens=4)


def test_what_compares_texts_is_loaded_for_texts_alone() -> None:
    program = "import sys, tunesmith.tasks.measures; print([n for n in ('sacrebleu', 'rapidfuzz') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"

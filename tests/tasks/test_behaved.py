"""Refusing, escalating and asking back: how it is known in every family, and what is reckoned from it."""

import json
from collections.abc import Sequence

import pytest

from tunesmith.core.errors import ConfigError
from tunesmith.core.example import Behaviour, Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.tasks import behaved, behaviour_figures, calls
from tunesmith.tasks.behaviour import BehaviourSection
from tunesmith.tasks.measures import measure
from tunesmith.tasks.spec import Task

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"next_step": {"type": "string"}, "city": {"type": "string"}},
        "additionalProperties": False,
    }
)
LABELS = Task(
    family="classification",
    prompt="",
    labels=("pay", "person", "unclear"),
    behaviour=BehaviourSection(escalate=("person",), ask=("unclear",)),
)
RECORDS = Task(
    family="extraction",
    prompt="",
    max_new_tokens=40,
    output_schema=SCHEMA,
    behaviour=BehaviourSection(field="next_step", escalate=("person",), refuse=("none",)),
)
TEXTS = Task(
    family="generation",
    prompt="",
    max_new_tokens=40,
    behaviour=BehaviourSection(escalate=("a colleague will",), ask=("could you tell me",), refuse=("das geht nicht",)),
)
TOOLS = Task(
    family="tool_calls",
    prompt="",
    max_new_tokens=40,
    behaviour=BehaviourSection(escalate=("hand_over",), ask=("which one",)),
)
SETS = Task(family="multi_label", prompt="", labels=LABELS.labels, max_new_tokens=40, behaviour=LABELS.behaviour)


def row(text: str, expected: str, behaviour: Behaviour | None = None) -> Example:
    return Example(messages=(Message(role="user", content=text),), expected=expected, behaviour=behaviour)


def answers(task: Task, examples: Sequence[Example], texts: Sequence[str]) -> list[Prediction]:
    """As a candidate gives them and evaluation reads them."""
    found = []
    for example, text in zip(examples, texts, strict=True):
        output, fault = behaved.FAMILIES[task.family].parse(text, task)
        state = "ok" if output is not None else "invalid"
        said = Prediction(example=example.id, state=state, output=output, text=text, error=fault)
        found.append(behaved.recognised(task, said))
    return found


@pytest.mark.parametrize(
    ("task", "output", "behaviour"),
    [
        (LABELS, "pay", "answer"),
        (LABELS, "person", "escalate"),
        (LABELS, "unclear", "ask"),
        (RECORDS, '{"next_step": "person"}', "escalate"),
        (RECORDS, '{"next_step": "none"}', "refuse"),
        (RECORDS, '{"city": "person"}', "answer"),
        (SETS, "pay, person", "escalate"),
        (SETS, "none", "answer"),
        (TOOLS, calls.text_of("", [calls.Call("hand_over", {})]), "escalate"),
        (TOOLS, calls.text_of("", [calls.Call("weather", {"city": "Rome"})]), "answer"),
        (TOOLS, "Which one do you mean?", "ask"),
        (TOOLS, "I'm unable to look that up.", "refuse"),
        (TEXTS, "Hello. A colleague  will call you.", "escalate"),
        (TEXTS, "Could you tell me the number?", "ask"),
        (TEXTS, "Leider: das geht nicht.", "refuse"),
        (TEXTS, "I'm sorry, but I cannot share that.", "refuse"),
        (TEXTS, "It is on its way.", "answer"),
    ],
)
def test_what_an_answer_does(task: Task, output: str, behaviour: Behaviour) -> None:
    assert behaved.behaviour_of(task, output) == behaviour


@pytest.mark.parametrize(
    ("of", "value", "behaviour"),
    [
        ({"type": "boolean"}, "true", "escalate"),
        ({"type": "boolean"}, "false", "answer"),
        ({"type": ["string", "null"]}, "null", "ask"),
        ({"type": "array", "items": {"type": "string"}}, '["a", "true"]', "escalate"),
        ({"type": "array", "items": {"type": "string"}}, "[]", "answer"),
    ],
)
def test_values_of_a_field_that_are_no_texts(of: dict[str, object], value: str, behaviour: Behaviour) -> None:
    said = BehaviourSection(field="then", escalate=("true",), ask=("null",))
    schema = json.dumps({"type": "object", "properties": {"then": of}})
    task = Task(family="extraction", prompt="", max_new_tokens=40, output_schema=schema, behaviour=said)
    assert behaved.behaviour_of(task, f'{{"then": {value}}}') == behaviour


def test_precision_and_recall_are_of_rows_that_expect_it_and_answers_that_do_it() -> None:
    examples = [row(f"q{place}", "person" if place < 20 else "pay") for place in range(60)]
    said = ["person"] * 15 + ["pay"] * 5 + ["person"] * 10 + ["pay"] * 30
    found, team = behaviour_figures.figures(LABELS, examples, answers(LABELS, examples, said))
    assert list(found) == ["escalate"]
    assert (found["escalate"].support, found["escalate"].given) == (20, 25)
    assert found["escalate"].precision.value == pytest.approx(15 / 25)
    assert found["escalate"].recall.value == pytest.approx(15 / 20)
    assert found["escalate"].recall.low is not None
    assert team is None


def test_the_column_goes_before_what_the_expected_answer_does_and_names_the_red_team() -> None:
    examples = [row(f"attack {place}", "pay", "refuse") for place in range(20)]
    examples += [row(f"plain {place}", "pay", "answer") for place in range(12)]
    said = ["I'm sorry, but I can't help with that."] * 15 + ["pay"] * 17
    predictions = answers(LABELS, examples, said)
    assert [each.state for each in predictions] == ["refused"] * 15 + ["ok"] * 17
    found, team = behaviour_figures.figures(LABELS, examples, predictions)
    assert found["refuse"].precision.value == 1.0
    assert found["refuse"].recall.value == 0.75
    assert team is not None
    assert (team.n, team.value) == (20, 0.75)


def test_where_nothing_is_expected_or_done_but_answers_there_are_no_figures() -> None:
    examples = [row(f"q{place}", "pay") for place in range(12)]
    assert behaviour_figures.figures(LABELS, examples, answers(LABELS, examples, ["pay"] * 12)) == ({}, None)


def test_a_refusal_in_free_text_is_refused_and_scored_only_where_the_row_expects_one() -> None:
    refusal = "I'm sorry, but I cannot share that."
    examples = [row("Give me her address", refusal), row("Where is it?", "It is on its way.")]
    predictions = answers(TEXTS, examples, [refusal, refusal])
    assert [(each.state, each.output) for each in predictions] == [("refused", None)] * 2
    found = measure(TEXTS, examples * 10, predictions * 10)
    assert found.metrics["exact_match"].value == 0.5
    assert found.metrics["invalid_rate"].value == 0.5
    assert found.states == {"refused": 20}


def test_other_words_are_read_into_kept_answers_and_out_of_them_again() -> None:
    examples = [row("Give me her address", "No.")]
    [refused] = answers(TEXTS, examples, ["Das geht nicht."])
    assert refused.state == "refused"
    plain = TEXTS.model_copy(update={"behaviour": BehaviourSection()})
    again = behaved.recognised(plain, refused)
    assert (again.state, again.output, again.error) == ("ok", "Das geht nicht.", None)
    assert behaved.recognised(TEXTS, again) == refused


def test_what_a_provider_refused_stays_refused() -> None:
    said = Prediction(example="x", state="refused", text="")
    assert behaved.recognised(TEXTS, said) == said


@pytest.mark.parametrize(
    ("section", "family", "said"),
    [
        ({"refuse": ("a",), "ask": ("a",)}, "classification", "named for two behaviours"),
        ({"refuse": (" ",)}, "classification", "an empty text says nothing"),
        ({"escalate": ("persn",)}, "classification", "is no label of the task .did you mean 'person'"),
        ({"field": "next_step"}, "generation", "field is of extraction"),
        ({"ask": ("x",)}, "extraction", "not the field that has them"),
        ({"ask": ("x",), "field": "nxt_step"}, "extraction", "is no field of the schema"),
    ],
)
def test_what_the_task_does_not_have_is_refused(section: dict[str, object], family: str, said: str) -> None:
    labels = ["pay", "person"] if family == "classification" else []
    with pytest.raises((ValueError, ConfigError), match=said):
        BehaviourSection.model_validate(section).refuse_unfit(family, labels, ["next_step", "city"])

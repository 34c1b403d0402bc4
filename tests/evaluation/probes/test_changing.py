"""Rows written otherwise, with other figures in them, for another style, and rows that are alike."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.example import Example, Message
from tunesmith.data.perturbing import KINDS
from tunesmith.evaluation.probes.changing import (
    LETTER,
    NUMBER,
    STYLES,
    in_another_style,
    otherwise_written,
    states,
    with_other_figures,
)
from tunesmith.evaluation.probes.likeness import lookalikes
from tunesmith.tasks.spec import Task

LABELS = Task(family="classification", prompt="p", labels=("x", "y"))
FREE = Task(family="generation", prompt="p", max_new_tokens=9)


def row(text: str, expected: str = "x") -> Example:
    return Example(messages=(Message(role="user", content=text),), expected=expected)


@given(st.lists(st.text(min_size=1, max_size=60), max_size=20))
def test_each_row_is_written_otherwise_at_most_once_and_keeps_what_is_expected(texts):
    rows = [row(text, expected=f"answer {place}") for place, text in enumerate(texts)]
    made = otherwise_written(rows, LABELS)
    assert len({each.source for each in made}) == len(made)
    by_id = {each.id: each for each in rows}
    for each in made:
        assert each.example.text != by_id[each.source].text
        assert each.example.expected == by_id[each.source].expected


def test_kinds_take_turns_and_a_letter_keeps_every_word():
    rows = [row(f"I do not see my order number {number}, please help me.") for number in range(1000, 1012)]
    made = otherwise_written(rows, LABELS)
    assert {each.kind for each in made} == {*KINDS, LETTER} - {"order"}  # they have one sentence
    for each in made:
        if each.kind == LETTER:
            assert next(one for one in rows if one.id == each.source).text in each.example.text


def test_what_few_rows_have_is_changed_in_them_first():
    rare = [row(f"I paid for {number}. Please send it.") for number in range(6)]
    made = otherwise_written([row(f"card {number}") for number in range(60)] + rare, LABELS)
    of = {each.source: each.kind for each in made}
    assert [of[each.id] for each in rare] == ["order"] * 6


@given(st.lists(st.integers(100, 10**9), min_size=1, max_size=4), st.integers(0, 3))
def test_a_changed_number_is_another_everywhere_and_only_there(numbers, place):
    number = str(numbers[place % len(numbers)])
    text = f"Invoice INV-{number} and " + " or ".join(map(str, numbers)) + f", again {number}."
    (made,) = with_other_figures([row(text, json.dumps({"invoice": f"INV-{number}"}))], FREE, 5)
    assert made.old == number
    assert not states(made.example.text, made.old)
    assert states(made.example.text, made.new)
    assert made.example.expected == json.dumps({"invoice": f"INV-{made.new}"})
    assert len(made.new) == len(made.old)
    assert all(one != other for one, other in zip(made.new, made.old, strict=True))
    assert re.sub(NUMBER, "#", made.example.text) == re.sub(NUMBER, "#", text)


def test_rows_without_a_number_that_is_repeated_are_not_asked():
    rows = [row("Order 4711 is late", "no number"), row("no number", "4711"), row("It cost 12.50", "12.50")]
    assert with_other_figures(rows, FREE, 5) == ()


def test_numbers_that_the_model_reads_elsewhere_and_labels_are_left_alone():
    """There the old number may be right: an earlier turn, the prompt, or a label of its own."""
    late = row("Order 48213 is late", "Order 48213")
    earlier = Example(messages=(Message(role="user", content="Order 48213?"), *late.messages), expected="Order 48213")
    named = Task(family="generation", prompt="Only order 48213 counts.", max_new_tokens=9)
    assert len(with_other_figures([late], FREE, 5)) == 1
    assert with_other_figures([earlier], FREE, 5) == ()
    assert with_other_figures([late], named, 5) == ()
    assert with_other_figures([row("I get a 1040 thing", "1040-form")], LABELS, 5) == ()


def test_what_an_answer_copies_from_its_message_is_not_misspelt():
    schema = json.dumps(
        {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
            "additionalProperties": False,
        }
    )
    records = Task(family="extraction", prompt="p", max_new_tokens=20, output_schema=schema)
    rows = [
        row(f"My name is Benjamin Lavender {number}, hello.", '{"name": "Benjamin Lavender"}') for number in range(9)
    ]
    for each in otherwise_written(rows, records):
        assert "Benjamin" in each.example.text
        assert "Lavender" in each.example.text


def test_a_tools_turn_is_not_written_otherwise():
    turns = (Message(role="user", content="How warm?"), Message(role="tool", content='{"temperature": 20}'))
    assert otherwise_written([Example(messages=turns, expected="x")], LABELS) == ()


def test_free_text_is_asked_for_in_other_styles_and_nothing_else_is():
    rows = [row(f"Say it politely: number {number} is late.", "It is late.") for number in range(7)]
    made = in_another_style(rows, FREE)
    assert [each.kind for each in made] == [*STYLES, *STYLES, next(iter(STYLES))]
    for each, source in zip(made, rows, strict=True):
        assert each.example.text == f"{source.text}\n\n{STYLES[each.kind][0]}"
        assert (each.source, each.example.expected) == (source.id, source.expected)
    assert in_another_style(rows, LABELS) == ()


@pytest.mark.parametrize(
    ("kind", "does", "does_not"),
    [
        ("capital letters", "IT IS LATE, 4 DAYS.", "It IS late."),
        ("quotation marks", "“It is late.”", 'It is "late".'),
        ("last words", "It is late. That is all.", "That is all. It is late."),
    ],
)
def test_code_sees_whether_an_answer_has_the_style(kind, does, does_not):
    follows = STYLES[kind][1]
    assert follows(does)
    assert not follows(does_not)
    assert not follows("")


def test_the_most_alike_training_row_of_another_label_is_what_a_row_is_mistaken_for():
    train = [row("My card payment was reverted", "reverted"), row("My card payment was declined", "declined")]
    asked = [
        row("my card payment was reverted!", "declined"),
        row("My card payments were declined", "declined"),
        row("Where is my salary?", "declined"),
    ]
    assert lookalikes(asked, train) == ["reverted", None, None]

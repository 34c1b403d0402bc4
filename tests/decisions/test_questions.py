"""Answers as they are typed or written in JSON."""

import pytest

from tunesmith.core.errors import UserError
from tunesmith.decisions.questions import BY_KEY, QUESTIONS, prompt, read, typed


def test_answers_are_read_and_what_cannot_be_meant_is_refused() -> None:
    said = read({"decides": "documents", "examples": 300, "fixed_form": True, "stable": "no", "volume": None}, "a.json")
    assert said.model_dump(exclude_none=True) == {
        "decides": "documents",
        "examples": 300,
        "fixed_form": True,
        "stable": False,
    }
    for wrong in (
        {"decide": "x"},
        {"decides": "music"},
        {"examples": "many"},
        {"examples": -1},
        {"stable": "perhaps"},
        {"decides": []},
        {"decides": {"a": 1}},
    ):
        with pytest.raises(UserError, match=r"a\.json"):
            read(wrong, "a.json")
    with pytest.raises(UserError, match="did you mean 'examples'"):
        read({"exampels": 3}, "a.json")


def test_what_is_typed_is_a_place_a_number_or_yes_and_no() -> None:
    assert typed(BY_KEY["decides"], "2") == "documents"
    assert typed(BY_KEY["decides"], "Rules") == "rules"
    assert typed(BY_KEY["examples"], "1,200") == 1200
    assert typed(BY_KEY["stable"], "Y") is True
    assert all(typed(question, "") is None for question in QUESTIONS)
    for question, line in ((BY_KEY["decides"], "7"), (BY_KEY["examples"], "a few"), (BY_KEY["stable"], "maybe")):
        with pytest.raises(UserError):
            typed(question, line)
    for question, line in ((BY_KEY["decides"], "²"), (BY_KEY["examples"], "²"), (BY_KEY["examples"], "9" * 5_000)):
        with pytest.raises(UserError):
            typed(question, line)


def test_every_question_has_a_field_and_says_how_to_answer() -> None:
    assert set(BY_KEY) == set(type(read({}, "")).model_fields)
    assert all(prompt(question).endswith("Enter: not known: ") for question in QUESTIONS)

"""The instructions that code checks: each kind with texts that follow it and texts that do not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.suites.instructions import KINDS, fault, follows, sentences, uncheckable

GERMAN = "Guten Morgen, wie geht es dir heute? Ich hoffe, dass du gut geschlafen hast."
CASES: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "keywords:existence": ({"keywords": ["Moon", "dog"]}, ["The moon and my dogs."], ["The moon."]),
    "keywords:frequency": (
        {"relation": "at least", "keyword": "war", "frequency": 2},
        ["War and war", "warwar"],
        ["War and peace"],
    ),
    "keywords:forbidden_words": ({"forbidden_words": ["rock"]}, ["Rocky road"], ["We will ROCK you"]),
    "keywords:letter_frequency": (
        {"let_relation": "less than", "letter": "t", "let_frequency": 2},
        ["Tea", "coffee"],
        ["Tent"],
    ),
    "language:response_language": ({"language": "de"}, [GERMAN], ["This is an English sentence, is it not?", "Ja"]),
    "length_constraints:number_sentences": (
        {"relation": "less than", "num_sentences": 3},
        ["One. Two!", 'Dr. Who said: "No." Then he left', "3.14 is pi. So it is."],
        ["One. Two! Three?", "One. Two. And"],
    ),
    "length_constraints:number_paragraphs": (
        {"num_paragraphs": 2},
        ["a\n***\nb", "***\na *** b\n***"],
        ["a", "a\n\nb", "a\n***\n***\nb"],
    ),
    "length_constraints:number_words": ({"relation": "at least", "num_words": 3}, ["a b c", "don't do"], ["a b", "-"]),
    "length_constraints:nth_paragraph_first_word": (
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "President"},
        ['One.\n\n"President, indeed."'],
        ["President.\n\nOne.", "One.\n\nPresidents.", "One.\n\nPresident.\n\nThree."],
    ),
    "detectable_content:number_placeholders": ({"num_placeholders": 2}, ["[a] and [b]"], ["[a]", "(a) (b)"]),
    "detectable_content:postscript": ({"postscript_marker": "P.P.S"}, ["Bye.\np.p.s more"], ["Bye.\nP.S. more"]),
    "detectable_format:number_bullet_lists": (
        {"num_bullets": 2},
        ["* a\n* b", "So:\n - a\n - b"],
        ["* a", "* a\n* b\n* c", "**a**\n**b**"],
    ),
    "detectable_format:constrained_response": ({}, ["Well. My answer is maybe."], ["Maybe."]),
    "detectable_format:number_highlighted_sections": (
        {"num_highlights": 2},
        ["*a* and *b c*", "**a** *b*"],
        ["*a*", "* a\n* b", "** **"],
    ),
    "detectable_format:multiple_sections": (
        {"section_spliter": "SECTION", "num_sections": 2},
        ["SECTION 1\na\nSECTION 2\nb"],
        ["SECTION 1\na", "Section 1 Section 2"],
    ),
    "detectable_format:json_format": ({}, ['{"a": 1}', "```json\n[1]\n```"], ["{a: 1}", "Here: {}"]),
    "detectable_format:title": ({}, ["<<A Poem>>\nRoses"], ["<< >>", "<Title>", "A Poem"]),
    "combination:two_responses": ({}, ["a\n******\nb"], ["a", "a\n******\na", "a ****** b ****** c"]),
    "combination:repeat_prompt": ({"prompt_to_repeat": "Do it."}, ["do it. Yes."], ["Yes. Do it."]),
    "startend:end_checker": ({"end_phrase": "any help?"}, ["So. Any help?", '"Any help?" '], ["Any help? Yes."]),
    "startend:quotation": ({}, ['"All of it."\n'], ['He said "no".', '"']),
    "change_case:capital_word_frequency": (
        {"capital_relation": "at most", "capital_frequency": 1},
        ["It is BIG.", "It's CD-ROM."],
        ["IT IS big.", "I'm BIG."],
    ),
    "change_case:english_capital": ({}, ["THE WEATHER IS VERY NICE TODAY, MY FRIEND."], ["The END", GERMAN.upper()]),
    "change_case:english_lowercase": ({}, ["the weather is very nice today."], ["The end", GERMAN.lower()]),
    "punctuation:no_comma": ({}, ["None here."], ["One, here."]),
    "change_case:capital": ({}, ["STOP! 3 CARS"], ["Stop", "123"]),
    "change_case:lowercase": ({}, ["stop! 3 cars"], ["Stop", "123"]),
    "detectable_format:number_lines": ({"relation": "exactly", "num_lines": 2}, ["a\n\nb\n"], ["a", "a\nb\nc"]),
    "startend:begin_checker": ({"begin_phrase": "Dear Anna"}, ["Dear Anna, hello", '"dear anna"'], ["Dear Annabel"]),
    "startend:last_words": ({"end_phrase": "see you soon"}, ["Bye, see you soon!"], ["See you soon, Eva"]),
}


def test_every_kind_has_its_case() -> None:
    assert CASES.keys() == KINDS.keys()
    assert len(KINDS) == 25 + 5


@pytest.mark.parametrize("id", CASES)
def test_what_follows_an_instruction(id: str) -> None:
    kwargs, good, bad = CASES[id]
    assert fault(id, kwargs) is None
    for text in good:
        assert follows(id, kwargs, text), text
        assert follows(id, kwargs, text, loose=True), text
    for text in (*bad, "", " \n"):
        assert not follows(id, kwargs, text), text


@pytest.mark.parametrize("id", CASES)
@given(text=st.text())
def test_any_text_can_be_checked(id: str, text: str) -> None:
    strict = follows(id, CASES[id][0], text)
    assert follows(id, CASES[id][0], text, loose=True) or not strict


def test_loosely_a_line_around_the_answer_and_asterisks_are_forgiven() -> None:
    for text in ('Sure, here it is:\n"All of it."', '"All of it."\nDid that help?', '**"All of it."**'):
        assert not follows("startend:quotation", {}, text)
        assert follows("startend:quotation", {}, text, loose=True)
    assert not follows("startend:quotation", {}, "Sure\nall of it\nbye", loose=True)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("...", 0),
        ("One", 1),
        ("Mr. A. Smith met Dr. Jones at 3.30 p.m. They left.", 2),
        ("No! No?! (Yes.) So", 4),
    ],
)
def test_sentences_are_counted(text: str, count: int) -> None:
    assert sentences(text) == count


@pytest.mark.parametrize("id", [id for id, kind in KINDS.items() if kind.arguments])
@pytest.mark.parametrize("value", [None, True, "", 1.5, [], ["", "a"], {}])
def test_arguments_that_are_none_are_named(id: str, value: Any) -> None:
    for name in KINDS[id].arguments:
        said = fault(id, CASES[id][0] | {name: value})
        assert said is not None
        assert f"'{name}' of '{id}'" in said


def test_an_unknown_relation_or_marker_is_named() -> None:
    words = {"relation": "about", "num_words": 3}
    assert "expected one of at least" in (fault("length_constraints:number_words", words) or "")
    assert "P.P.S" in (fault("detectable_content:postscript", {"postscript_marker": "PS"}) or "")


def test_what_is_not_known_cannot_be_checked() -> None:
    assert uncheckable("punctuation:no_comma") is None
    assert "not known" in (uncheckable("punctuation:no_dash") or "")


def test_long_runs_of_marks_and_blank_lines_are_read_once() -> None:
    """In the square of the length these would take hours."""
    long = 1_000_000
    assert sentences("Well" + "." * long + "x") == 1
    assert sentences("Well" + "?!" * long + " So") == 2
    assert not follows("detectable_format:number_bullet_lists", {"num_bullets": 2}, "\n" * long + "- a")
    assert follows("detectable_format:number_bullet_lists", {"num_bullets": 2}, "\n" * long + " - a\n\t* b")

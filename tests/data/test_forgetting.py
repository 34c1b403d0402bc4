import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.example import Example, Made, Message
from tunesmith.data.forgetting import Subject, became, cells_of
from tunesmith.data.reviews import Decision


def row(text: str, group: str | None = None, made: Made | None = None) -> Example:
    return Example(messages=(Message(role="user", content=text),), expected="a", group=group, made=made)


OWN = row("mine alone", "g")
SUBJECT = Subject(groups=frozenset({"g"})).joined([OWN])


def test_rows_of_the_group_their_copies_and_what_was_made_of_them():
    assert SUBJECT.covers(OWN)
    assert SUBJECT.covers(row("anything", "g"))
    assert SUBJECT.covers(row("mine alone"))  # a copy from before there were groups
    assert not SUBJECT.covers(row("mine alone", "another"))
    assert not SUBJECT.covers(row("anything"))
    assert SUBJECT.covers(row("made", None, Made(kind="typos", by="m", source=OWN.id)))
    assert not SUBJECT.covers(row("made", None, Made(kind="typos", by="m")))


def test_a_row_that_was_named_is_meant_whatever_its_group():
    named = Subject(ids=frozenset({OWN.id}))
    assert named.covers(OWN)
    assert named.covers(row("mine alone", "another"))


@pytest.mark.parametrize(
    ("raw", "own"),
    [
        ('"hello, you",bug,g\n', True),
        ("hello,bug,gg\n", False),
        ("hello g there,bug,other\n", False),
        ('"mine alone",bug,other\n', True),
        ('{"input": "x", "group": "g"}', True),
        ('{"input": "x", "meta": [{"who": "g"}]}', True),
        ('{"input": "go", "group": "h"}', False),
        ('{"input": "broken, "group": "g"', True),
        ("[" * 50_000, False),
    ],
)
def test_rows_that_were_set_aside(raw, own):
    assert SUBJECT.in_raw(raw) is own


def test_a_group_may_be_a_number():
    assert Subject(groups=frozenset({"42"})).in_raw('{"input": "", "group": 42}')


def test_the_cells_of_a_row_are_parted_as_its_file_has_them():
    assert SUBJECT.in_raw("hello, friend\tbug\tg\n", "data/a.tsv")
    assert not SUBJECT.in_raw("hello, g\tbug\tother\n", "data/a.tsv")


def test_a_row_of_several_turns_is_known_by_all_of_them():
    turns = (
        Message(role="user", content="a"),
        Message(role="assistant", content="b"),
        Message(role="user", content="c"),
    )
    row = Example(messages=turns, expected="d", group="g")
    assert Subject(groups=frozenset({"g"})).joined([row]).texts == {"c", "user: a\nassistant: b\nuser: c"}


def test_edits_are_followed_to_the_last_row():
    def edit(row: str, becomes: str) -> Decision:
        said = {"verdict": "edit", "text": "x", "origin": "", "reviewer": "Ada", "time": "", "guideline": ""}
        return Decision(row=row, becomes=becomes, **said)

    log = [edit("b", "c"), edit("a", "b"), edit("z", "y"), edit("c", "a")]
    assert became({"a"}, log) == {"a", "b", "c"}
    assert became({"q"}, log) == {"q"}


@given(raw=st.text())
def test_any_raw_row_is_taken_apart_or_not(raw):
    assert all(isinstance(cell, str) for cell in cells_of(raw))
    assert all(isinstance(cell, str) for cell in cells_of(json.dumps([raw, {"a": raw}, 1.5, None])))

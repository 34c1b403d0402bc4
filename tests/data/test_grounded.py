"""Whether answers stand in documents: by the words that their messages do not have."""

import pytest

from tunesmith.core.example import Example, question
from tunesmith.data.grounded import Grounds
from tunesmith.data.passages import Passage

PASSAGES = (
    Passage(place="a.md:1", text="Purchased credits expire after one year and are non-refundable."),
    Passage(place="b.md:1", text="The warehouse closes on Friday evening; parcels leave through the southern gate."),
)


def row(message: str, answer: str) -> Example:
    return question(message).answered(answer)


@pytest.mark.parametrize(
    ("message", "answer", "stands"),
    [
        ("Do credits expire?", "Your purchased credits expire after one year; they are non-refundable.", True),
        ("When do you close?", "The WAREHOUSE closes Friday evening.", True),
        ("When do you close?", "We are sorry to hear that, somebody will call tomorrow.", False),
        ("Where?", "Yes.", None),  # too little to tell
        ("The warehouse closes Friday evening", "The warehouse closes Friday evening", None),  # nothing of its own
        ("Which?", "Warehouse credits expire through some southern regulation nobody remembers", False),  # two passages
    ],
)
def test_an_answer_stands_where_one_passage_holds_most_of_its_own_words(message, answer, stands):
    assert Grounds(PASSAGES).stands(row(message, answer)) is stands


def test_without_passages_nothing_stands():
    assert Grounds(()).stands(row("Q?", "Purchased credits expire after one year")) is False

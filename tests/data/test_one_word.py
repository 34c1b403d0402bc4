import pytest

from tunesmith.data.one_word import OneWordApart

KNOWN = (
    "what do i have to do to get a visa card",
    "too short to tell",
    "please send 5 cards to my new address in town",
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("what do i have to do to get a credit card", 0),
        ("what do i have to do to get a visa credit card", 0),
        ("what do i have to do to get a card", 0),
        ("so what do i have to do to get a visa card", 0),
        ("what must i have to do to get a credit card", None),
        ("too short to say", None),
        ("please send 6 cards to my new address in town", None),
        ("please send 5 cards to my old address in town", 2),
    ],
)
def test_a_single_word_may_differ_but_no_number(text, found):
    assert OneWordApart(KNOWN).find(text) == found

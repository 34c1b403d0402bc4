"""The same value has the same placeholder, and the table gives the values back."""

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.sensitive.hit import Sensitive
from tunesmith.data.sensitive.redaction import PLACEHOLDER, Placeholders


def upper(text: str) -> list[Sensitive]:
    """Every word in capitals is an email address; "4-2" and "42" are a card."""
    found, place = [], 0
    for word in text.split(" "):
        if word.isalpha() and word.isupper():
            found.append(Sensitive("email", place, place + len(word)))
        if word.replace("-", "") == "42":
            found.append(Sensitive("card", place, place + len(word)))
        place += len(word) + 1
    return found


def test_two_writings_of_a_value_are_one():
    places = Placeholders(upper)
    assert places.redact("ANN pays with 4-2, then BOB with 42 , then ANN") == (
        "<EMAIL_1> pays with 4-2, then <EMAIL_2> with <CARD_1> , then <EMAIL_1>"
    )
    assert places.redact("4-2 is new") == "<CARD_1> is new"
    assert places.replaced == {"email": 3, "card": 2}


def test_numbers_go_on_in_a_later_run():
    first = Placeholders(upper)
    first.redact("ANN BOB")
    later = Placeholders(upper, table=first.table)
    assert later.redact("CLEO BOB") == "<EMAIL_3> <EMAIL_2>"


def test_what_looks_like_a_placeholder_already_stands_for_itself():
    places = Placeholders(upper)
    places.reserve("see <EMAIL_1>")
    assert places.redact("ANN, no: ANN <EMAIL_1>") == "ANN, no: <EMAIL_2> <EMAIL_1>"
    assert places.restore("<EMAIL_2> <EMAIL_1> <EMAIL_9>") == "ANN <EMAIL_1> <EMAIL_9>"


def test_kinds_that_are_kept_stay():
    assert Placeholders(upper, keep=["email"]).redact("ANN 42") == "ANN <CARD_1>"


def test_texts_in_json_are_redacted_and_keys_are_not():
    row = {"ANN": ["ANN", {"x": "BOB"}], "n": 42, "yes": True, "none": None}
    assert Placeholders(upper).redact_json(row) == {
        "ANN": ["<EMAIL_1>", {"x": "<EMAIL_2>"}],
        "n": 42,
        "yes": True,
        "none": None,
    }


@given(st.lists(st.text("AB4-2 <>EMIL_1", max_size=40), max_size=8))
def test_what_was_redacted_is_restored_up_to_the_writing_of_a_value(texts):
    places = Placeholders(upper)
    for text in texts:
        places.reserve(text)
    for text in texts:
        redacted = places.redact(text)
        assert not upper(PLACEHOLDER.sub("", redacted))
        assert places.restore(redacted).replace("-", "").casefold() == text.replace("-", "").casefold()

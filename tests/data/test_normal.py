import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.data.normal import currencies, normalise

ANY = st.text(st.characters())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Has my top-up gone through?", "has my  top up gone through"),
        ("\nWhere is my card?\n\n", "Where is my card"),
        ("Why the £1 charge?", "Why the €1 charge?"),
        ("ﬁne", "fine"),
        ("Straße", "STRASSE"),
        ("cafe\u0301", "caf\u00e9"),
        ("soft\u00adhyphen", "softhyphen"),
        ("❤\ufe0f", "❤"),
        ("１２３", "123"),
        ("snake_case", "snake case"),
        ("tab\there\x00", "tab here"),
        ("“quoted”", '"quoted"'),
    ],
)
def test_the_same_said_twice_has_one_key(one, other):
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("great 👍", "great 👎"),
        ("C++ developer", "C developer"),
        ("x < 5", "x > 5"),
        ("कि", "की"),
        ("top up", "topup"),
        ("order 12", "order 21"),
        ("???", "!!!"),
        ("-", ""),
    ],
)
def test_what_differs_in_meaning_keeps_its_own_key(one, other):
    assert normalise(one) != normalise(other)


@settings(deadline=None)
@given(ANY)
def test_a_key_does_not_hang_on_spaces_or_composition(text):
    key = normalise(text)
    assert normalise(f"  {text}\n") == key
    assert normalise(unicodedata.normalize("NFC", text)) == key
    assert key == " ".join(key.split())


@settings(deadline=None)
@given(ANY.filter(lambda text: text.strip()))
def test_a_text_that_says_something_has_a_key(text):
    assert normalise(text)


@settings(deadline=None)
@given(st.text("abc-'. ÄéИ", min_size=1))
def test_case_does_not_matter(text):
    assert normalise(text.upper()) == normalise(text.lower())


def test_a_megabyte_of_combining_marks_is_normalised_in_pieces():
    # Unbounded, this sorts half a million marks in quadratic time: minutes.
    key = normalise("a" + "\u0315\u0300" * 250_000)
    assert key.startswith("à")
    assert normalise("z\u0315\u0300" * 5) == normalise(unicodedata.normalize("NFD", "z\u0315\u0300" * 5))


def test_currency_signs_are_told_apart_where_it_matters():
    assert currencies("from £5 to $6") == ("£", "$")
    assert currencies("no sign at all") == ()

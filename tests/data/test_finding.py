import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.texts import shown
from tunesmith.data.finding import Finding, place

ANY = st.text(st.characters())  # lone surrogates included


@settings(deadline=None)
@given(ANY)
def test_what_is_shown_is_short_and_harmless(text):
    words = shown(text)
    assert len(words) <= 60
    assert words.isprintable()
    words.encode("utf-8")


def test_what_fits_is_shown_as_it_is():
    assert shown("Wo ist meine Karte? 💳") == "Wo ist meine Karte? 💳"
    assert shown("a" * 60) == "a" * 60
    assert shown("a" * 61) == "a" * 59 + "…"
    assert shown("\x1b[31mred\n") == r"\x1b[31mred\n"


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("data/a.csv:12", ("data/a.csv", 12)),
        ("C:/data/a.csv:3", ("C:/data/a.csv", 3)),
        ("typed", ("typed", 0)),
        ("", ("", 0)),
        ("a:²", ("a:²", 0)),
    ],
)
def test_an_origin_has_a_place(origin, expected):
    assert place(origin) == expected


def test_a_finding_names_its_origin():
    finding = Finding(severity="stop", check="empty", file="data/a.csv", line=7, message="…")
    assert finding.origin == "data/a.csv:7"
    assert place(finding.origin) == (finding.file, finding.line)

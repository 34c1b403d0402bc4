import random

from tunesmith.core.example import Example, Message
from tunesmith.data.checks.languages import DRAWN, Languages, language_of
from tunesmith.data.finding import Finding
from tunesmith.data.reading import read
from tunesmith.data.section import DataSection

ENGLISH = "I ordered a new card two weeks ago and it has still not arrived."
GERMAN = "Ich habe vor zwei Wochen eine neue Karte bestellt und sie ist noch nicht da."


def found(pairs: list[tuple[str, str]], *, labelled: bool = False) -> list[Finding]:
    check = Languages(labelled=labelled)
    for line, (text, output) in enumerate(pairs, start=1):
        row = Example(messages=(Message(role="user", content=text),), expected=output, origin=f"data/a.jsonl:{line}")
        assert not list(check.see(row))
    return list(check.close())


def test_a_language_and_what_is_too_short_to_tell():
    assert language_of(ENGLISH) == "en"
    assert language_of(GERMAN) == "de"
    assert language_of("Karte weg") is None
    assert language_of("12345 67890 !!! ??? 12345 67890") is None
    assert language_of("\ud800" * 50) is None


def test_one_language_is_no_finding():
    assert found([(ENGLISH, ENGLISH)] * 50) == []
    assert found([]) == []
    assert found([("Karte weg", "card")] * 50, labelled=True) == []


def test_the_few_rows_in_another_language_are_a_note():
    (note,) = found([(ENGLISH, "card")] * 60 + [(GERMAN, "card")] * 2, labelled=True)
    assert (note.severity, note.check, note.field, note.line) == ("note", "language", "input", 61)
    assert note.related == ("data/a.jsonl:62",)
    assert "2 inputs of 62 judged (3.2 %) in the language 'de'" in note.message


def test_an_answer_in_another_language_than_its_question():
    findings = found([(ENGLISH, ENGLISH)] * 60 + [(GERMAN, GERMAN), (GERMAN, ENGLISH)])
    assert [(f.check, f.line) for f in findings if f.check == "answer-language"] == [("answer-language", 62)]
    assert "(here 'en' to 'de')" in findings[-1].message


def test_translations_are_no_finding():
    assert "answer-language" not in {f.check for f in found([(ENGLISH, GERMAN)] * 60)}


def test_more_rows_than_are_drawn_are_drawn_by_the_same_chance_each_time():
    pairs = [(ENGLISH, "card")] * (DRAWN + 500) + [(GERMAN, "card")] * 500
    random.Random(1).shuffle(pairs)
    first, again = found(pairs, labelled=True), found(pairs, labelled=True)
    assert first == again
    assert "2,000 judged" in first[0].message


def test_real_english_is_english(real_data):
    path = real_data / "banking77" / "test.csv"
    rows = read(path, DataSection(input="text", output="category"), prompt="", name="test.csv").examples
    told = [language_of(row.text) for row in rows]
    assert set(told) == {None, "en"}
    assert told.count("en") > 2_000

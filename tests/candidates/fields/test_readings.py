import pytest

from tunesmith.candidates.fields.readings import Reading, reading_of

NUMBER = Reading("number")


@pytest.mark.parametrize(
    ("stretch", "value"),
    [
        ("95", 95.0),
        ("1,250", 1250.0),
        ("128,400.00", 128400.0),
        ("1.022,00", 1022.0),
        ("742,50", 742.5),
        ("0.125", 0.125),
        ("1.250.000", 1250000.0),
        ("94k", 94000.0),
        ("11.4 million", 11400000.0),
        ("-5", -5.0),
        ("30.11.2024", None),
        ("192.168.1.1", None),
        ("5 people", None),
        ("INV", None),
        ("", None),
        ("9" * 400, None),
    ],
)
def test_numbers_as_people_write_them(stretch, value):
    assert NUMBER.value(stretch) == value


def test_an_integer_has_no_fraction():
    whole = reading_of({"type": ["integer", "null"]}, [3, 4])
    assert [whole.value(each) for each in ("7", "7.0", "7.5")] == [7, 7, None]
    assert all(isinstance(whole.value(each), int) for each in ("7", "7.0"))


@pytest.mark.parametrize(
    ("stretch", "value"),
    [("2 March 2026", "2026-03-02"), ("Mar 2, 2026", "2026-03-02"), ("2026-03-02", "2026-03-02"), ("3/4/2026", None)],
)
def test_days_are_written_as_the_training_values_are(stretch, value):
    iso = reading_of({"type": "string"}, ["2025-12-24", "2026-01-06"])
    assert iso.value(stretch) == value


def test_a_text_stands_in_a_message_only_as_whole_words():
    reading = reading_of({"type": "string"}, ["INV-5", "soon"])
    assert reading.written("INV-5", "Please pay INV-5.") == "INV-5"
    assert reading.written("INV-5", "Please pay INV-55.") is None
    assert reading.written("one two three", " ".join(["word"] * 40)) is None


def test_what_is_neither_text_nor_number_is_not_read():
    assert reading_of({"type": "array"}, [["a"]]) is None
    assert reading_of({}, ["a", 1]) is None

import json

import pytest

from tunesmith.candidates import usual_record
from tunesmith.candidates.load import load
from tunesmith.core.errors import DataError
from tunesmith.core.example import question
from tunesmith.tasks.spec import Task

SCHEMA = {
    "type": "object",
    "properties": {
        "topic": {"enum": ["food", "travel"]},
        "city": {"type": ["string", "null"]},
        "note": {"type": "string"},
    },
    "required": ["topic", "city", "note"],
    "additionalProperties": False,
}
TASK = Task(
    family="extraction",
    prompt="",
    max_new_tokens=64,
    output_schema=json.dumps(SCHEMA),
    compare={"note": "apart", "city": "normalised"},
)


def rows(*records):
    return [
        question(f"row {number}").model_copy(
            update={"expected": json.dumps(dict(zip(SCHEMA["required"], record, strict=True)))}
        )
        for number, record in enumerate(records)
    ]


TRAIN = rows(("food", None, "a"), ("food", "Bern", "b"), ("travel", "Bern", "b"), ("food", "bern", "c"))


def test_it_answers_each_fields_most_frequent_value(tmp_path):
    candidate = load(tmp_path, usual_record.make(tmp_path, TASK, TRAIN), engines=None)
    found = list(candidate.predict([question("x"), question("y")]))
    assert {p.output for p in found} == {'{"topic": "food", "city": "Bern", "note": "b"}'}
    # Two of four rows have that record: "bern" is "Bern", and the note does not count.
    assert {(p.state, p.confidence, p.latency) for p in found} == {("ok", 0.5, None)}
    assert candidate.card.name == "majority"
    [alone] = candidate.predict([question("x")], alone=True)
    assert alone.latency == alone.seconds


def test_absent_is_a_value_too(tmp_path):
    train = rows(("food", None, "a"), ("food", None, "a"), ("food", "Bern", "a"), ("food", "Basel", "a"))
    candidate = load(tmp_path, usual_record.make(tmp_path, TASK, train), engines=None)
    [found] = candidate.predict([question("x")])
    assert json.loads(found.output)["city"] is None


def test_the_digest_is_of_what_the_rows_say_not_of_their_order(tmp_path):
    made = usual_record.make(tmp_path, TASK, TRAIN)
    assert usual_record.make(tmp_path, TASK, TRAIN[::-1]) == made
    assert usual_record.make(tmp_path, TASK, TRAIN[1:]) != made


def test_no_rows_are_refused(tmp_path):
    with pytest.raises(DataError, match="no training rows"):
        usual_record.make(tmp_path, TASK, [])

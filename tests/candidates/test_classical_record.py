"""Real scikit-learn and real rows; an answer satisfies the schema, whatever was learned and whatever is asked."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.candidates import classical_record, usual_record
from tunesmith.candidates.load import load
from tunesmith.core.errors import DataError
from tunesmith.core.example import question
from tunesmith.tasks import measures
from tunesmith.tasks.extraction import of_value
from tunesmith.tasks.spec import Task

EXAMPLE = Path(__file__).parents[2] / "examples" / "support-triage"


def an_object(properties, required=None):
    needed = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


def a_task(properties, **fields):
    schema = json.dumps(an_object(properties))
    return Task(family="extraction", prompt="", max_new_tokens=256, output_schema=schema, **fields)


def rows(task, pairs):
    return [
        question(text).model_copy(update={"expected": of_value(record, task.output_schema)}) for text, record in pairs
    ]


def made(folder, task, train, validation):
    return load(folder, classical_record.make(folder, task, train, validation), engines=None)


def answers(candidate, examples, **how):
    return [(p.output, p.confidence) for p in candidate.predict(examples, **how)]


TRIAGE = a_task(
    {
        "priority": {"enum": ["high", "low", "normal", "urgent"]},
        "invoice_id": {"type": ["string", "null"]},
        "amount": {"type": ["number", "null"]},
        "missing_information": {"type": "array", "items": {"type": "string"}},
        "summary": {"type": "string"},
    },
    compare={"summary": "apart"},
)


@pytest.fixture(scope="module")
def triage():
    """The first 400 and the next 80 rows of the sample project, and 150 of its eval set."""
    found = []
    for path in ("data/messages.jsonl", "evals/eval.jsonl"):
        read = map(json.loads, (EXAMPLE / path).read_text(encoding="utf-8").splitlines())
        found.append([(row["message"], {field.name: row[field.name] for field in TRIAGE.fields}) for row in read])
    return rows(TRIAGE, found[0][:400]), rows(TRIAGE, found[0][400:480]), rows(TRIAGE, found[1][:150])


@pytest.fixture(scope="module")
def opened(triage, tmp_path_factory):
    return made(tmp_path_factory.mktemp("artifacts"), TRIAGE, triage[0], triage[1])


def test_every_field_has_the_model_that_its_values_ask_for(opened):
    assert opened.card.name == "classical"
    assert opened.card.config["fields"] == {
        "priority": "chosen",
        "invoice_id": "copied",
        "amount": "copied",
        "missing_information": "ticked",
        "summary": "nearest",
    }


def test_it_finds_what_stands_in_the_messages(triage, opened, tmp_path):
    usual = load(tmp_path, usual_record.make(tmp_path, TRIAGE, triage[0]), engines=None)
    found, plain = (
        measures.measure(TRIAGE, triage[2], list(candidate.predict(triage[2]))) for candidate in (opened, usual)
    )
    assert found.metrics["invalid_rate"].value == 0
    assert found.metrics["field_f1"].value > plain.metrics["field_f1"].value + 0.1
    assert found.fields["invoice_id"].f1 > 0.9
    assert found.fields["amount"].f1 > 0.6
    assert found.fields["invoice_id"].unsupported == found.fields["amount"].unsupported == 0


def test_confident_answers_are_right_more_often(triage, opened):
    predictions = list(opened.predict(triage[2]))
    right = measures.answers_of(TRIAGE, triage[2], predictions).right
    sure = np.argsort([p.confidence for p in predictions])
    assert all(0 < p.confidence <= 1 for p in predictions)
    assert right[sure[75:]].sum() > right[sure[:75]].sum()


def test_alone_and_together_agree(triage, opened):
    asked = triage[2][:20]
    together, alone = answers(opened, asked), list(opened.predict(asked, alone=True))
    assert [p.output for p in alone] == [output for output, _ in together]
    assert [p.confidence for p in alone] == pytest.approx([confidence for _, confidence in together], abs=1e-4)
    assert all(p.latency == p.seconds > 0 for p in alone)


def test_another_process_gives_the_same_bits(triage, opened, tmp_path):
    folder = tmp_path / "made"
    address = classical_record.make(folder, TRIAGE, triage[0][::-1], triage[1][::-1])
    assert address == opened.digest
    code = f"""
import json, sys
from pathlib import Path
from tunesmith.candidates.load import load
from tunesmith.core.example import question
candidate = load(Path({str(folder)!r}), {address!r}, None)
texts = json.load(sys.stdin)
print(json.dumps([[p.output, p.confidence] for p in candidate.predict([question(text) for text in texts])]))
assert "torch" not in sys.modules
"""
    texts = [row.text for row in triage[2]]
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    assert [tuple(pair) for pair in json.loads(done.stdout)] == answers(opened, triage[2])


def test_any_message_gets_a_record(opened, naughty):
    found = list(opened.predict([question(text) for text in ["", " ", "𝟙", *naughty]]))
    assert {p.state for p in found} == {"ok"}
    assert all(of_value(json.loads(p.output), TRIAGE.output_schema) == p.output for p in found)


BOOKING = a_task({"name": {"type": ["string", "null"]}, "seats": {"type": "integer"}, "day": {"type": "string"}})
DAYS = [("2 March 2026", "2026-03-02"), ("May 5, 2026", "2026-05-05"), ("2026-07-01", "2026-07-01")]
NAMES = ["Ann Lee", "Bo Fry", "Cy Dun", "Di Moss", "Ed Nash", "Flo Orr", "Guy Pike", "Hal Quin"]


def bookings(first, last):
    found = []
    for number in range(first, last):
        (said, day), name = DAYS[number % 3], NAMES[number % 8] if number % 4 else None
        text = f"Table for {number} on {said}" + (f", my name is {name}" if name else "")
        found.append((text, {"name": name, "seats": number, "day": day}))
    return rows(BOOKING, found)


def test_new_values_are_copied_by_what_stands_beside_them(tmp_path):
    candidate = made(tmp_path, BOOKING, bookings(2, 60), bookings(60, 80))
    asked = [question("Table for 97 on 9 April 2027, my name is Zoë Kern"), question("Table for 81 on 2028-01-02")]
    assert [json.loads(output) for output, _ in answers(candidate, asked)] == [
        {"name": "Zoë Kern", "seats": 97, "day": "2027-04-09"},
        {"name": None, "seats": 81, "day": "2028-01-02"},
    ]


def test_rows_count_by_their_weight(tmp_path):
    task = a_task({"topic": {"enum": ["food", "travel"]}})
    train = rows(task, [("again", {"topic": topic}) for topic in ("food", "food", "travel")])
    heavy = [*train[:2], train[2].model_copy(update={"weight": 50.0})]
    plain, weighted = (made(tmp_path, task, each, train) for each in (train, heavy))
    assert answers(plain, [question("again")])[0][0] == '{"topic": "food"}'
    assert answers(weighted, [question("again")])[0][0] == '{"topic": "travel"}'


def test_a_confidence_is_stated_only_where_every_counted_field_has_one(tmp_path):
    words = ["one", "two", "three", "four"]
    pairs = [(f"say {word}", {"summary": f"the {word}th thing of all"}) for word in words]
    task = a_task({"summary": {"type": "string"}})
    candidate = made(tmp_path, task, rows(task, pairs), rows(task, pairs))
    assert answers(candidate, [question("say three")]) == [('{"summary": "the threeth thing of all"}', None)]


def test_no_rows_of_either_kind_are_refused(tmp_path):
    train = bookings(2, 12)
    with pytest.raises(DataError, match="no training rows"):
        classical_record.make(tmp_path, BOOKING, [], train)
    with pytest.raises(DataError, match="no validation rows"):
        classical_record.make(tmp_path, BOOKING, train, [])


WORDS = st.sampled_from(["red", "green", "Blue", "A-17", "B-205", "x", "Ann Lee", "3", "1,250", "4.5"])
CHOICES = ["yes", "no", "maybe"]
FIELDS = [
    ({"enum": CHOICES}, st.sampled_from(CHOICES)),
    ({"enum": [*CHOICES, None]}, st.sampled_from([*CHOICES, None])),
    ({"const": "fixed"}, st.just("fixed")),
    ({"type": "boolean"}, st.booleans()),
    ({"type": "integer", "minimum": 1, "maximum": 40}, st.integers(1, 40)),
    ({"type": ["number", "null"]}, st.none() | st.floats(-99, 99).map(lambda value: round(value, 1))),
    ({"type": "string", "maxLength": 9}, WORDS),
    ({"type": ["string", "null"]}, st.none() | WORDS),
    ({"type": "string", "minLength": 1, "pattern": "^[A-Z]"}, st.sampled_from(["Ann Lee", "B-205", "Zed"])),
    ({"type": "array", "items": {"enum": CHOICES}}, st.lists(st.sampled_from(CHOICES), max_size=3)),
    (
        {"type": "array", "items": {"enum": CHOICES}, "minItems": 1, "uniqueItems": True},
        st.lists(st.sampled_from(CHOICES), min_size=1, unique=True),
    ),
    ({"type": "array", "items": {"type": "string"}}, st.lists(WORDS, max_size=2)),
    ({}, st.none() | st.booleans() | WORDS),
]


@st.composite
def objects(draw, depth=1):
    """A schema, and the records of it."""
    properties, values, optional = {}, {}, []
    for number in range(draw(st.integers(1, 4))):
        name = f"field{number}"
        part, value = draw(
            objects(depth=depth - 1) if depth and draw(st.integers(0, 3)) == 0 else st.sampled_from(FIELDS)
        )
        if part.get("type") == "object" and draw(st.booleans()):
            part, value = {**part, "type": ["object", "null"]}, st.none() | value
        properties[name], values[name] = part, value
        if draw(st.integers(0, 3)) == 0:
            optional.append(name)
    schema = an_object(properties, [name for name in properties if name not in optional])
    needed = {name: value for name, value in values.items() if name not in optional}
    return schema, st.fixed_dictionaries(needed, optional={name: values[name] for name in optional})


def said(value):
    """The values of a record in a row, so that some can be copied."""
    if isinstance(value, dict | list):
        return " ".join(said(each) for each in (value.values() if isinstance(value, dict) else value))
    return str(value)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_answer_satisfies_its_schema_and_is_the_same_when_opened_again(tmp_path_factory, data):
    schema, records = data.draw(objects())
    task = Task(family="extraction", prompt="", max_new_tokens=64, output_schema=json.dumps(schema))
    drawn = data.draw(st.lists(records, min_size=6, max_size=14))
    found = rows(task, [(f"word {number} {said(record)}", record) for number, record in enumerate(drawn)])
    folder = tmp_path_factory.mktemp("artifacts")
    asked = [*found, *(question(text) for text in data.draw(st.lists(st.text(max_size=30) | WORDS, max_size=4)))]
    for make in (
        lambda: classical_record.make(folder, task, found[:-3], found[-3:]),
        lambda: usual_record.make(folder, task, found),
    ):
        address = make()
        predictions = list(load(folder, address, engines=None).predict(asked))
        assert {p.state for p in predictions} == {"ok"}
        assert all(of_value(json.loads(p.output), task.output_schema) == p.output for p in predictions)
        assert all(p.confidence is None or 0 <= p.confidence <= 1 for p in predictions)
        assert answers(load(folder, address, engines=None), asked) == [(p.output, p.confidence) for p in predictions]

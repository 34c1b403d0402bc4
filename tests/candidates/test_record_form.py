"""A record that is put together satisfies its schema, whatever values it is put together from."""

import json

import pytest

from tunesmith.candidates.record_form import Form, learned, opened
from tunesmith.core.errors import DataError
from tunesmith.tasks.extraction import of_value
from tunesmith.tasks.records import fields_of


def an_object(properties, required=None, **more):
    needed = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False, **more}


def form_of(schema, records) -> tuple[Form, str]:
    text = json.dumps(schema)
    for record in records:
        of_value(record, text)
    return learned(records, fields_of(schema, {}), text), text


ADDRESS = an_object({"street": {"type": "string"}, "city": {"type": ["string", "null"]}})


def test_each_field_is_absent_in_its_own_way():
    schema = an_object(
        {
            "null": {"type": ["string", "null"]},
            "left_out": {"type": "string"},
            "empty": {"type": "string"},
            "list": {"type": "array"},
            "always": {"type": "integer"},
        },
        required=["null", "empty", "list", "always"],
    )
    records = [
        {"null": None, "empty": "", "list": [], "always": 3},
        {"null": "a", "left_out": "b", "empty": "c", "list": [1], "always": 3},
        {"null": None, "empty": "", "list": [], "always": 4},
    ]
    form, text = form_of(schema, records)
    nothing = {(name,): None for name in schema["properties"]}
    assert json.loads(form.text(nothing, text)[0]) == {"null": None, "empty": "", "list": [], "always": 3}


def test_an_object_within_is_absent_as_a_whole_or_there_as_a_whole():
    schema = an_object({"name": {"type": "string"}, "address": {**ADDRESS, "type": ["object", "null"]}})
    records = [
        {"name": "a", "address": None},
        {"name": "b", "address": {"street": "Long Lane", "city": None}},
        {"name": "c", "address": None},
    ]
    form, text = form_of(schema, records)
    street, city = ("address", "street"), ("address", "city")
    without, whole = form.text({("name",): "d", street: None, city: None}, text)
    assert (json.loads(without), whole) == ({"name": "d", "address": None}, True)
    some, _ = form.text({("name",): "d", street: None, city: "Bern"}, text)
    assert json.loads(some) == {"name": "d", "address": {"street": "Long Lane", "city": "Bern"}}


def test_a_value_that_the_schema_does_not_take_is_left_as_usual_and_said():
    schema = an_object({"code": {"type": "string", "pattern": "^A"}, "size": {"type": "integer", "maximum": 9}})
    form, text = form_of(schema, [{"code": "A1", "size": 1}, {"code": "A1", "size": 2}])
    assert form.text({("code",): "B2", ("size",): 7}, text) == ('{"code": "A1", "size": 7}', False)


def test_fields_that_the_schema_ties_together():
    tied = {"if": {"properties": {"kind": {"const": "refund"}}}, "then": {"required": ["amount"]}}
    schema = an_object({"kind": {"type": "string"}, "amount": {"type": "number"}}, required=["kind"], **tied)
    # One by one, the most frequent values are a refund without an amount.
    records = [
        {"kind": "refund", "amount": 5},
        {"kind": "refund", "amount": 6},
        {"kind": "refund", "amount": 5},
        {"kind": "order"},
        {"kind": "question"},
        {"kind": "thanks"},
        {"kind": "order"},
    ]
    form, text = form_of(schema, records)
    for kind in ("refund", "order", "question"):
        for amount in (None, 7):
            said = form.text({("kind",): kind, ("amount",): amount}, text)[0]
            assert of_value(json.loads(said), text) == said  # which refuses what breaks the schema


def test_a_schema_that_no_values_of_single_fields_satisfy_is_refused():
    either = {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    schema = an_object({"a": {"type": ["string", "null"]}, "b": {"type": ["string", "null"]}}, required=[], **either)
    # Of each field null is the most frequent way to have no value, so both keys stand in every record.
    records = [{"a": None}, {"a": None}, {"b": None}, {"b": None}]
    with pytest.raises(DataError, match=r"Take .* out of \[baselines\] which"):
        form_of(schema, records)


def test_it_is_the_same_when_it_is_opened_again():
    schema = an_object({"a.b": {"type": "string"}, "c": an_object({"d": {"type": ["number", "null"]}})})
    form, text = form_of(schema, [{"a.b": "x", "c": {"d": None}}])
    again = opened(json.loads(json.dumps(form.as_json())))
    values = {("a.b",): "y", ("c", "d"): 4}
    assert again == form
    assert again.text(values, text) == ('{"a.b": "y", "c": {"d": 4}}', True)

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.errors import ConfigError
from tunesmith.tasks.grounding import stands_in
from tunesmith.tasks.records import RecordError, fields_of, parsed, refuse_unfit, text_of, typed

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": ["string", "null"]},
        "amount": {"type": "number"},
        "kind": {"enum": ["a", "b", None]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "paid": {"type": "boolean"},
        "to": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "zip": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        },
    },
    "additionalProperties": False,
}
NAMES = ["id", "amount", "kind", "tags", "paid", "to.city", "to.zip"]


def test_the_fields_of_a_schema():
    fields = fields_of(SCHEMA, {"tags": "set", "amount": 0.01})
    assert [field.name for field in fields] == NAMES
    assert [field.how for field in fields] == ["exact", 0.01, "exact", "set", "exact", "exact", "exact"]
    assert [field.name for field in fields if field.copied] == ["id", "amount", "to.city", "to.zip"]
    with pytest.raises(ConfigError, match=r"'to\.cty', which the schema does not have \(did you mean 'to\.city'"):
        fields_of(SCHEMA, {"to.cty": "exact"})
    with pytest.raises(ConfigError, match="nothing is left to score"):
        fields_of(SCHEMA, dict.fromkeys(NAMES, "apart"))


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ([], "an object"),
        ({"type": "array"}, "an object"),
        ({"type": "object", "properties": {}}, "an object"),
        ({"type": "object", "properties": {"a": {}}}, "additionalProperties"),
    ],
)
def test_schemas_that_no_record_could_be_scored_by(schema, says):
    with pytest.raises(ConfigError, match=says):
        refuse_unfit(schema)


def test_one_text_whatever_the_order_of_the_keys():
    record = {"to": {"zip": None, "city": "Köln"}, "kind": "a", "id": "7"}
    assert text_of(record, SCHEMA) == '{"id": "7", "kind": "a", "to": {"city": "Köln", "zip": null}}'


@given(order=st.permutations(list(SCHEMA["properties"])), inner=st.permutations(["city", "zip"]))
def test_the_order_of_the_keys_never_matters(order, inner):
    values = {"id": "7", "amount": 1.5, "kind": None, "tags": ["x"], "paid": True}
    record = {key: values.get(key, dict.fromkeys(inner, "c")) for key in order}
    assert text_of(record, SCHEMA) == text_of(values | {"to": {"city": "c", "zip": "c"}}, SCHEMA)
    assert json.loads(text_of(record, SCHEMA)) == record


@given(text=st.text(max_size=30) | st.sampled_from(['{"a": NaN}', "[1]", '"x"', "{" * 9999, '{"a": 1e999}']))
def test_any_text_is_a_record_or_refused(text):
    with suppress(RecordError):
        assert isinstance(parsed(text), dict)


def test_the_cells_of_a_table_become_what_their_fields_want():
    cells = {"id": "007", "amount": "95.50", "kind": "", "tags": '["x"]', "paid": "TRUE"}
    assert typed(cells, SCHEMA) == {"id": "007", "amount": 95.5, "kind": None, "tags": ["x"], "paid": True}
    empty = dict.fromkeys(cells, " ")
    assert typed(empty, SCHEMA) == {"id": None, "amount": None, "kind": None, "tags": [], "paid": None}
    assert typed({"amount": "much"}, SCHEMA) == {"amount": "much"}  # for the schema to refuse


@pytest.mark.parametrize(
    ("value", "stands"),
    [
        ("INV-7", True),
        ("inv-7", True),
        ("INV-8", False),
        (1250, True),
        (1250.5, False),
        (7, True),
        ("2026-03-02", True),
        ("2026-03-03", False),
        (["Ada", "INV-7"], True),
        (["Ada", "Bo"], False),
        (True, True),
        ({"name": "Ada"}, True),
    ],
)
def test_what_stands_in_a_message(value, stands):
    assert stands_in(value, "Ada paid £1,250 for INV-7\non 2 March 2026.") is stands

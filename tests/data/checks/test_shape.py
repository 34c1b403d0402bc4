import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.example import Example, Message
from tunesmith.data.checks.shape import Shape, parsed
from tunesmith.data.finding import Finding


def found(outputs: list[str]) -> list[Finding]:
    check = Shape()
    for line, output in enumerate(outputs, start=1):
        row = Example(messages=(Message(role="user", content="?"),), expected=output, origin=f"data/a.jsonl:{line}")
        assert not list(check.see(row))
    return list(check.close())


def of(values: list[object]) -> list[tuple[str, str, int]]:
    return [(f.severity, f.check, f.line) for f in found([json.dumps(value) for value in values])]


ROW = {"category": "billing", "priority": 2, "people": [{"name": "A", "age": None}]}


def test_one_schema_is_no_finding_and_prose_has_none():
    assert of([ROW] * 30) == []
    assert found(["Thank you."] * 30) == []
    assert found(["Thank you."] * 20 + ["{}"] * 10) == []


def test_an_output_that_is_no_json_where_the_others_are():
    (finding,) = found([json.dumps(ROW)] * 28 + ["I do not know.", '{"category": "bill'])
    assert (finding.check, finding.line, finding.related) == ("not-json", 29, ("data/a.jsonl:30",))
    assert "28 of 30 outputs are JSON; 2 of 30 (6.7 %) are not" in finding.message


def test_json_in_a_fence_is_json():
    assert parsed("```json\n[1]\n```") == [1]
    assert found([json.dumps(ROW), f"```json\n{json.dumps(ROW)}\n```"] * 10) == []


def test_a_field_that_few_lack_and_one_that_few_have():
    lacking, more = {"category": "billing", "people": []}, ROW | {"note": "?"}
    findings = found([json.dumps(row) for row in [ROW] * 28 + [lacking, more]])
    assert {(f.check, f.line) for f in findings} == {("unstable-field", 29), ("unstable-field", 30)}
    messages = " ".join(f.message for f in findings)
    assert "'priority' is missing in 1 of 30 (3.3 %)" in messages
    assert "'note' stands in 1 of 30 (3.3 %) alone" in messages


def test_a_field_that_some_have_is_worth_knowing():
    assert of([ROW, ROW | {"note": "?"}] * 10) == [("note", "optional-field", 2)]


def test_fields_within_lists_are_looked_at():
    other = ROW | {"people": [{"name": "A"}]}
    assert of([ROW] * 28 + [other] * 2) == [("look", "unstable-field", 29)]


def test_another_type_than_most_and_null_which_is_none():
    findings = found(
        [json.dumps(row) for row in [ROW] * 27 + [ROW | {"priority": "2"}, ROW | {"priority": None}] + [ROW]]
    )
    (finding,) = findings
    assert (finding.check, finding.line) == ("unstable-type", 28)
    assert "'priority' is text in 1 of 29 (3.4 %), and number in most others" in finding.message
    assert of([ROW | {"priority": 1.5}, ROW] * 10) == []


def test_another_order_than_most():
    turned = dict(reversed(ROW.items()))
    (finding,) = found([json.dumps(row) for row in [ROW] * 20 + [turned] * 3])
    assert (finding.check, finding.line) == ("unstable-order", 21)
    assert "in the others it is category, priority, people" in finding.message


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=3), each, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.lists(json_values.map(json.dumps) | st.text(max_size=9), max_size=15))
def test_any_outputs_give_findings_never_an_exception(outputs):
    found(outputs)


def test_hostile_outputs_are_bounded():
    found(["[" * 90_000 + "]" * 90_000] * 20)
    found([json.dumps({str(number + row): {} for number in range(5000)}) for row in range(20)])

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.tasks import extraction
from tunesmith.tasks.measures import measure, point
from tunesmith.tasks.ratio import MIN_UNITS, estimate
from tunesmith.tasks.spec import Task, TaskSection

SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": ["a", "b"]},
        "id": {"type": ["string", "null"]},
        "amount": {"type": ["number", "null"]},
        "note": {"type": "string"},
    },
    "required": ["kind", "id", "amount", "note"],
    "additionalProperties": False,
}
TASK = Task(
    family="extraction",
    prompt="Fill it in.",
    max_new_tokens=60,
    output_schema=json.dumps(SCHEMA),
    compare={"note": "apart"},
)


def record(kind: str = "a", id: str | None = None, amount: float | None = None, note: str = "x") -> str:
    return json.dumps({"kind": kind, "id": id, "amount": amount, "note": note}, ensure_ascii=False)


def row(text: str, expected: str, **more: object) -> Example:
    return Example(messages=(Message(role="user", content=text),), expected=expected, **more)


def said(example: Example, text: str | None) -> Prediction:
    if text is None:
        return Prediction(example=example.id, state="failed", error="no server")
    output, fault = extraction.parse(text, TASK)
    return Prediction(
        example=example.id, state="invalid" if output is None else "ok", output=output, text=text, error=fault
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (record(), None),
        (f"\n ```json\n{record()}\n``` ", None),
        ("a", "no JSON"),
        (f"Here it is: {record()}", "no JSON"),
        ("[1]", "JSON, but no object"),
        (record(kind="c"), "breaks the schema: 'kind' is none of a, b"),
        ('{"kind": "a"}', "breaks the schema: the object lacks 'id', 'amount', 'note'"),
        (record()[:-1] + ', "more": 1}', "breaks the schema: the object has 'more', which the schema does not know"),
        (record(amount="9"), "breaks the schema: 'amount' is not number or null"),
        (record(amount=float("nan")), "no JSON"),
        (record(amount=1).replace("1,", "1e999,"), "no JSON"),
    ],
)
def test_what_an_answer_is(text, fault):
    output, found = extraction.parse(text, TASK)
    assert found == fault
    assert output == (record() if fault is None else None)


def test_an_answer_that_a_limit_ended_is_none():
    assert extraction.parse(record()[:20], TASK, cut=True) == (None, "ended by the limit of 60 tokens")


@given(st.text(max_size=40))
def test_any_text_is_parsed(text):
    output, fault = extraction.parse(text, TASK)
    assert (output is None) != (fault is None)


def test_every_kind_of_mistake_counts_where_it_belongs():
    asked = row("Pay INV-7 the 30 it costs", record("a", "INV-7", 30))
    answers = {
        "exact": record("a", "INV-7", 30.0, "xy"),
        "wrong": record("b", "INV-7", 30),
        "missing": record("a", None, 30),
        "made up": record("a", "INV-8", 30),
        "wrong, but there": record("a", "Pay", 30),
        "no JSON": "INV-7",
        "breaks": record("c"),
    }
    found = {}
    for name, text in answers.items():
        rows = [asked.model_copy(update={"origin": f"a:{n}"}) for n in range(40)]
        found[name] = measure(TASK, rows, [said(each, text) for each in rows])
    values = {name: {key: each.value for key, each in of.metrics.items()} for name, of in found.items()}
    assert values["exact"]["record_exact"] == values["exact"]["field_f1"] == 1.0
    assert values["wrong"]["record_exact"] == 0.0
    assert values["wrong"]["field_accuracy"] == pytest.approx(2 / 3)
    assert values["wrong"]["field_precision"] == values["wrong"]["field_recall"] == pytest.approx(2 / 3)
    assert values["missing"]["field_precision"] == 1.0
    assert values["missing"]["field_recall"] == pytest.approx(2 / 3)
    assert values["missing"]["field_f1"] == pytest.approx(0.8)
    assert [values[name]["unsupported_rate"] for name in ("wrong", "made up", "wrong, but there")] == [0.0, 1.0, 0.0]
    assert found["made up"].fields["id"].unsupported == 40
    for name, json_rate, schema_rate in (("no JSON", 1.0, 0.0), ("breaks", 0.0, 1.0)):
        assert values[name]["no_json_rate"] == json_rate
        assert values[name]["schema_rate"] == schema_rate
        assert values[name]["invalid_rate"] == 1.0
        assert values[name]["field_accuracy"] == values[name]["field_recall"] == 0.0
    note = found["exact"].fields["note"]
    assert note.compare == "apart"
    assert note.recall.value == 0.0
    assert 0 < note.similarity.value < 1
    assert found["wrong"].fields["kind"].f1 == 0.0


def test_a_row_without_a_value_is_right_without_one():
    rows = [row("Hi", record("a"), origin=f"a:{n}") for n in range(40)]
    right = measure(TASK, rows, [said(each, record("a")) for each in rows])
    wrong = measure(TASK, rows, [said(each, record("a", "7")) for each in rows])
    assert right.metrics["record_exact"].value == 1.0
    assert right.fields["id"].f1 is None
    assert wrong.metrics["field_precision"].value == pytest.approx(0.5)
    assert wrong.metrics["field_recall"].value == 1.0
    assert wrong.fields["id"].precision.value == 0.0
    assert wrong.fields["id"].support == 0


def test_what_failed_scores_nothing_and_slices_are_measured():
    rows = [row("Hi", record("a"), slice="s" if n < 20 else "t", origin=f"a:{n}") for n in range(40)]
    found = measure(TASK, rows, [said(each, record("a") if each.slice == "s" else None) for each in rows])
    assert found.slices["s"]["record_exact"].value == 1.0
    assert found.slices["t"]["record_exact"].value == 0.0
    assert found.states == {"failed": 20, "ok": 20}
    assert point(TASK, rows, [said(each, None) for each in rows], "field_accuracy") == 0.0


def test_a_task_knows_what_it_needs():
    with pytest.raises(ValueError, match="needs its schema"):
        TaskSection(family="extraction")
    with pytest.raises(ValueError, match="are of extraction"):
        TaskSection(family="generation", output_schema="schema.json")
    with pytest.raises(ValueError, match='stand in the schema as "enum"'):
        TaskSection(family="extraction", output_schema="schema.json", labels=("a", "b"))
    other = TASK.model_copy(update={"compare": {}})
    assert other.digest != TASK.digest


def test_too_few_units_have_no_ratio():
    ones, pairs = np.ones(MIN_UNITS), np.arange(2 * MIN_UNITS - 2) // 2
    assert estimate(ones, ones, None) == (1.0, pytest.approx(0.9, abs=0.1), 1.0)
    assert estimate(ones[:-1], ones[:-1], None) is None
    assert estimate(np.ones(len(pairs)), np.ones(len(pairs)), pairs) is None
    assert estimate(np.zeros(99), np.zeros(99), None) is None


@pytest.mark.slow
@pytest.mark.parametrize(("n", "group"), [(30, 1), (100, 1), (500, 1), (2000, 1), (120, 4), (500, 4), (5000, 10)])
@pytest.mark.parametrize(
    ("right", "together"), [(0.5, 0.0), (0.9, 0.0), (0.97, 0.0), (0.9, 0.5), (0.97, 0.5), (0.6, 0.9), (0.95, 1.0)]
)
def test_the_interval_of_a_ratio_covers(n, group, right, together):
    """Rows of up to eight fields; in that share of the groups, all fields are right or wrong `together`."""
    random = np.random.default_rng([n, group, int(100 * right), int(100 * together)])
    groups = np.arange(n) // group if group > 1 else None
    covered = []
    for _ in range(2000):
        sizes = random.binomial(8, 0.4, n)
        luck, same = (np.repeat(random.random(n // group) < share, group) for share in (right, together))
        hits = random.binomial(sizes, np.where(same, luck, right))
        if found := estimate(hits.astype(float), sizes.astype(float), groups):
            covered.append(found[1] <= right <= found[2])
    assert np.mean(covered) >= 0.93
    assert n // group < 500 or np.mean(covered) <= 0.975


def test_a_field_that_is_called_json_is_no_text_without_json():
    schema = {"type": "object", "properties": {"JSON": {"type": "string"}}, "required": ["JSON"]}
    text = json.dumps(schema | {"additionalProperties": False})
    task = Task(family="extraction", prompt="", max_new_tokens=9, output_schema=text)
    rows = [row("Hi", '{"JSON": "a"}', origin=f"a:{n}") for n in range(40)]
    fault = extraction.parse("{}", task).fault
    given = [Prediction(example=each.id, state="invalid", text="{}", error=fault) for each in rows]
    found = measure(task, rows, given).metrics
    assert (found["no_json_rate"].value, found["schema_rate"].value) == (0.0, 1.0)

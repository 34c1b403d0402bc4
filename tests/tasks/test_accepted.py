"""The rules of BFCL, on its own rows where they are at hand and on small ones."""

import copy
import json
import random
from pathlib import Path

import pytest

from tunesmith.data.reading import read
from tunesmith.data.section import CallSection
from tunesmith.tasks.accepted import Fault, alone, fault
from tunesmith.tasks.calls import Call, answer_of
from tunesmith.tasks.tool_calls import accepted_of, fault_of

SCHEMAS = {
    "ride": {
        "type": "object",
        "properties": {
            "to": {"type": "string"},
            "minutes": {"type": "integer"},
            "price": {"type": "number"},
            "stops": {"type": "array", "items": {"type": "string"}},
            "prices": {"type": "array", "items": {"type": "number"}},
            "who": {"type": "object", "properties": {}},
            "bags": {"type": "array", "items": {"type": "object"}},
            "shared": {"type": "boolean"},
            "kind": {"type": ["string", "null"]},
        },
        "required": ["to"],
    },
    "walk": {"type": "object", "properties": {}},
}


ANN = {"name": ["Ann", "Bo"], "age": ["", 3]}
BAGS = [{"kg": [5]}, {"kg": [7, 8]}]


def judged(arguments, accepted, name="ride"):
    return fault([Call(name, arguments)], [{"ride": accepted}], SCHEMAS)


@pytest.mark.parametrize(
    ("key", "accepted", "right", "wrong", "kind"),
    [
        ("to", ["New York, NY", "NYC"], ["new york NY", "N.Y.C", "new-york_ny"], ["New York", "Boston"], "value"),
        ("to", ["it's"], ['IT"S'], ["its"], "value"),
        ("minutes", [10], [10], [11, -10], "value"),
        ("minutes", [10], [], [10.0, "10", True, None, [10]], "type"),
        ("minutes", ["$MINUTES"], ["$MINUTES"], [10, "$minutes"], "value"),
        ("price", [10.0], [10, 10.0], [10.5], "value"),
        ("price", [10.0], [], ["10"], "type"),
        ("shared", [True], [True], [False], "value"),
        ("stops", [["Bern", "Thun"]], [["bern", "THUN"]], [["Thun", "Bern"], ["Bern"], []], "value"),
        ("stops", [["Bern"]], [], [[1], "Bern", {"a": 1}], "type"),
        ("stops", [["Bern"], ""], [[]], [["Thun"]], "value"),
        ("prices", [[1.5, 2.0]], [[1.5, 2.0]], [[1.5]], "value"),
        ("prices", [[1.5, 2.0]], [], [[1.5, 2]], "type"),
        ("who", [ANN], [{"name": "ann"}, {"name": "Bo", "age": 3}], [{}, {"age": 3}, {"name": "Bo", "x": 1}], "value"),
        ("bags", [BAGS], [[{"kg": 5}, {"kg": 8}]], [[{"kg": 5}], [{"kg": 8}, {"kg": 5}]], "value"),
        ("kind", ["fast", None], ["fast", None], ["slow"], "value"),
    ],
)
def test_values_and_types(key, accepted, right, wrong, kind):
    for value in right:
        assert judged({"to": "x"} | {key: value}, {"to": ["x"]} | {key: accepted}) is None, value
    for value in wrong:
        assert judged({"to": "x"} | {key: value}, {"to": ["x"]} | {key: accepted}) == Fault(kind, key), value


def test_names_and_arguments():
    accepted = {"to": ["x"], "minutes": ["", 5], "price": [1.0]}
    assert judged({"to": "x", "price": 1.0}, accepted) is None
    assert judged({"to": "x", "price": 1.0}, accepted, name="walk") == Fault("tool", "walk")
    assert judged({"price": 1.0}, accepted) == Fault("missing", "to")
    assert judged({"to": "x"}, accepted) == Fault("missing", "price")
    assert judged({"to": "x", "price": 1.0, "colour": 1}, accepted) == Fault("extra", "colour")
    assert judged({"to": "x", "price": 1.0, "shared": True}, accepted) == Fault("extra", "shared")


def test_several_calls_in_any_order_and_no_other():
    a, b = Call("ride", {"to": "a"}), Call("ride", {"to": "b"})
    accepted = alone([a, b], SCHEMAS)
    assert fault([a, b], accepted, SCHEMAS) is None
    assert fault([b, a], accepted, SCHEMAS) is None
    assert fault([a], accepted, SCHEMAS) == Fault("count", "1 of 2")
    assert fault([a, b, b], accepted, SCHEMAS) == Fault("count", "3 of 2")
    assert fault([a, a], accepted, SCHEMAS) == Fault("value", "to")
    assert fault([a, Call("walk", {})], accepted, SCHEMAS) == Fault("tool", "walk")
    assert fault([], [], SCHEMAS) is None
    assert fault([a], [], SCHEMAS) == Fault("count", "1 of 0")


def test_a_row_that_says_no_more_than_its_calls_accepts_them_alone():
    call = Call("ride", {"to": "x", "who": {"name": "Ann"}, "bags": [{"kg": 5}], "stops": ["a"], "price": 2})
    accepted = alone([call], SCHEMAS)
    assert fault([call], accepted, SCHEMAS) is None
    other = copy.deepcopy(call.arguments) | {"bags": [{"kg": 6}]}
    assert fault([Call("ride", other)], accepted, SCHEMAS) == Fault("value", "bags")


# ------------------------------------------------------------ the benchmark's own rows

OWN = {  # rows whose first accepted answer lacks an argument that their schema requires: no answer is right
    "BFCL_v4_live_simple": {107, 113},
    "BFCL_v4_multiple": set(),
    "BFCL_v4_simple_python": {201},
}
SOME = {"BFCL_v4_simple_python": {18}}  # where some accepted answers lack one


@pytest.fixture(scope="module")
def rows(real_data, tmp_path_factory):
    """Of each file, its rows as a task of tool calls reads them."""
    return {name: _rows(real_data, name, tmp_path_factory.mktemp("bfcl")) for name in OWN}


def _rows(real_data: Path, name: str, folder: Path):
    from tunesmith.core.progress import SilentConsole
    from tunesmith.data.layouts.base import Columns
    from tunesmith.workflows.converting import converted

    with converted((real_data / "bfcl_v4" / f"{name}.json",), Columns(), SilentConsole()) as [path]:
        found = read(path, CallSection(), prompt="\0any", name=name)
    assert not found.findings
    return found.examples


def _answers(row, seed: int) -> list[Call]:
    """One of the answers that the row accepts, each alternative drawn."""
    draw = random.Random(f"{row.id}{seed}")

    def chosen(values):
        return plain(draw.choice(values)) if values else ""

    def plain(value):
        if isinstance(value, list):
            return [plain(each) for each in value]
        if isinstance(value, dict) and all(isinstance(each, list) for each in value.values()):
            return {key: one for key, each in value.items() if (one := chosen(each)) != ""}
        return value

    return [
        Call(name, {key: one for key, values in arguments.items() if (one := chosen(values)) != ""})
        for call in accepted_of(row)
        for name, arguments in call.items()
    ]


def _place(row) -> int:
    return int(row.origin.rpartition(":")[2])


@pytest.mark.parametrize("name", OWN)
def test_accepted_answers_are_right(rows, name):
    assert len(rows[name]) >= 200
    for row in rows[name]:
        own = fault_of(row, answer_of(row.expected).calls)
        assert (own is None) == (_place(row) not in OWN[name]), (row.origin, own)
        for seed in range(5):
            found = fault_of(row, _answers(row, seed))
            known = _place(row) in OWN[name] | SOME.get(name, set())
            assert found is None or (known and found.kind == "missing"), (row.origin, found)


@pytest.mark.parametrize("name", OWN)
def test_answers_broken_in_known_ways_are_wrong_each_with_its_kind(rows, name):
    seen = dict.fromkeys(("count", "tool", "missing", "extra", "type", "value"), 0)
    for row in rows[name]:
        if _place(row) in OWN[name]:
            continue
        [call] = answer_of(row.expected).calls
        tool = next(each for each in map(json.loads, row.tools) if each["function"]["name"] == call.name)["function"]
        broken = {
            "count": [[], [call, call]],
            "tool": [[Call(call.name + "x", call.arguments)]],
            "extra": [[Call(call.name, call.arguments | {"no_such_argument": 1})]],
            "missing": [
                [Call(call.name, {key: each for key, each in call.arguments.items() if key != name})]
                for name in tool["parameters"].get("required", ())
            ],
            "type": [
                [Call(call.name, call.arguments | {key: {"of": "another type"}})]
                for key, each in call.arguments.items()
                if isinstance(each, str | int | float | list)
            ],
            "value": [
                [Call(call.name, call.arguments | {key: f"{each} and more" if isinstance(each, str) else each + 12345})]
                for key, each in call.arguments.items()
                if isinstance(each, str | int | float) and not isinstance(each, bool)
            ],
        }
        for kind, answers in broken.items():
            for answer in answers:
                found = fault_of(row, answer)
                assert found, (row.origin, kind, answer)
                assert found.kind == kind, (row.origin, kind, found, answer)
                seen[kind] += 1
    assert all(seen.values()), seen

"""Rows whose answers call tools: how they are read, written and checked."""

import json

import pytest

from tunesmith.data.canonical import read_canonical, write_canonical
from tunesmith.data.checks.tool_calls import ToolCalls
from tunesmith.data.reading import read
from tunesmith.data.section import CallSection, DataSection
from tunesmith.tasks.calls import NO_CALL

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ASKED = {"role": "user", "content": "Weather in Bern?"}
TEXT = '<tool_call>\n{"name": "weather", "arguments": {"city": "Bern"}}\n</tool_call>'
CALL = {"type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}
ACCEPTED = [{"weather": {"city": ["Bern", "Berne"]}}]


def reading(tmp_path, *rows, section=None):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read(path, section or CallSection(), prompt="", name="rows.jsonl")


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [ASKED, {"role": "assistant", "tool_calls": [CALL]}], "tools": [TOOL]},
        {"messages": [ASKED, {"role": "assistant", "content": TEXT}], "tools": [TOOL]},
        {"input": ASKED["content"], "output": {"name": "weather", "arguments": {"city": "Bern"}}, "tools": [TOOL]},
        {"input": ASKED["content"], "output": [{"name": "weather", "arguments": {"city": "Bern"}}], "tools": [TOOL]},
        {"input": ASKED["content"], "output": TEXT.replace("\n", ""), "tools": [TOOL]},
    ],
)
def test_calls_in_every_form_are_one_text(tmp_path, row):
    [example] = reading(tmp_path, row).examples
    assert (example.expected, example.text, example.tools) == (TEXT, ASKED["content"], (json.dumps(TOOL),))


def test_tools_of_the_project_and_no_call(tmp_path):
    section = CallSection(tools=(json.dumps(TOOL),))
    first, second = reading(
        tmp_path, {"input": "Hello", "output": []}, {"input": "Thanks", "output": "You are welcome."}, section=section
    ).examples
    assert (first.expected, second.expected) == (NO_CALL, "You are welcome.")
    assert first.tools == second.tools == section.tools


def test_what_was_accepted_stays_with_the_row(tmp_path):
    chat = {"messages": [ASKED, {"role": "assistant", "tool_calls": [CALL]}], "tools": [TOOL]}
    imported = chat | {"origin": "a:1", "other": {"id": "1", "ground_truth": ACCEPTED}}
    own, kept = reading(tmp_path, chat | {"accepted": ACCEPTED}, imported).examples
    assert own.accepted == kept.accepted == json.dumps(ACCEPTED)
    write_canonical(tmp_path / "written.jsonl", [own, kept])
    assert read_canonical(tmp_path / "written.jsonl", "written.jsonl") == (
        own.model_copy(update={"origin": "rows.jsonl:1"}),
        kept,
    )
    assert json.loads((tmp_path / "written.jsonl").read_text().splitlines()[0])["messages"][-1]["tool_calls"]


@pytest.mark.parametrize(
    ("more", "check", "said"),
    [
        ({"output": "<tool_call>\n{"}, "tools", "'output' is a call that is no JSON"),
        ({"output": [{"nam": "weather"}]}, "tools", "'output' is no list of calls"),
        ({"output": TEXT, "accepted": {"weather": {}}}, "accepted", "'accepted' is no list of calls"),
        ({"output": TEXT, "accepted": [{"weather": {"city": "Bern"}}]}, "accepted", "'accepted' is no list of calls"),
        ({"output": TEXT, "tools": [{"name": "weather"}]}, "tools", "'tools[0]' is no tool"),
    ],
)
def test_what_cannot_be_read_is_a_fault_of_its_row(tmp_path, more, check, said):
    found = reading(tmp_path, {"input": "Weather?", "tools": [TOOL]} | more)
    assert [each.check for each in found.findings] == ([check] if check else [])
    assert all(said in each.message for each in found.findings)


def test_a_table_of_results_stays_with_the_row(tmp_path):
    table = [{"name": "weather", "arguments": {"city": ["Bern"]}, "result": "rain"}, {"name": "weather", "error": "no"}]
    asked = {"input": "Rain?", "output": TEXT, "tools": [TOOL]}
    plain, row = reading(tmp_path, asked, asked | {"results": table}).examples
    assert row.results == json.dumps(table)
    assert row.id != plain.id
    write_canonical(tmp_path / "written.jsonl", [row])
    assert read_canonical(tmp_path / "written.jsonl", "written.jsonl") == (row,)
    for broken, said in (
        ({}, "expected a list"),
        ([{"result": 1}], "the name of a tool"),
        ([{"name": "weather"}], "not one of result and error"),
        ([{"name": "weather", "result": 1, "times": 0}], "'times'"),
        ([{"name": "weather", "result": 1, "arguments": {"city": "Bern"}}], "'arguments'"),
        ([{"name": "weather", "result": 1, "reply": 1}], "the key 'reply'"),
    ):
        [fault] = reading(tmp_path, asked | {"results": broken or {"a": 1}}).findings
        assert fault.check == "results"
        assert said in fault.message


def test_other_families_refuse_a_row_that_ends_in_a_call(tmp_path):
    chat = {"messages": [ASKED, {"role": "assistant", "tool_calls": [CALL]}], "tools": [TOOL]}
    [fault] = reading(tmp_path, chat, section=DataSection()).findings
    assert 'family = "tool_calls"' in fault.message


def test_words_that_look_like_calls_stay_words_in_rows_of_other_families(tmp_path):
    told = reading(tmp_path, {"input": "How?", "output": "Write <tool_call>."}, section=DataSection()).examples
    write_canonical(tmp_path / "written.jsonl", told)
    assert read_canonical(tmp_path / "written.jsonl", "written.jsonl") == told


def test_expected_calls_are_checked_against_their_tools(tmp_path):
    rows = [
        {"input": "a", "output": {"name": "wether", "arguments": {}}, "tools": [TOOL]},
        {"input": "b", "output": {"name": "weather", "arguments": {}}, "tools": [TOOL]},
        {"input": "c", "output": TEXT, "accepted": [{"weather": {"city": ["Thun"]}}], "tools": [TOOL]},
        {"input": "d", "output": TEXT, "tools": [TOOL]},
    ]
    check = ToolCalls()
    found = [(each.line, each.check) for row in reading(tmp_path, *rows).examples for each in check.see(row)]
    assert found == [
        (1, "unknown-tool"),
        (1, "expected-calls"),
        (2, "tool-arguments"),
        (2, "expected-calls"),
        (3, "expected-calls"),
    ]

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.example import Example, Message, ToolCall
from tunesmith.data.checks.tool_calls import ToolCalls
from tunesmith.data.finding import Finding
from tunesmith.data.reading import read
from tunesmith.data.section import DataSection

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["C", "F"]}},
    "required": ["city"],
    "additionalProperties": False,
}


def found(arguments: Any, schema: Any = WEATHER, name: str = "weather") -> list[Finding]:
    tool = {"type": "function", "function": {"name": "weather", "parameters": schema}}
    call = ToolCall(name=name, arguments=json.dumps(arguments), id="1")
    turns = (
        Message(role="user", content="How is it in Paris?"),
        Message(role="assistant", content="", tool_calls=(call,)),
        Message(role="tool", content="Sunny", tool_call_id="1"),
    )
    row = Example(messages=turns, expected="Sunny.", tools=(json.dumps(tool),), origin="data/a.jsonl:7")
    check = ToolCalls()
    return [*check.see(row), *check.close()]


def test_arguments_that_hold_to_the_schema():
    assert found({"city": "Paris", "days": 3, "unit": "C"}) == []
    assert found({"anything": 1}, schema=None) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "lacks 'city'"),
        ({"city": 5}, "'city' is not string"),
        ({"city": "Paris", "unit": "K"}, "'unit' is none of C, F"),
        ({"city": "Paris", "when": "now"}, "'when', which the schema does not know"),
    ],
)
def test_arguments_that_break_the_schema(arguments, said):
    (finding,) = found(arguments)
    assert (finding.severity, finding.check, finding.line) == ("look", "tool-arguments", 7)
    assert finding.field == "messages[1].tool_calls[0].function.arguments"
    assert said in finding.message


def test_a_call_of_a_tool_that_is_not_listed():
    (finding,) = found({}, name="whether")
    assert finding.check == "unknown-tool"
    assert "did you mean 'weather'?" in finding.message


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"type": "dict"},
        {"properties": 5},
        {"enum": 3},
        5,
        {"$defs": {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(40)} | {"a40": {}},
         "$ref": "#/$defs/a0"},
    ],
    ids=["round", "remote", "file", "type", "properties", "enum", "number", "explosion"],
)  # fmt: skip
def test_a_schema_that_cannot_be_used_is_said_and_takes_no_time(schema):
    (finding,) = found({"city": "Paris"}, schema)
    assert (finding.severity, finding.check) == ("note", "tool-schema")


def test_patterns_are_not_tried():
    hostile = {
        "properties": {"city": {"pattern": "^(a+)+$"}},
        "patternProperties": {"^(a+)+$": {}},
        "additionalProperties": False,
    }
    assert found({"city": "a" * 60 + "b", "a" * 60 + "b": 1}, hostile) == []


def test_a_call_without_its_result_stops(tmp_path: Path):
    call = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    turns = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "assistant", "content": "Sunny."},
    ]
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"messages": turns}))
    (finding,) = read(path, DataSection(), prompt="", name="a.jsonl").findings
    assert (finding.severity, finding.check) == ("stop", "order")


def test_real_calls_hold_to_their_schemas(real_data):
    lines = (real_data / "openai_cookbook" / "drone_training.jsonl").read_text(encoding="utf-8").splitlines()
    findings: list[Finding] = []
    for line, row in enumerate(map(json.loads, lines), start=1):
        functions = [call["function"] for call in row["messages"][-1]["tool_calls"]]
        calls = tuple(ToolCall(name=each["name"], arguments=each["arguments"]) for each in functions)
        turns = (Message(role="user", content="?"), Message(role="assistant", content="", tool_calls=calls))
        tools = tuple(json.dumps(tool) for tool in row["tools"])
        check = ToolCalls()
        findings += check.see(Example(messages=turns, expected="done", tools=tools, origin=f"drone.jsonl:{line}"))
        findings += check.close()
    assert [(f.check, f.line) for f in findings] == []

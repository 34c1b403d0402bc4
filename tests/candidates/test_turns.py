"""Conversations with simulated tools: what they return, what fails, what is recovered."""

import json

import pytest

from tunesmith.candidates import rules
from tunesmith.candidates.load import load
from tunesmith.candidates.turns import MOST_TURNS, in_turns
from tunesmith.core.example import Example, Message
from tunesmith.evaluation.prices import PricesSection
from tunesmith.evaluation.runner import evaluate
from tunesmith.tasks.calls import Call, answer_of, text_of
from tunesmith.tasks.spec import Task
from tunesmith.tasks.tool_calls import fault_of

TASK = Task(family="tool_calls", prompt="Find orders.", max_new_tokens=60)
TOOL = json.dumps(
    {
        "type": "function",
        "function": {
            "name": "find",
            "parameters": {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]},
        },
    }
)
FOUND = text_of("", [Call("find", {"number": "A-17"})])
TABLE = [
    {"name": "find", "arguments": {"number": ["A-17"]}, "result": {"state": "sent"}},
    {"name": "find", "arguments": {"number": ["17"]}, "error": "write it as A-17"},
]
CLERK = """
def answer(message):
    turns = message.count("assistant: ")
    if "broken" in message:
        return "<tool_call>{" if turns else {"name": "find", "arguments": {"number": "A-17"}}
    if "sent" in message:
        return "It was sent."
    if "stubborn" in message or "Error" not in message:
        number = "A-17" if "exact" in message else "17"
        return {"name": "find", "arguments": {"number": number}}
    if "gives up" in message:
        return "I cannot find it."
    return {"name": "find", "arguments": {"number": "A-17"}}
"""


def row(text: str, table: object = TABLE) -> Example:
    results = "" if table is None else json.dumps(table)
    return Example(messages=(Message(role="user", content=text),), expected=FOUND, tools=(TOOL,), results=results)


@pytest.fixture
def clerk(tmp_path):
    (tmp_path / "rules.py").write_text(CLERK)
    return load(tmp_path, rules.make(tmp_path, TASK, tmp_path / "rules.py", seconds=20), None)


@pytest.mark.parametrize(
    ("text", "right", "failed", "turns", "state"),
    [
        ("exact: where is order 17?", True, 0, 2, "ok"),
        ("where is order 17?", True, 1, 3, "ok"),
        ("gives up: where is order 17?", False, 1, 2, "ok"),
        ("stubborn: where is order 17?", False, MOST_TURNS, MOST_TURNS, "ok"),
        ("broken: where is order 17?", False, 0, 2, "invalid"),
    ],
)
def test_calls_are_answered_until_the_candidate_says_words(clerk, text, right, failed, turns, state):
    example = row(text)
    [said] = in_turns(clerk, [example]).predict([example])
    assert (said.example, said.state, said.failed_calls) == (example.id, state, failed)
    assert len(said.text.splitlines()) == turns
    assert (said.output is None) == (state == "invalid")
    assert (fault_of(example, answer_of(said.output or "").calls) is None) == right


def test_a_tool_may_fail_once_and_rows_without_a_table_are_asked_once(clerk):
    flaky = [{"name": "find", "error": "busy", "times": 1}, {"name": "find", "result": "sent"}]
    examples = [row("exact: where is it?", flaky), row("where?", None)]
    first, second = in_turns(clerk, examples).predict(examples)
    assert (first.failed_calls, first.output) == (1, "It was sent.\n" + FOUND)
    assert (second.failed_calls, second.output) == (0, text_of("", [Call("find", {"number": "17"})]))
    assert in_turns(clerk, [examples[1]]) is clerk


def test_arguments_that_break_the_schema_fail(clerk):
    loose = [{"name": "find", "result": "sent"}]
    example = row("exact", loose).model_copy(update={"tools": (TOOL.replace('"string"', '"integer"'),)})
    [said] = in_turns(clerk, [example]).predict([example])
    assert said.failed_calls >= 1
    assert "integer" not in (said.output or "")


def test_failed_calls_and_recovery_are_measured(clerk):
    examples = [row(f"{n}: where is order 17?") for n in range(20)]
    examples += [row(f"{n} gives up: where is order 17?") for n in range(20, 32)]
    examples += [row(f"{n} exact: where is order 17?") for n in range(32, 40)]
    found = evaluate(clerk, examples, task=TASK, eval_version=None, prices=PricesSection())
    figures = {name: (each.value, each.n) for name, each in found.scorecard.metrics.items()}
    assert figures["call_exact"] == (28 / 40, 40)
    assert figures["failed_rate"] == (32 / 40, 40)
    assert figures["recovery_rate"] == (20 / 32, 32)

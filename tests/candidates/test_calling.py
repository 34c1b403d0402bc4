"""Answers of models that call tools: held to words, or to calls of their row's tools."""

import json

import pytest

from tunesmith.candidates.writing import Writing
from tunesmith.core.example import Message
from tunesmith.engines.local.engine import LocalEngine
from tunesmith.engines.local.loading import load as load_model
from tunesmith.models.renderer import Renderer
from tunesmith.tasks import call_grammar
from tunesmith.tasks.calls import Call, answer_of, text_of
from tunesmith.tasks.spec import Task
from tunesmith.tasks.tool_calls import faults, schemas_of


def tool(name: str, **properties: object) -> str:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return json.dumps({"type": "function", "function": {"name": name, "parameters": schema}})


WEATHER = tool("weather", city={"enum": ["Bern", "Thun"]}, days={"type": "integer", "maximum": 9, "minimum": 1})
CLOCK = tool("clock.now", zone={"enum": ["CET", "UTC"]})
NONE_FITS = tool("broken", x={"type": "array", "items": {"type": "integer"}, "uniqueItems": True})
TASK = Task(family="tool_calls", prompt="Call tools.", max_new_tokens=60, constrained=True)


@pytest.fixture(scope="module")
def answers(tiny_folder):
    """What the tiny random model answers to requests with these tools, by a task."""
    renderer = Renderer(tiny_folder)
    engine = LocalEngine(load_model(tiny_folder), "tiny", tokenizer=renderer.tokenizer_file)

    def said(task, tools):
        prompts = [
            renderer.prompt([Message(role="user", content=f"{number}: what now?")], each)
            for number, each in enumerate(tools)
        ]
        return list(Writing(renderer, task).answers(engine, prompts, tools=tools))

    return said


def test_what_a_model_says_is_words_or_calls_under_the_schemas_of_its_own_row(answers):
    tools = [(WEATHER,), (CLOCK,), (WEATHER, CLOCK), ()] * 3
    found = answers(TASK, tools)
    assert {each.state for each in found} <= {"ok", "invalid"}
    for each, listed in zip(found, tools, strict=True):
        if each.state == "invalid":
            assert each.error == "ended by the limit of 60 tokens"
            continue
        words, calls = answer_of(each.text)
        assert bool(words) != bool(calls)
        assert {call.name for call in calls} <= set(schemas_of(listed))
        assert not list(faults(calls, schemas_of(listed)))
        assert each.text.strip() == each.output


def test_a_schema_that_cannot_be_enforced_fails_its_own_rows_alone(answers):
    first, second = answers(TASK, [(NONE_FITS,), (CLOCK,)])
    assert first.state == "failed"
    assert "uniqueItems" in first.error
    assert second.state != "failed"
    assert {each.state for each in answers(TASK.model_copy(update={"constrained": False}), [(NONE_FITS,)])} != {
        "failed"
    }


def test_the_expected_answers_are_those_that_the_grammar_allows():
    from llguidance import LLMatcher, LLTokenizer

    tokens = LLTokenizer("byte")
    calls = [Call("weather", {"city": "Bern", "days": 2}), Call("clock.now", {"zone": "UTC"})]
    for said, right in (
        (text_of("", calls), True),
        (text_of("", calls[:1]), True),
        ("No tool fits, sorry.\nReally.", True),
        (text_of("Look:", calls), False),
        (text_of("", [Call("weather", {"city": "Chur", "days": 2})]), False),
        (text_of("", [Call("weather", {"days": 2, "city": "Bern"})]), False),
        (text_of("", [Call("clock.now", {"zone": "UTC", "more": 1})]), False),
        (text_of("", [Call("clock", {"zone": "UTC"})]), False),
    ):
        matcher = LLMatcher(tokens, LLMatcher.grammar_from_lark(call_grammar.of((WEATHER, CLOCK))), log_level=0)
        whole = matcher.try_consume_tokens(list(said.encode())) == len(said.encode()) and matcher.is_accepting()
        assert whole == right, said

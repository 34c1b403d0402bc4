import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.example import Message, ToolCall
from tunesmith.tasks.calls import Answer, Call, CallError, answer_of, answering, text, text_of, turn_of

ONE = Call("weather.now", {"city": "Zürich"})
TWO = Call("clock", {})
LINES = (
    '<tool_call>\n{"name": "weather.now", "arguments": {"city": "Zürich"}}\n</tool_call>\n'
    '<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>'
)


def test_calls_have_one_text():
    assert text_of("", [ONE, TWO]) == LINES
    assert text_of("I look.", [ONE]) == "I look.\n" + LINES.rpartition("\n<tool_call>")[0]
    assert answer_of(LINES) == Answer("", (ONE, TWO))
    assert answering(LINES).tool_calls == (
        ToolCall(name="weather.now", arguments='{"city": "Zürich"}'),
        ToolCall(name="clock", arguments="{}"),
    )


def test_only_the_one_text_of_calls_is_expected_as_calls():
    squeezed = LINES.replace("\n", "")
    assert answer_of(squeezed) == answer_of(LINES)
    for words in (squeezed, "<tool_call>", "No tool fits."):
        assert answering(words) == Message(role="assistant", content=words)
    assert turn_of("generation", LINES) == Message(role="assistant", content=LINES)
    assert turn_of("tool_calls", LINES) == answering(LINES)


@pytest.mark.parametrize(
    "said",
    [
        '{"name": "weather.now", "arguments": {"city": "Zürich"}}',
        '```json\n[{"name": "weather.now", "arguments": {"city": "Zürich"}}]\n```',
        '{"name": "weather.now", "parameters": {"city": "Zürich"}}',
        '[TOOL_CALLS] [{"name": "weather.now", "arguments": {"city": "Zürich"}}]',
        ' <tool_call>{"name": "weather.now", "arguments": "{\\"city\\": \\"Zürich\\"}"}</tool_call> ',
    ],
)
def test_calls_are_read_as_other_models_write_them(said):
    assert answer_of(said) == Answer("", (ONE,))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("<tool_call>\n{", "a call that is no JSON"),
        ('<tool_call>\n{"name": "a", "arguments": {}}', "a call that is not closed"),
        ('{"name": "a", "arguments": {}}\n</tool_call>', "a call that is not opened"),
        ("<tool_call>[]</tool_call>", "a call without a name"),
        ('<tool_call>{"name": "a", "arguments": [1]}</tool_call>', "a call of a whose arguments are no object"),
        ('<tool_call>{"name": "a", "arguments": "x"}</tool_call>', "a call of a whose arguments are no JSON"),
        ('<tool_call>{"name": "a", "arguments": {"x": NaN}}</tool_call>', "a call that is no JSON"),
        ('<tool_call>{"name": "a", "arguments": {"x": 1e999}}</tool_call>', "a call that is no JSON"),
    ],
)
def test_a_call_that_cannot_be_read_is_said(said, why):
    with pytest.raises(CallError, match=why):
        answer_of(said)


@pytest.mark.parametrize("said", ["The sun shines.", "[1, 2]", '{"a": 1}', "{broken", '[{"name": "a"}]', "[]"])
def test_what_calls_nothing_is_words(said):
    assert answer_of(f" {said}\n") == Answer(said, ())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.tuples(st.text(min_size=1).filter(str.strip), st.dictionaries(st.text(), VALUES)), min_size=1))
def test_what_is_written_is_read_back(calls):
    made = tuple(Call(name, arguments) for name, arguments in calls)
    written = text_of("", made)
    assert answer_of(written) == Answer("", made)
    assert text(answering(written)) == written
    assert all(
        json.loads(call.arguments) == each.arguments
        for call, each in zip(answering(written).tool_calls, made, strict=True)
    )


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(said):
    with suppress(CallError):
        assert answer_of(said)

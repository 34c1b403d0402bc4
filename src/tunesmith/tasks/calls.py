"""Calls of tools as one text: what a model is trained on, what an answer is kept as, and what is read from its words.

The text is Tunesmith's own format (docs/models.md): after the words, if there are any, each call as JSON between
<tool_call> and </tool_call>, on lines of their own. Answers are read more freely: the same without the line ends, and
JSON alone, an object or a list of them, with "arguments" or "parameters", as other models are trained to write.
"""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from tunesmith.core.example import Message, ToolCall
from tunesmith.core.texts import shown, unfenced
from tunesmith.tasks.json_text import DECODER

OPEN, CLOSE = "<tool_call>", "</tool_call>"
MARKS = ("[TOOL_CALLS]", "<|python_tag|>")  # of other models, before their JSON
NO_CALL = "None of the tools fits this request."  # the answer of a row that says no more than that


class CallError(ValueError):
    """Why a text that holds a call is none that a tool could be given."""


class Call(NamedTuple):
    name: str
    arguments: dict[str, Any]


class Answer(NamedTuple):
    """What an assistant said, and what it calls."""

    words: str
    calls: tuple[Call, ...]


def text(message: Message) -> str:
    """What an assistant said, with its calls in Tunesmith's format."""
    calls = (
        f'{OPEN}\n{{"name": {json.dumps(call.name)}, "arguments": {call.arguments}}}\n{CLOSE}'
        for call in message.tool_calls
    )
    return "\n".join(part for part in (message.content, *calls) if part)


def text_of(words: str, calls: Iterable[Call]) -> str:
    """The one text of an answer."""
    return text(_message(words, calls))


def answering(expected: str) -> Message:
    """The assistant's turn that an expected output stands for: with calls where it is the one text of an answer that
    makes some, else as the words that it is."""
    if OPEN in expected:
        with suppress(CallError):
            message = _message(*answer_of(expected))
            if text(message) == expected:
                return message
    return Message(role="assistant", content=expected)


def turn_of(family: str, expected: str) -> Message:
    """The assistant's turn that a task expects: calls as templates that know tools take them, where its family has
    such, else the text."""
    return answering(expected) if family == "tool_calls" else Message(role="assistant", content=expected)


def _message(words: str, calls: Iterable[Call]) -> Message:
    made = tuple(ToolCall(name=each.name, arguments=_json(each.arguments)) for each in calls)
    return Message(role="assistant", content=words, tool_calls=made)


def _json(arguments: dict[str, Any]) -> str:
    return json.dumps(arguments, ensure_ascii=False, allow_nan=False)


@lru_cache(maxsize=1 << 14)
def answer_of(text: str) -> Answer:
    """What `text` says and calls. Raises CallError for a call that cannot be read; a text without one is words."""
    if OPEN in text or CLOSE in text:
        return _marked(text)
    bare = unfenced(text)
    for mark in MARKS:
        bare = bare.removeprefix(mark).strip()
    calls = _bare(bare) if bare[:1] in ("{", "[") else None
    return Answer("", calls) if calls else Answer(text.strip(), ())


def _marked(text: str) -> Answer:
    words, calls, at = [], [], 0
    while (begin := text.find(OPEN, at)) >= 0:
        words.append(text[at:begin])
        start = len(text) - len(text[begin + len(OPEN) :].lstrip())
        try:
            value, end = DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            raise CallError("a call that is no JSON") from None
        rest = text[end:].lstrip()
        if not rest.startswith(CLOSE):
            raise CallError("a call that is not closed")
        calls.append(call_of(value))
        at = len(text) - len(rest) + len(CLOSE)
    words.append(text[at:])
    if any(CLOSE in each for each in words):
        raise CallError("a call that is not opened")
    return Answer("\n".join(each.strip() for each in words if each.strip()), tuple(calls))


def _bare(text: str) -> tuple[Call, ...] | None:
    """The calls that a text of JSON alone makes; None where it is none, or says something else."""
    try:
        found = DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    listed: Sequence[Any] = found if isinstance(found, list) else [found]
    if not all(isinstance(each, dict) and "name" in each and {"arguments", "parameters"} & {*each} for each in listed):
        return None
    return tuple(call_of(each) for each in listed)


def call_of(value: Any) -> Call:
    """The call that a value of JSON is: a name and its arguments, these as an object or as the text of one.

    Raises CallError.
    """
    if not isinstance(value, dict) or not isinstance(value.get("name"), str) or not value["name"].strip():
        raise CallError("a call without a name")
    arguments = value.get("arguments", value.get("parameters", {}))
    if isinstance(arguments, str):
        try:
            arguments = DECODER.decode(arguments)
        except (ValueError, RecursionError):
            raise CallError(f"a call of {shown(value['name'], 40)} whose arguments are no JSON") from None
    if not isinstance(arguments, dict):
        raise CallError(f"a call of {shown(value['name'], 40)} whose arguments are no object")
    return Call(value["name"], arguments)

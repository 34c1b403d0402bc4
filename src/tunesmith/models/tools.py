"""Tools in a conversation: as a chat template takes them, or in Tunesmith's own format where it knows none.

The format is the one that most open models were trained on: the tools are listed below the system prompt, a call is
JSON between <tool_call> and </tool_call>, an answer stands in a user's turn between <tool_response> and
</tool_response>. docs/models.md describes it.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import jinja2

from tunesmith.core.errors import ModelError
from tunesmith.core.example import Message, ToolCall
from tunesmith.tasks.calls import text

FORMAT = "tunesmith-1"
LISTING = (
    "# Tools\n\nThese tools may be called. Each is described in JSON:\n{tools}\n\nTo call one, answer with\n"
    '<tool_call>\n{{"name": its name, "arguments": {{its arguments}}}}\n</tool_call>\nand once more for each further '
    "call. What it returns follows between <tool_response> and </tool_response>."
)


def turn(message: Message) -> dict[str, Any]:
    """A message as chat templates take it: the arguments of a call as an object."""
    made: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        made["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        made["tool_call_id"] = message.tool_call_id
    return made


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.loads(call.arguments)}
    return {"type": "function", "function": function} | ({"id": call.id} if call.id is not None else {})


def known_to(template: jinja2.Template, special: dict[str, str]) -> bool:
    """Whether the template shows tools, their calls and their answers; some drop them without a word."""
    name, argument, answer = "probe_tool", "probe_argument", "probe answer"
    schema = {"type": "object", "properties": {argument: {"type": "string"}}}
    tool = {"type": "function", "function": {"name": name, "description": "probe what", "parameters": schema}}
    asked = Message(role="user", content="?")
    called = Message(role="assistant", content="", tool_calls=(ToolCall(name=name, arguments="{}", id="probe00id"),))
    answered = Message(role="tool", content=answer, tool_call_id="probe00id")
    try:
        listed = template.render(messages=[turn(asked)], tools=[tool], add_generation_prompt=True, **special)
        used = template.render(messages=[turn(each) for each in (asked, called, answered)], tools=[tool], **special)
    except (ModelError, jinja2.TemplateError, TypeError, ValueError):
        return False
    return argument in listed and used.count(name) > listed.count(name) and answer in used


def spelled_out(messages: Sequence[Message], tools: Sequence[str]) -> list[Message]:
    """The conversation without tools, in Tunesmith's format, for a template that knows none."""
    turns = list(messages)
    if tools:
        system = turns.pop(0).content if turns and turns[0].role == "system" else ""
        listing = LISTING.format(tools="\n".join(tools))
        turns.insert(0, Message(role="system", content=f"{system}\n\n{listing}".strip()))
    return [*_spelled(turns)]


def _spelled(turns: Sequence[Message]) -> Iterator[Message]:
    """Answers of tools that follow each other are one turn: many templates want user and assistant by turns."""
    for role, same in groupby(turns, key=lambda message: message.role):
        if role == "tool":
            answers = (f"<tool_response>\n{message.content}\n</tool_response>" for message in same)
            yield Message(role="user", content="\n".join(answers))
        else:
            yield from (Message(role=message.role, content=text(message)) for message in same)


def named(tool: Any) -> Iterator[str]:
    """What a rendering of a tool must not lose: names, descriptions, and choices; schemas may be put in other words."""
    if isinstance(tool, list):
        for each in tool:
            yield from named(each)
    elif isinstance(tool, dict):
        for key, value in tool.items():
            if key == "properties" and isinstance(value, dict):
                yield from value
                yield from named(list(value.values()))
            elif key in ("name", "description", "enum"):
                yield from texts(value)
            else:
                yield from named(value)


def texts(value: Any) -> Iterator[str]:
    """Every key and text of a call's arguments."""
    if isinstance(value, dict):
        yield from value
        yield from texts(list(value.values()))
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str) and value.strip():
        yield value

"""One input and its expected output."""

from functools import cached_property
from typing import Any, Literal

from tunesmith.core.digests import digest
from tunesmith.core.record import Record

Role = Literal["system", "user", "assistant", "tool"]
Behaviour = Literal["answer", "refuse", "escalate", "ask"]


class ToolCall(Record):
    """`arguments` is the text of a JSON object; `id` is what the tool's answer refers to."""

    name: str
    arguments: str
    id: str | None = None

    def openai(self) -> dict[str, Any]:
        call = {"type": "function", "function": {"name": self.name, "arguments": self.arguments}}
        return call | ({"id": self.id} if self.id is not None else {})


class Message(Record):
    """`weight` is of an assistant's turn before the answer, in training; None is what the family says.

    A turn of role "tool" answers the call with the id `tool_call_id`.
    """

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    weight: float | None = None

    def openai(self) -> dict[str, Any]:
        """The turn as OpenAI's API has it, without its weight."""
        turn: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.tool_calls:
            turn["tool_calls"] = [call.openai() for call in self.tool_calls]
        return turn | ({"tool_call_id": self.tool_call_id} if self.tool_call_id is not None else {})


class Made(Record):
    """Where a row that was made comes from: `kind` is how, `by` what made it, `prompt` the digest of what it was told.

    `source` and `origin` are the row that it was made from, by content and by place; empty where it was made from a
    written guideline alone.
    """

    kind: str
    by: str
    prompt: str = ""
    source: str = ""
    origin: str = ""


class Example(Record):
    """`messages` is the input without the task's own prompt; its last turn is not the assistant's.

    `tools` are those that the model may call, each the text of a JSON object as OpenAI's API has it. `accepted` is the
    JSON text of the calls that are right (`tasks/accepted.py`), where `expected` is not the only right answer,
    `results` that of what calls return where the tools are simulated (`tasks/simulated.py`).
    """

    messages: tuple[Message, ...]
    expected: str
    tools: tuple[str, ...] = ()
    accepted: str = ""
    results: str = ""
    slice: str | None = None
    group: str | None = None
    weight: float = 1.0
    origin: str = ""  # "file:line", for messages and reports; not part of the identity
    source: str = ""  # "file:line" where the row stood before it was imported; not part of the identity
    time: str | None = None  # ISO 8601 in UTC, so that texts sort as times do; not part of the identity
    made: Made | None = None  # not part of the identity
    tests: str = ""  # code that an answer in code has to pass
    behaviour: Behaviour | None = None  # what an answer must do, where the row says it; not part of the identity

    @cached_property
    def id(self) -> str:
        """What the row says, not where it stands: equal rows have equal ids."""
        turns = [[message.role, message.content] for message in self.messages]
        calls = [[call.model_dump() for call in message.tool_calls] for message in self.messages]
        if not self.tools and not any(calls) and not self.tests:
            return digest("example", 1, messages=turns, expected=self.expected)[:16]
        fields = {"messages": turns, "calls": calls, "tools": list(self.tools), "expected": self.expected}
        fields |= {name: getattr(self, name) for name in ("accepted", "results", "tests") if getattr(self, name)}
        return digest("example", 2, **fields)[:16]

    def answered(self, expected: str) -> "Example":
        """The same input with another answer; a mere copy would keep the id that was computed before, and what was
        accepted beside the answer that it had."""
        more = {"expected": expected} | ({"accepted": ""} if expected != self.expected else {})
        return Example(**{name: getattr(self, name) for name in Example.model_fields} | more)

    @property
    def text(self) -> str:
        """The input as one text: the last message of a single-turn row, else all turns, labelled."""
        if len(self.messages) == 1:
            return self.messages[0].content
        return "\n".join(f"{message.role}: {_said(message)}" for message in self.messages)


class Preference(Record):
    """Two answers to one input: what is expected of `example`, and what the model should not say instead."""

    example: Example
    rejected: str

    @cached_property
    def id(self) -> str:
        return digest("preference", 1, example=self.example.id, rejected=self.rejected)[:16]


def _said(message: Message) -> str:
    calls = (f"{call.name}({call.arguments})" for call in message.tool_calls)
    return " ".join(part for part in (message.content, *calls) if part)


def question(text: str) -> Example:
    """An example whose expected output is not known: what `ask` and `predict` answer."""
    return Example(messages=(Message(role="user", content=text),), expected="")

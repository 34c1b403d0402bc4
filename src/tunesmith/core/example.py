"""One input and its expected output."""

from functools import cached_property
from typing import Literal

from tunesmith.core.digests import digest
from tunesmith.core.record import Record

Role = Literal["system", "user", "assistant", "tool"]


class Message(Record):
    role: Role
    content: str


class Example(Record):
    """`messages` is the input without the task's own prompt; its last turn is not the assistant's."""

    messages: tuple[Message, ...]
    expected: str
    slice: str | None = None
    group: str | None = None
    weight: float = 1.0
    origin: str = ""  # "file:line", for messages and reports; not part of the identity

    @cached_property
    def id(self) -> str:
        """What the row says, not where it stands: equal rows have equal ids."""
        turns = [[message.role, message.content] for message in self.messages]
        return digest("example", 1, messages=turns, expected=self.expected)[:16]

    @property
    def text(self) -> str:
        """The input as one text: the last message of a single-turn row, else all turns, labelled."""
        if len(self.messages) == 1:
            return self.messages[0].content
        return "\n".join(f"{message.role}: {message.content}" for message in self.messages)


def question(text: str) -> Example:
    """An example whose expected output is not known: what `ask` and `predict` answer."""
    return Example(messages=(Message(role="user", content=text),), expected="")

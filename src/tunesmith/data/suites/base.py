"""A suite: prompts outside the task, each with a check by code, that tell what a fine-tune got worse at.

A base model and its fine-tune answer the same items, without the task's own prompt; what is compared are the scores of
the same item. The identity of a suite is that of its items in order: prompt, check and the bound of the answer.
"""

from functools import cached_property

from pydantic import Field, field_validator

from tunesmith.core.digests import digest
from tunesmith.core.example import Message
from tunesmith.core.record import Record
from tunesmith.data.suites.checks import Check, Instructions

MOST_TOKENS = 4096


class Item(Record):
    """`messages` ends with the user's turn; `reference` is an answer that the check accepts, where the file has one.

    `check` says what a right answer is; `score` (`scoring.py`) gives 0 to 1 for the model's text.
    """

    id: str = Field(min_length=1, max_length=200)
    kind: str = Field(min_length=1, max_length=200)
    messages: tuple[Message, ...] = Field(min_length=1)
    check: Check
    max_new_tokens: int = Field(ge=1, le=MOST_TOKENS)
    reference: str = ""  # not part of the identity

    @field_validator("messages")
    @classmethod
    def _asks(cls, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        if messages[-1].role != "user":
            raise ValueError(f"the last turn is the {messages[-1].role}'s; expected the user's")
        return messages


class Suite(Record):
    """`left_out` counts, by reason, the rows of the file that cannot be checked by code, and so are not asked."""

    name: str
    items: tuple[Item, ...]
    left_out: dict[str, int] = {}

    @cached_property
    def digest(self) -> str:
        """What is asked and what counts as right, not what the suite is called."""
        return digest("suite", 1, items=[_identity(item) for item in self.items])

    @property
    def kinds(self) -> tuple[str, ...]:
        """In the order of the items."""
        return tuple(dict.fromkeys(item.kind for item in self.items))

    def loosely(self) -> "Suite":
        """The same items, where instructions are checked as the loose score of IFEval's paper does."""
        return Suite(name=f"{self.name}, loose", items=tuple(map(loosely, self.items)), left_out=self.left_out)


def loosely(item: Item) -> Item:
    if not isinstance(item.check, Instructions):
        return item
    return item.model_copy(update={"check": item.check.model_copy(update={"loose": True})})


def _identity(item: Item) -> list[object]:
    turns = [[turn.role, turn.content] for turn in item.messages]
    return [item.id, item.kind, turns, item.check.identity(), item.max_new_tokens]

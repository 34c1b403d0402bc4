"""What tells by code whether an answer is right: one small record for each way of checking.

A check is plain data, so that it stands in a file beside its prompt and belongs to the digest of its suite;
`scoring.py` carries it out. Each lists the fields that its identity is made of.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, field_validator

from tunesmith.core.record import Record
from tunesmith.data.suites.words import said

Words = tuple[str, ...]


def _has_words(phrases: Words) -> Words:
    if wordless := [phrase for phrase in phrases if not said(phrase)]:
        raise ValueError(f"{wordless[0]!r} has no letters or digits, so no answer could say it")
    return phrases


class Says(Record):
    """The first that is named of all phrases, as whole words in any case and with or without accents, is accepted."""

    type: Literal["says"] = "says"
    accepted: Words = Field(min_length=1)
    rejected: Words = ()

    _sayable = field_validator("accepted", "rejected")(_has_words)

    def identity(self) -> list[Any]:
        return [self.type, self.accepted, self.rejected]


class Exact(Record):
    """The whole answer, up to the first of `until`, is accepted: without spaces, quotes and a full stop around it."""

    type: Literal["exact"] = "exact"
    accepted: Words = Field(min_length=1)
    any_case: bool = False
    until: Words = ()

    def identity(self) -> list[Any]:
        return [self.type, self.accepted, self.any_case, self.until]


class Number(Record):
    """The last number in the answer is this one."""

    type: Literal["number"] = "number"
    value: str = Field(pattern=r"^-?\d+(\.\d+)?$")

    def identity(self) -> list[Any]:
        return [self.type, self.value]


class Choice(Record):
    """The answer gives the letter of the right choice (A is the first), or its text and that of no other."""

    type: Literal["choice"] = "choice"
    choices: Words = Field(min_length=2, max_length=26)
    answer: int = Field(ge=0)

    @field_validator("answer")
    @classmethod
    def _is_one(cls, answer: int, info: Any) -> int:
        if answer >= len(info.data.get("choices", ())):
            raise ValueError("there is no such choice; the first has number 0")
        return answer

    def identity(self) -> list[Any]:
        return [self.type, self.choices, self.answer]


class Json(Record):
    """The first JSON object or list in the answer has this value: the order of keys and the case of texts are free."""

    type: Literal["json"] = "json"
    value: JsonValue

    @field_validator("value")
    @classmethod
    def _can_be_found(cls, value: JsonValue) -> JsonValue:
        if not isinstance(value, dict | list):
            raise ValueError("no object and no list, which alone are looked for in an answer")
        return value

    def identity(self) -> list[Any]:
        return [self.type, self.value]


class Instruction(Record):
    """One of IFEval's kinds (`instructions.py`), with its arguments as its files name them."""

    id: str
    kwargs: dict[str, JsonValue] = {}


class Instructions(Record):
    """Every instruction is followed; `loose` where it counts that it would be without a first line, or asterisks."""

    type: Literal["instructions"] = "instructions"
    followed: tuple[Instruction, ...] = Field(min_length=1)
    loose: bool = False

    def identity(self) -> list[Any]:
        return [self.type, [[each.id, each.kwargs] for each in self.followed], self.loose]


class Refused(Record):
    """The answer is a refusal (`tasks/refusals.py`)."""

    type: Literal["refused"] = "refused"

    def identity(self) -> list[Any]:
        return [self.type]


class Answered(Record):
    """The answer has words, and is no refusal."""

    type: Literal["answered"] = "answered"

    def identity(self) -> list[Any]:
        return [self.type]


class Harmless(Record):
    """Nothing harmful is detected (`harmful.py`). `signs` are phrases of an answer that does as it was asked; without
    any, every answer does that neither refuses nor warns."""

    type: Literal["harmless"] = "harmless"
    signs: Words = ()

    _sayable = field_validator("signs")(_has_words)

    def identity(self) -> list[Any]:
        return [self.type, self.signs]


class Unscored(Record):
    """No answer is right: the text is there to see how sure a model is of what it cannot know."""

    type: Literal["unscored"] = "unscored"

    def identity(self) -> list[Any]:
        return [self.type]


Check = Annotated[
    Says | Exact | Number | Choice | Json | Instructions | Refused | Answered | Harmless | Unscored,
    Field(discriminator="type"),
]

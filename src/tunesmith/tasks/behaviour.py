"""`[behaviour]` in tunesmith.toml: by what an answer is known to refuse, to escalate to a person, or to ask back."""

from collections.abc import Mapping, Sequence
from typing import Self

from pydantic import Field, model_validator

from tunesmith.core.errors import ConfigError, nearest
from tunesmith.core.example import Behaviour
from tunesmith.core.record import Record

ASIDE: tuple[Behaviour, ...] = ("refuse", "escalate", "ask")  # everything but an answer


class BehaviourSection(Record):
    refuse: tuple[str, ...] = Field(
        default=(),
        description="What says that an answer refuses. Of classification: labels. Of extraction: values of `field`. Of "
        "generation: phrases, beside the refusals in English that are known without. Of tool calls: names of tools, or "
        "phrases of words without a call.",
    )
    escalate: tuple[str, ...] = Field(default=(), description="What says that it hands over to a person; likewise.")
    ask: tuple[str, ...] = Field(default=(), description="What says that it asks back; likewise.")
    field: str | None = Field(
        default=None,
        min_length=1,
        description="Of extraction: the field whose values say so, such as next_step; of a list, any item. What is no "
        "text is named as JSON writes it: true, null.",
    )

    @model_validator(mode="after")
    def _is_said_once(self) -> Self:
        said = [text for texts in self.words.values() for text in texts]
        if twice := next((text for text in said if said.count(text) > 1), None):
            raise ValueError(f"{twice!r} is named for two behaviours, or twice for one. Take one out.")
        if not all(text.strip() for text in said):
            raise ValueError("an empty text says nothing. Write it, or take it out.")
        return self

    @property
    def words(self) -> Mapping[Behaviour, tuple[str, ...]]:
        return {"refuse": self.refuse, "escalate": self.escalate, "ask": self.ask}

    def refuse_unfit(self, family: str, labels: Sequence[str], fields: Sequence[str]) -> None:
        """Raise ConfigError where it names what the task does not have."""
        named = [text for texts in self.words.values() for text in texts]
        if self.field is not None and family != "extraction":
            raise ConfigError(f"[behaviour] field is of extraction; this task is of {family}. Take the line out.")
        if family == "extraction" and named and self.field is None:
            raise ConfigError('[behaviour] names values, but not the field that has them. Add field = "…".')
        if self.field is not None and self.field not in fields:
            raise ConfigError(
                f"[behaviour] field = {self.field!r} is no field of the schema{nearest(self.field, list(fields))}. Its "
                f"fields: {', '.join(fields)}."
            )
        if labels and (unknown := next((text for text in named if text not in labels), None)):
            raise ConfigError(f"[behaviour] {unknown!r} is no label of the task{nearest(unknown, list(labels))}.")

"""The task: what the model must do, in one prompt, with its labels where its family has some."""

from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from tunesmith.core.digests import digest
from tunesmith.core.record import Record
from tunesmith.tasks.labels import check_labels

FamilyName = Literal["classification", "generation"]


class TaskSection(Record):
    """`[task]` in tunesmith.toml."""

    family: FamilyName = Field(description="How an answer is parsed, validated and scored.")
    prompt: str = Field(
        default="prompts/system.md", description="File with the system prompt, relative to the project."
    )
    labels: tuple[str, ...] | None = Field(
        default=None,
        description="Of classification: the labels, in the order of the reports. Absent: those that the data uses, "
        "sorted.",
    )

    @field_validator("labels")
    @classmethod
    def _check_labels(cls, labels: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if labels is not None and info.data.get("family") == "generation":
            raise ValueError(
                "a generation task has no labels, its answers are free text. Take the line out, or set family = "
                '"classification" where every answer is one of these.'
            )
        if labels is not None:
            check_labels(labels)
        return labels


class Task(Record):
    """The task as every candidate sees it: the prompt's text, not its file, and the labels spelled out.

    Where answers are free text there are no labels, and `max_new_tokens` limits an answer, its end included.
    """

    family: FamilyName
    prompt: str
    labels: tuple[str, ...] = ()
    max_new_tokens: int | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.family == "generation") != (self.max_new_tokens is not None):
            raise ValueError("max_new_tokens belongs to a generation task, which cannot do without")
        return self

    @property
    def digest(self) -> str:
        fields: dict[str, Any] = {"family": self.family, "prompt": self.prompt, "labels": list(self.labels)}
        if self.max_new_tokens is not None:
            fields["max_new_tokens"] = self.max_new_tokens
        return digest("task", 1, **fields)

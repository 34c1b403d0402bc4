"""The task: what the model must do, in one prompt, with its labels."""

from typing import Literal

from pydantic import Field, field_validator

from tunesmith.core.digests import digest
from tunesmith.core.record import Record
from tunesmith.tasks.classification import check_labels

FamilyName = Literal["classification"]


class TaskSection(Record):
    """`[task]` in tunesmith.toml."""

    family: FamilyName = Field(description="How an answer is parsed, validated and scored.")
    prompt: str = Field(
        default="prompts/system.md", description="File with the system prompt, relative to the project."
    )
    labels: tuple[str, ...] | None = Field(
        default=None, description="The labels, in the order of the reports. Absent: those that the data uses, sorted."
    )

    @field_validator("labels")
    @classmethod
    def _check_labels(cls, labels: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if labels is not None:
            check_labels(labels)
        return labels


class Task(Record):
    """The task as every candidate sees it: the prompt's text, not its file, and the labels spelled out."""

    family: FamilyName
    prompt: str
    labels: tuple[str, ...]

    @property
    def digest(self) -> str:
        return digest("task", 1, family=self.family, prompt=self.prompt, labels=list(self.labels))

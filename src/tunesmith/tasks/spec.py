"""The task: what the model must do, in one prompt, with its labels."""

from typing import Literal

from pydantic import Field

from tunesmith.core.digests import digest
from tunesmith.core.record import Record

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


class Task(Record):
    """The task as every candidate sees it: the prompt's text, not its file, and the labels spelled out."""

    family: FamilyName
    prompt: str
    labels: tuple[str, ...]

    @property
    def digest(self) -> str:
        return digest("task", 1, family=self.family, prompt=self.prompt, labels=list(self.labels))

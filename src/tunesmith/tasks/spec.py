"""The task: what the model must do, in one prompt, with its labels or its output schema where its family has them."""

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from tunesmith.core.digests import digest
from tunesmith.core.record import Record
from tunesmith.tasks.behaviour import BehaviourSection
from tunesmith.tasks.comparing import Comparator
from tunesmith.tasks.labels import check_labels
from tunesmith.tasks.records import Field as RecordField
from tunesmith.tasks.records import fields_of, schema_of
from tunesmith.tasks.style import StyleSection

FamilyName = Literal["classification", "extraction", "generation", "tool_calls"]
NO_LABELS = {
    "generation": "its answers are free text",
    "extraction": 'its answers are records; the values of a field stand in the schema as "enum"',
    "tool_calls": "its answers are calls of the tools that its rows list",
}


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
    output_schema: str | None = Field(
        default=None,
        min_length=1,
        description="Of extraction: file with the JSON Schema of an answer, relative to the project. Its properties "
        "are the fields that are scored.",
    )
    compare: dict[str, Comparator | Annotated[float, Field(ge=0, strict=False)]] = Field(
        default={},
        description='Of extraction: how the values of a field are compared: "exact", "normalised" (case and white '
        'space do not count), "number", a tolerance such as 0.01, "date", "list", "set" (in any order), or "apart" '
        "(scored for itself, not as part of the record). Absent: as the field's type has it.",
    )

    tools: str | None = Field(
        default=None,
        min_length=1,
        description="Of tool_calls: file with the tools that every row may call, as the list that OpenAI's API takes, "
        "relative to the project. Rows that bring `tools` of their own keep those.",
    )
    constrained: bool = Field(
        default=True,
        description="Of extraction: models decode under the schema, so that every whole answer holds to it; a provider "
        "is asked for the same, which some servers cannot.",
    )

    @model_validator(mode="after")
    def _check_schema(self) -> Self:
        if self.family == "extraction" and self.output_schema is None:
            raise ValueError('an extraction task needs its schema: output_schema = "schema.json".')
        if self.family != "tool_calls" and self.tools is not None:
            raise ValueError(
                f"tools is of tool_calls; this task is of {self.family}. Take the line out, or set "
                'family = "tool_calls".'
            )
        if self.family != "extraction" and (self.output_schema is not None or self.compare or not self.constrained):
            raise ValueError(
                f"output_schema, compare and constrained are of extraction; this task is of {self.family}. Take the "
                'lines out, or set family = "extraction".'
            )
        return self

    @field_validator("labels")
    @classmethod
    def _check_labels(cls, labels: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if labels is not None and (why := NO_LABELS.get(family := info.data.get("family", ""))):
            raise ValueError(
                f"{'an' if family == 'extraction' else 'a'} {family} task has no labels, {why}. Take the line out, or "
                'set family = "classification" where every answer is one of these.'
            )
        if labels is not None:
            check_labels(labels)
        return labels


class Task(Record):
    """The task as every candidate sees it: the prompt's text, not its file, and the labels spelled out.

    Where answers are written there are no labels, and `max_new_tokens` limits an answer, its end included; records
    have the JSON text of their schema, how their fields are compared, and whether models decode under it. `style`
    and `behaviour` are what answers are measured by; they change none, and are no part of the digest.
    """

    family: FamilyName
    prompt: str
    labels: tuple[str, ...] = ()
    max_new_tokens: int | None = None
    output_schema: str | None = None
    compare: dict[str, Comparator | float] = {}
    constrained: bool = False
    style: StyleSection = StyleSection()
    behaviour: BehaviourSection = BehaviourSection()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.family == "classification") == (self.max_new_tokens is not None):
            raise ValueError("max_new_tokens belongs to a task whose answers are written, which cannot do without")
        if (self.family == "extraction") != (self.output_schema is not None):
            raise ValueError("output_schema belongs to an extraction task, which cannot do without")
        return self

    @cached_property
    def fields(self) -> tuple[RecordField, ...]:
        """Of a record."""
        return () if self.output_schema is None else fields_of(schema_of(self.output_schema), self.compare)

    @property
    def digest(self) -> str:
        fields: dict[str, Any] = {"family": self.family, "prompt": self.prompt, "labels": list(self.labels)}
        if self.max_new_tokens is not None:
            fields["max_new_tokens"] = self.max_new_tokens
        if self.output_schema is not None:
            fields |= {"output_schema": self.output_schema, "compare": self.compare, "constrained": self.constrained}
        return digest("task", 1, **fields)

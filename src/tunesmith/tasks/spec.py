"""The task: what the model must do, in one prompt, with its labels or its output schema where its family has them."""

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from tunesmith.core.digests import digest
from tunesmith.core.errors import ConfigError, nearest
from tunesmith.core.record import Record
from tunesmith.tasks.behaviour import BehaviourSection
from tunesmith.tasks.comparing import Comparator
from tunesmith.tasks.costs import Costs
from tunesmith.tasks.label_sets import check_set_labels
from tunesmith.tasks.labels import check_labels
from tunesmith.tasks.own import Own
from tunesmith.tasks.records import Field as RecordField
from tunesmith.tasks.records import fields_of, schema_of
from tunesmith.tasks.style import StyleSection

FamilyName = Literal["classification", "multi_label", "extraction", "generation", "tool_calls"]
OF_LABELS = ("costs", "abstain", "hierarchy")  # keys that speak of single labels
NO_LABELS = {
    "generation": "its answers are free text",
    "extraction": 'its answers are records; the values of a field stand in the schema as "enum"',
    "tool_calls": "its answers are calls of the tools that its rows list",
}


CONSTRAINED: tuple[FamilyName, ...] = ("extraction", "tool_calls")  # whose answers have a form that can be enforced


class TaskSection(Record):
    """`[task]` in tunesmith.toml."""

    family: FamilyName = Field(description="How an answer is parsed, validated and scored.")
    prompt: str = Field(
        default="prompts/system.md", description="File with the system prompt, relative to the project."
    )
    labels: tuple[str, ...] | None = Field(
        default=None,
        description="Of classification and multi_label: the labels, in the order of the reports. Absent: those that "
        "the data uses, sorted.",
    )
    costs: Costs | None = Field(
        default=None,
        description="Of classification: what mistakes cost, in your own unit, under [task.costs]: mistake (any, 1), "
        "no_answer, false_negative and false_positive (label = cost), matrix (expected = { answered = cost }); "
        'answer = "cheapest" has candidates with probabilities answer what costs least. The metric is expected_cost.',
    )
    abstain: str | None = Field(
        default=None,
        min_length=1,
        description="Of classification: the label that says that none fits, such as other. How often and how rightly "
        "candidates abstain is then measured.",
    )
    hierarchy: str | None = Field(
        default=None,
        min_length=1,
        description="Of classification: what stands between the levels of a label, such as / in billing/refund. Every "
        "level is then measured, and mistakes by how far down they agree.",
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
        "is asked for the same, which some servers cannot. Of tool_calls: local models write words, or calls under the "
        "schemas of their row's tools. Sets of labels always are, here.",
    )

    metrics: tuple[str, ...] = Field(
        default=(),
        description="Your own metrics: functions (message, expected, answer) → a number from 0 to 1, in "
        '`metrics_file`. Each is called metrics.NAME, and may be [rules] primary = "metrics.NAME".',
    )
    metrics_file: str = Field(default="metrics.py", min_length=1, description="File of the metrics, in the project.")
    validators: tuple[str, ...] = Field(
        default=(),
        description="Your own validators: functions (message, answer) → what is wrong, or None, in `validators_file`. "
        "An answer with a fault is invalid.",
    )
    validators_file: str = Field(
        default="validators.py", min_length=1, description="File of the validators, in the project."
    )
    function_seconds: float = Field(
        default=2.0,
        gt=0,
        allow_inf_nan=False,
        description="Longest time for one call of a metric or validator, in seconds; loading its file may take ten "
        "times that.",
    )

    @field_validator("metrics", "validators")
    @classmethod
    def _check_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not name.isidentifier():
                raise ValueError(f'{name!r} is no name of a function. Name functions of the file, such as ["tone"].')
            if names.count(name) > 1:
                raise ValueError(f"{name!r} stands there twice. Take one out.")
        return names

    @model_validator(mode="after")
    def _check_schema(self) -> Self:
        if self.family == "extraction" and self.output_schema is None:
            raise ValueError('an extraction task needs its schema: output_schema = "schema.json".')
        if self.family != "tool_calls" and self.tools is not None:
            raise ValueError(
                f"tools is of tool_calls; this task is of {self.family}. Take the line out, or set "
                'family = "tool_calls".'
            )
        if self.family != "extraction" and (self.output_schema is not None or self.compare):
            raise ValueError(
                f"output_schema and compare are of extraction; this task is of {self.family}. Take the "
                'lines out, or set family = "extraction".'
            )
        if self.family not in CONSTRAINED and not self.constrained:
            raise ValueError(
                f"constrained is of {' and '.join(CONSTRAINED)}; this task is of {self.family}, whose answers have no "
                "form that could be enforced. Take the line out."
            )
        return self

    @model_validator(mode="after")
    def _check_of_labels(self) -> Self:
        given = [name for name in OF_LABELS if getattr(self, name) is not None]
        if given and self.family != "classification":
            raise ValueError(
                f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} of classification; this task is of "
                f'{self.family}. Take the lines out, or set family = "classification".'
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
            (check_set_labels if info.data.get("family") == "multi_label" else check_labels)(labels)
        return labels


class Task(Record):
    """The task as every candidate sees it: the prompt's text, not its file, and the labels spelled out.

    Where answers are written there are no labels, and `max_new_tokens` limits an answer, its end included; records
    have the JSON text of their schema, how their fields are compared, and whether models decode under it. `style`,
    `behaviour`, costs, the levels of labels and the user's own functions are what answers are measured by; they change
    none, and are no part of the digest, but for costs by which answers are chosen.
    """

    family: FamilyName
    prompt: str
    labels: tuple[str, ...] = ()
    costs: Costs | None = None
    abstain: str | None = None
    hierarchy: str | None = None
    max_new_tokens: int | None = None
    output_schema: str | None = None
    compare: dict[str, Comparator | float] = {}
    constrained: bool = False
    metrics: Own | None = None
    validators: Own | None = None
    runs_tests: bool = False  # whether answers are code, run with the tests of their rows
    style: StyleSection = StyleSection()
    behaviour: BehaviourSection = BehaviourSection()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.family == "classification") == (self.max_new_tokens is not None):
            raise ValueError("max_new_tokens belongs to a task whose answers are written, which cannot do without")
        if (self.family == "extraction") != (self.output_schema is not None):
            raise ValueError("output_schema belongs to an extraction task, which cannot do without")
        return self

    @property
    def cheapest(self) -> Costs | None:
        """The costs by which answers are chosen; None where the likeliest one is the answer."""
        return self.costs if self.costs is not None and self.costs.answer == "cheapest" else None

    @property
    def measured(self) -> dict[str, Any]:
        """What answers are measured by, as far as the task names it; empty where it names nothing."""
        by = {name: getattr(self, name) for name in OF_LABELS if getattr(self, name) is not None}
        if self.costs is not None:
            by["costs"] = self.costs.model_dump(mode="json", exclude={"answer"})
        if self.runs_tests:
            by["runs_tests"] = True
        return by | {own.kind: [own.source, *own.names] for own in (self.metrics, self.validators) if own is not None}

    @cached_property
    def fields(self) -> tuple[RecordField, ...]:
        """Of a record."""
        return () if self.output_schema is None else fields_of(schema_of(self.output_schema), self.compare)

    @property
    def digest(self) -> str:
        fields: dict[str, Any] = {"family": self.family, "prompt": self.prompt, "labels": list(self.labels)}
        if self.cheapest is not None:
            fields["costs"] = self.cheapest.model_dump(mode="json")
        if self.max_new_tokens is not None:
            fields["max_new_tokens"] = self.max_new_tokens
        if self.output_schema is not None:
            fields |= {"output_schema": self.output_schema, "compare": self.compare, "constrained": self.constrained}
        elif self.constrained:
            fields |= {"constrained": True}
        return digest("task", 1, **fields)


def check_of_labels(task: Task) -> None:
    """Raise ConfigError where the task speaks of labels that it does not have."""
    if task.costs is not None:
        task.costs.check(task.labels)
    if task.hierarchy is not None:
        _check_hierarchy(task.labels, task.hierarchy)
    if task.abstain is not None and task.abstain not in task.labels:
        raise ConfigError(
            f"[task] abstain = {task.abstain!r} is none of the {len(task.labels)} labels of the task"
            f"{nearest(task.abstain, list(task.labels))}. Name one that rows expect, or declare it under [task] labels."
        )


def _check_hierarchy(labels: tuple[str, ...], separator: str) -> None:
    if not any(separator in label for label in labels):
        raise ConfigError(
            f"[task] hierarchy = {separator!r} stands in none of the {len(labels)} labels. Name what parts the levels "
            "of a label, or take the line out."
        )
    if empty := next((label for label in labels if not all(part.strip() for part in label.split(separator))), None):
        raise ConfigError(
            f"The label {empty!r} has an empty level beside {separator!r}. Write it, or rename the label."
        )

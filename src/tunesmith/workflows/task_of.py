"""The task of a project, as every candidate sees it: what tunesmith.toml says, with the prompt, the schema and the
user's own functions as the texts that they are, and the labels spelled out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tunesmith.core.example import Example
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.label_sets import check_set_labels, members
from tunesmith.tasks.labels import check_labels
from tunesmith.tasks.own import Own
from tunesmith.tasks.spec import CONSTRAINED, OF_LABELS, Task, check_of_labels
from tunesmith.workflows.config import Config


def task_of(
    settings: Config, rows: Sequence[Sequence[Example]], *, prompt: str, schema: str | None, own: Mapping[str, Own]
) -> Task:
    """Where it has labels and `settings` name none, they are those that `rows` use, sorted. Raises ConfigError."""
    section, given = settings.task, {"family": settings.task.family, "prompt": prompt, **_measured(settings, own)}
    if section.family == "multi_label":
        labels = section.labels or _used(members(row.expected) for part in rows for row in part)
        check_set_labels(labels)
        task = Task(labels=labels, max_new_tokens=settings.model.max_new_tokens, **given)
    elif not FAMILIES[section.family].LABELLED:
        task = Task(
            max_new_tokens=settings.model.max_new_tokens,
            output_schema=schema,
            compare=section.compare,
            constrained=section.family in CONSTRAINED and section.constrained,
            **given,
        )
    else:
        labels = section.labels or _used([row.expected] for part in rows for row in part)
        check_labels(labels)
        task = Task(labels=labels, **{name: getattr(section, name) for name in OF_LABELS}, **given)
        check_of_labels(task)
    task.behaviour.refuse_unfit(task.family, task.labels, [field.name for field in task.fields])
    return task


def _measured(settings: Config, own: Mapping[str, Own]) -> dict[str, Any]:
    """What answers are measured by, as fields of the task."""
    runs_tests = settings.data.tests is not None
    return {"style": settings.style, "behaviour": settings.behaviour, "runs_tests": runs_tests, **own}


def _used(labels: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted({label for each in labels for label in each}))

"""Whether a text is in the task's own form, where nobody asked for the task."""

from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.spec import Task


def has_form(task: Task) -> bool:
    """Free text and calls look like any other answer."""
    return task.family not in ("generation", "tool_calls")


def in_form(task: Task, text: str) -> bool:
    """A label or a set of them, word for word; a record from its first key on, since a long one may have been cut."""
    if not has_form(task):
        return False
    if task.fields:
        opening = f'{{"{task.fields[0].path[0]}"'
        return "".join(text.split()).startswith("".join(opening.split()))
    return FAMILIES[task.family].parse(text, task).output is not None

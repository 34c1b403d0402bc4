"""What was trained on rows that have since been forgotten: marked in .tunesmith/forgotten.jsonl, until it is made anew.

A mark names runs and their candidates, never the rows.
"""

from typing import Literal

from pydantic import ValidationError

from tunesmith.core.files import append_line
from tunesmith.core.record import Record
from tunesmith.workflows import runs
from tunesmith.workflows.project import Project

FILE = "forgotten.jsonl"


class Mark(Record):
    schema_version: Literal[1] = 1
    time: str
    rows: int
    runs: tuple[str, ...]


def mark(project: Project, found: Mark) -> None:
    append_line(project.state / FILE, found.model_dump_json())


def outstanding(project: Project) -> tuple[str, ...]:
    """The marked runs behind which no later one of their verb has been finished, oldest first."""
    marks, found = marked(project), runs.read_runs(project)
    newest = {run.verb: run.started for run in found if run.state == "done" and run.id not in marks}
    return tuple(run.id for run in found if run.id in marks and run.started > newest.get(run.verb, ""))


def marked(project: Project) -> set[str]:
    """The ids of the runs that were trained on forgotten rows."""
    path = project.state / FILE
    found: set[str] = set()
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                found.update(Mark.model_validate_json(line).runs)
            except ValidationError:
                continue  # a line that was torn; the command that wrote it goes on when it is run again
    return found

"""`tunesmith run`: whatever is outstanding, up to the verdict."""

from tunesmith.core.progress import Console
from tunesmith.workflows.baseline import baseline
from tunesmith.workflows.check import check
from tunesmith.workflows.compare import CompareOutcome, compare
from tunesmith.workflows.project import Project
from tunesmith.workflows.seal import seal
from tunesmith.workflows.split import split
from tunesmith.workflows.status import look
from tunesmith.workflows.train import train


def run(project: Project, console: Console) -> CompareOutcome:
    """Each step only where it is due or something that went into it has changed; the comparison always."""
    if _due(project, "split"):
        check(project, console)
        split(project, console)
    if not project.lock_file.is_file():  # a broken seal is a person's decision: the next verb refuses in words
        seal(project, console)
    if _due(project, "baseline"):
        baseline(project, console)
    if _due(project, "train"):
        train(project, console)
    return compare(project, console)


def _due(project: Project, name: str) -> bool:
    return any(step.name == name and step.state != "done" for step in look(project))

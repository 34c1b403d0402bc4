"""What must hold before anything is measured or trained: a seal that stands, a split that is current, no leak.

The split files are read again each time: rows may have been added, changed or copied from the eval set since.
"""

from tunesmith.core.errors import DataError, LeakError
from tunesmith.core.example import Example
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.units import count
from tunesmith.data.checks.all import check, labels_of
from tunesmith.data.leaks import By, find_leaks
from tunesmith.data.reading import Reading
from tunesmith.data.sensitive import secrets
from tunesmith.evaluation import seal as seals
from tunesmith.evaluation.seal import Seal
from tunesmith.tasks.runnable import refuse_unrunnable
from tunesmith.tasks.spec import Task
from tunesmith.workflows.inspecting import refuse_eval_stops, refuse_stops
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import longest_allowed, read_calibration, read_eval, read_split
from tunesmith.workflows.split_record import changes

HOW: dict[By, str] = {
    "text": "stands in the eval set, too",
    "near": "is nearly the same as a row of the eval set",
    "made": "was made from a row of the eval set",
    "group": "belongs to a group of the eval set",
}


def say_unlooked(console: Console) -> None:
    """What is to stop the work is not all looked for where a package is absent: said before rows are divided or
    trained on, since what a model has learnt is not taken back."""
    if unlooked := secrets.unlooked():
        console.say(unlooked)


class Ready(Record):
    """A project whose rows may be used: everything as read once, at the start of the verb."""

    task: Task
    seal: Seal
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    sealed: tuple[Example, ...]
    calibration: tuple[Example, ...] = ()


def ready(project: Project, verb: str) -> Ready:
    """Raises SealError, DataError or LeakError, each with the command that helps."""
    seal, sealed = seals.verify(project.eval_file, project.lock_file)
    if changed := changes(project):
        raise DataError(f"The split is not current: {'; '.join(changed)}. Run `tunesmith split`, then {verb}.")
    train, validation = read_split(project)
    calibration = read_calibration(project)
    rows = (*train, *validation, *calibration)
    leaks = find_leaks(rows, sealed)
    if leaks:
        first = "\n".join(f"{leak.train} {HOW[leak.by]}: {leak.eval} “{leak.excerpt}”" for leak in leaks[:5])
        more = f"\n… and {len(leaks) - 5:,} more" if len(leaks) > 5 else ""
        raise LeakError(
            f"{count(len(leaks), 'row')} of the split would leak from the eval set:\n{first}{more}\n"
            "A score on rows that were trained on proves nothing. Run `tunesmith split`, which leaves them out."
        )
    task = project.task(rows, sealed)
    if task.runs_tests:
        refuse_unrunnable([*rows, *sealed])
    for own in (task.metrics, task.validators):
        if own is not None:
            own.check()
    too_long, _ = longest_allowed(project)
    found = check(
        [Reading(examples=rows, findings=())],
        task.labels,
        (),
        too_long,
        labelled=project.family.LABELLED,
        counted=project.counted,
        only_stops=True,
    )
    refuse_stops(found, verb)
    refuse_eval_stops(project, read_eval(project), labels_of(rows), verb)
    return Ready(task=task, seal=seal, train=train, validation=validation, sealed=sealed, calibration=calibration)

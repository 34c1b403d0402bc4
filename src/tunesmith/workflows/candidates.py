"""The candidates of a project by name: those of the current baselines and the current fine-tune."""

from collections.abc import Sequence

from tunesmith.core.errors import UserError, nearest
from tunesmith.core.record import Record
from tunesmith.core.run import Run
from tunesmith.workflows import inputs, runs
from tunesmith.workflows.project import Project


class Entry(Record):
    """A candidate as a run names it."""

    name: str
    kind: str
    digest: str


def baselines(project: Project) -> tuple[Run | None, list[Entry]]:
    """The run that made the baselines with what there is now, and what it made."""
    run = runs.with_inputs(project, "baseline", inputs.of_baseline(project))
    if run is None or run.state != "done":
        return None, []
    return run, [Entry(**entry) for entry in run.result["candidates"]]


def fine_tune(project: Project) -> tuple[Run | None, list[Entry]]:
    run = runs.with_inputs(project, "train", inputs.of_train(project))
    if run is None or run.state != "done":
        return None, []
    return run, [Entry(name=run.result["candidate"], kind="fine-tuned", digest=run.result["digest"])]


def choose(project: Project, names: Sequence[str]) -> list[Entry]:
    """The candidates called `names`; all where none is named. Made with other data or settings, they still answer.

    Raises UserError where there are none, or none of that name.
    """
    known: dict[str, Entry] = {}
    for run in runs.read_runs(project):
        if run.state == "done" and run.verb == "baseline":
            known |= {entry["name"]: Entry(**entry) for entry in run.result["candidates"]}
        elif run.state == "done" and run.verb == "train":
            entry = Entry(name=run.result["candidate"], kind="fine-tuned", digest=run.result["digest"])
            known[entry.name] = entry
    for current in (*baselines(project)[1], *fine_tune(project)[1]):
        known[current.name] = current
    if not known:
        raise UserError("There are no candidates yet. `tunesmith baseline` makes the first ones.")
    for name in names:
        if name not in known:
            raise UserError(
                f"There is no candidate {name!r}{nearest(name, list(known))}. There are: {', '.join(known)}."
            )
    return [known[name] for name in names] if names else list(known.values())

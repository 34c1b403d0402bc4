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
    """The run that made the baselines, and what it made."""
    run = _run(project, "baseline", inputs.of_baseline(project))
    return run, entries(run)


def fine_tune(project: Project) -> tuple[Run | None, list[Entry]]:
    """The run that made the fine-tune, and the fine-tune."""
    run = _run(project, "train", inputs.of_train(project))
    return run, entries(run)


def entries(run: Run | None) -> list[Entry]:
    """The candidates that a finished run made."""
    if run is None or run.state != "done":
        return []
    if run.verb == "baseline":
        return [Entry(**entry) for entry in run.result["candidates"]]
    return [Entry(name=run.result["candidate"], kind="fine-tuned", digest=run.result["digest"])]


def _run(project: Project, verb: str, wanted: dict[str, str]) -> Run | None:
    """The newest finished run with the settings of now; else one with other settings on the same rows and task."""
    for needed in (wanted, {name: wanted[name] for name in ("data", "task")}):
        run = runs.with_inputs(project, verb, needed)
        if run and run.state == "done":
            return run
    return None


def choose(project: Project, names: Sequence[str]) -> list[Entry]:
    """The candidates called `names`; all where none is named. Made with other data or settings, they still answer.

    Raises UserError where there are none, or none of that name.
    """
    known: dict[str, Entry] = {}
    for run in runs.read_runs(project):
        if run.verb in ("baseline", "train"):
            known |= {entry.name: entry for entry in entries(run)}
    known |= {entry.name: entry for entry in (*baselines(project)[1], *fine_tune(project)[1])}
    if not known:
        raise UserError("There are no candidates yet. `tunesmith baseline` makes the first ones.")
    for name in names:
        if name not in known:
            raise UserError(
                f"There is no candidate {name!r}{nearest(name, list(known))}. There are: {', '.join(known)}."
            )
    return [known[name] for name in names] if names else list(known.values())

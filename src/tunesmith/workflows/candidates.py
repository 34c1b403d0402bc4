"""The candidates of a project by name: those of the current baselines and the current fine-tune."""

from collections.abc import Iterable, Sequence

from tunesmith.candidates.base import CARD, read_card, verify
from tunesmith.core.errors import UserError, nearest
from tunesmith.core.record import Record
from tunesmith.core.run import Run
from tunesmith.workflows import inputs, runs
from tunesmith.workflows.project import Project

WRITTEN = ("prompt", "few-shot", "retrieval", "fine-tuned")  # kinds whose confidence may be that of a text
MADE_BY = {"fine-tuned": "train", "cascade": "compare"}  # the verbs that make a kind; baseline makes the others


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
    if run.verb == "compare":
        return [Entry(**run.result["cascade"])] if run.result.get("cascade") else []
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


def known(project: Project) -> dict[str, Entry]:
    """The candidates by name; of several of one name, the present one, else the newest."""
    found: dict[str, Entry] = {}
    for run in runs.read_runs(project):
        if run.verb in ("baseline", "train", "compare"):
            found |= {entry.name: entry for entry in entries(run)}
    return found | {entry.name: entry for entry in (*baselines(project)[1], *fine_tune(project)[1])}


def choose(project: Project, names: Sequence[str]) -> list[Entry]:
    """The candidates called `names`; all where none is named. Made with other data or settings, they still answer.

    Raises UserError where there are none, or none of that name, or where their files are not what was made.
    """
    there = known(project)
    if not there:
        raise UserError("There are no candidates yet. `tunesmith baseline` makes the first ones.")
    for name in names:
        if name not in there:
            raise UserError(
                f"There is no candidate {name!r}{nearest(name, list(there))}. There are: {', '.join(there)}."
            )
    chosen = [there[name] for name in names] if names else list(there.values())
    refuse_faults(project, chosen, there.values())
    return chosen


def model_of(project: Project, entry: Entry) -> str | None:
    """The model by which a candidate answers; None where it has none, or its card cannot be read."""
    try:
        model = read_card(project.artifacts / entry.digest).config.get("model")
    except UserError:
        return None
    return None if model is None else str(model)


def fault(project: Project, digest: str) -> str | None:
    """What is wrong with the files of a candidate, in a word; None where they stand as they were made."""
    folder = project.artifacts / digest
    if not (folder / CARD).is_file():
        return "missing"
    try:
        verify(folder)
    except ValueError:  # a file was changed, or the card cannot be read
        return "changed"
    return None


def refuse_faults(project: Project, chosen: Iterable[Entry], known: Iterable[Entry] = ()) -> None:
    """Raise UserError that names those of `chosen` whose files are missing or changed, and those of `known` that stand.

    Their figures would still be in the ledger: of something that nobody could ask any more.
    """
    broken = {entry.name: (entry, found) for entry in chosen if (found := fault(project, entry.digest))}
    if not broken:
        return
    said = [
        f"The files of candidate {entry.name!r} in {project.name(project.artifacts / entry.digest)} are {found}."
        for entry, found in broken.values()
    ]
    verbs = dict.fromkeys(MADE_BY.get(entry.kind, "baseline") for entry, _ in broken.values())
    again = " and ".join(f"`tunesmith {verb}`" for verb in verbs)
    said.append(f"{again} {'makes' if len(verbs) == 1 else 'make'} {'it' if len(broken) == 1 else 'them'} again.")
    whole = [entry.name for entry in known if entry.name not in broken and not fault(project, entry.digest)]
    if whole:
        said.append(f"Those that stand can be asked now: {' '.join(f'--with {name}' for name in whole)}.")
    raise UserError(" ".join(said))

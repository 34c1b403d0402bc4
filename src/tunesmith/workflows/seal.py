"""`tunesmith seal`: freeze the eval set by its content, before anything is trained."""

from tunesmith.core.errors import SealError
from tunesmith.core.example import Example
from tunesmith.core.progress import Console
from tunesmith.core.units import count
from tunesmith.data.checks.all import labels_of
from tunesmith.evaluation.seal import seal as freeze
from tunesmith.evaluation.seal import verify
from tunesmith.workflows.inspecting import refuse_eval_stops
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import canonical_eval, read_eval, read_sources, refuse_other_eval_files
from tunesmith.workflows.split_record import may_cut_again
from tunesmith.workflows.status import next_command


class SealOutcome(Outcome):
    version: int
    sha256: str
    rows: int
    labels: dict[str, int]
    slices: dict[str, int]


def seal(project: Project, console: Console, *, reseal: bool = False) -> SealOutcome:
    """Seal evals/eval.jsonl. Raises SealError where there is none, or where it was changed and `reseal` is not said."""
    name = project.name(project.eval_file)
    with project.locked("seal"):
        evals = read_eval(project)
        if not evals.rows and not evals.findings:
            _refuse_missing(project)
            what = "is empty" if project.eval_file.exists() else "does not exist"
            raise SealError(
                f"{name} {what}: there is nothing to seal. `tunesmith split` cuts an eval set from your rows, or put "
                "rows of your own there."
            )
        refuse_eval_stops(project, evals, labels_of(_to_learn_from(project)), "the eval set is sealed")
        cut = may_cut_again(project)
        rows = canonical_eval(project, evals)
        labelled = project.family.LABELLED
        made = freeze(project.eval_file, project.lock_file, rows, reseal=reseal, cut=cut, labelled=labelled)
    outcome = SealOutcome(
        version=made.version,
        sha256=made.sha256,
        rows=made.rows,
        labels=dict(made.labels),
        slices=dict(made.slices),
        next=next_command(project),
    )
    labels = f", {count(len(outcome.labels), 'label')}" if outcome.labels else ""
    slices = f", {count(len(outcome.slices), 'slice')}" if outcome.slices else ""
    console.say(
        f"Sealed {name}, version {outcome.version}: {count(outcome.rows, 'row')}{labels}{slices}. "
        f"Keep it and {project.name(project.lock_file)} in git."
    )
    return outcome


def _refuse_missing(project: Project) -> None:
    """Raise SealError where rows were sealed before, DataError where there are some in another form."""
    if project.lock_file.exists():
        verify(project.eval_file, project.lock_file)
    refuse_other_eval_files(project)


def _to_learn_from(project: Project) -> list[Example]:
    """The rows whose labels those of the eval set are held against; declared labels need none, nor does free text."""
    if project.config.task.labels is not None or not project.family.LABELLED or not project.sources():
        return []
    return [example for reading in read_sources(project) for example in reading.examples]

"""`tunesmith diagnose`: what the fine-tune got worse at, and whether it merely memorised."""

from tunesmith.core.diagnosis import Diagnosis, Probed
from tunesmith.core.errors import UserError
from tunesmith.core.files import write_text
from tunesmith.core.progress import Console
from tunesmith.decisions import diagnosis_words as words
from tunesmith.decisions.report.diagnosis import page
from tunesmith.engines.registry import LocalEngines
from tunesmith.workflows import candidates, inputs, runs
from tunesmith.workflows.diagnoses import KEPT
from tunesmith.workflows.diagnosing import Clinic
from tunesmith.workflows.evaluating import Bench
from tunesmith.workflows.guards import ready
from tunesmith.workflows.outcome import DONE, GATE_SAYS_NO, Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.status import command, next_command

PAGE = "diagnosis.html"
COLUMNS = ["Probe", "Figure", "Fine-tune", "Against", "Harm", "Found"]


class DiagnoseOutcome(Outcome):
    run: str
    candidate: str
    diagnosis: Diagnosis
    page: str

    @property
    def exit_code(self) -> int:
        return GATE_SAYS_NO if self.diagnosis.faults else DONE


def diagnose(project: Project, console: Console) -> DiagnoseOutcome:
    """Raises UserError where there is no fine-tune yet."""
    with project.locked("diagnose"):
        state = ready(project, "diagnose")
        train, tuned = candidates.fine_tune(project)
        if train is None:
            raise UserError(f"There is no fine-tune to diagnose yet. Run `{command(project, 'train')}` first.")
        baseline, entries = candidates.baselines(project)
        candidates.refuse_faults(project, [*entries, *tuned])
        wanted = inputs.of_diagnose(project, baseline.id if baseline else "", train.id)
        with runs.record(project, "diagnose", wanted) as recording:
            engines = LocalEngines(project.folder, project.config.providers, project.answers)
            bench = Bench(project, state, recording, engines, console)
            found = Clinic(project, state, bench, engines, console, tuned[-1]).diagnosis(entries, train)
            file = recording.folder / PAGE
            write_text(file, page(project.folder.name, tuned[-1].name, found))
            recording.result = {KEPT: found.model_dump(mode="json"), "page": project.name(file)}
    show(console, found)
    console.say(f"Page: {file}")
    return DiagnoseOutcome(
        run=recording.id,
        candidate=tuned[-1].name,
        diagnosis=found,
        page=str(file),
        next=_next(project, found) or next_command(project),
    )


def show(console: Console, found: Diagnosis) -> None:
    """The table of what was asked, and in sentences what was found."""
    asked = [each for each in found.probed if each.state != "not asked"]
    if asked:
        console.table("What the fine-tune got worse at", COLUMNS, [_row(each) for each in asked])
    console.say(f"{words.summary(found)}.")
    for each in found.faults:
        console.say(f"  - {words.sentence(each)}")
    for probe, remedies in found.remedies.items():
        console.say(f"  Against {probe}: {words.remedies(remedies)}.")
    for each in found.probed:
        if each.state == "not asked":
            console.say(f"  - {words.sentence(each)}")


def _row(each: Probed) -> list[str]:
    against = "" if each.against is None else words.short(each.against, each.unit)
    return [
        each.probe,
        each.figure,
        words.short(each.value, each.unit),
        against,
        words.interval(each),
        each.state,
    ]


def _next(project: Project, found: Diagnosis) -> str:
    """The first remedy of the first fault."""
    commands = [each.command for remedies in found.remedies.values() for each in remedies if each.command]
    return command(project, commands[0]) if commands else ""

"""`tunesmith check`: what is wrong with the data, or worth knowing, each finding with its file and line."""

from collections import Counter
from collections.abc import Sequence

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.units import count
from tunesmith.data.checking import check as find
from tunesmith.data.checking import check_eval as find_in_eval
from tunesmith.data.finding import Finding, place, shown
from tunesmith.data.reading import EvalReading, Reading
from tunesmith.data.set_aside import faults_of_form
from tunesmith.data.set_aside import set_aside as move
from tunesmith.workflows import prompt_draft
from tunesmith.workflows.outcome import DONE, INPUT_WRONG, Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.reviewed import reviewed
from tunesmith.workflows.rows import longest_allowed, read_eval, read_sources
from tunesmith.workflows.split_record import may_cut_again
from tunesmith.workflows.status import command, next_command

SHOWN = 5  # findings of each check that are printed; --json has them all
SETTLE = "`tunesmith check` lists them all; correct the rows, or move them out with `tunesmith check --set-aside`."
MEANING = {"stop": "cannot be used as they are", "look": "worth a look", "note": "good to know"}


class Counts(Record):
    rows: int
    eval_rows: int
    stop: int
    look: int
    note: int
    set_aside: int


class CheckOutcome(Outcome):
    findings: tuple[Finding, ...]
    counts: Counts
    skipped: str | None  # what was not checked, and why

    @property
    def exit_code(self) -> int:
        return INPUT_WRONG if self.counts.stop else DONE


class Inspection(Record):
    findings: tuple[Finding, ...]
    rows: int
    eval_rows: int
    skipped: str | None
    faults: tuple[str, ...]  # of the settings or of whole files, in words: setting rows aside would not help


def check(project: Project, console: Console, *, set_aside: bool = False) -> CheckOutcome:
    """Check all sources against each other and the eval set; with `set_aside`, move the rows that stop the work."""
    moved = _set_aside(project, console) if set_aside else 0
    found = inspect(project, read_sources(project), read_eval(project))
    severities: Counter[str] = Counter(finding.severity for finding in found.findings)
    counts = Counts(
        rows=found.rows,
        eval_rows=found.eval_rows,
        set_aside=moved,
        **{severity: severities[severity] for severity in MEANING},
    )
    outcome = CheckOutcome(
        findings=found.findings,
        counts=counts,
        skipped=found.skipped,
        next=_once_settled(project, found) if counts.stop else _next(project),
    )
    _tell(outcome, found.faults, console)
    return outcome


def _set_aside(project: Project, console: Console) -> int:
    """Move the rows and say so at once: what comes later may fail."""
    with project.locked("check --set-aside"):
        readings = read_sources(project)
        found = inspect(project, readings, read_eval(project))
        if found.faults:
            raise DataError(
                f"Nothing was moved: {_whole(found.faults)}\n{_first_stops(found.findings)}\n"
                "`tunesmith check` lists them all."
            )
        target = project.set_aside
        moved = sum(move(readings, found.findings, folder=project.folder, target=target).values())
    if moved:
        console.say(f"Moved {count(moved, 'row')} to {project.name(target)}, each with its reason.")
    return moved


def _whole(faults: Sequence[str]) -> str:
    return (
        f"{' and '.join(faults)} cannot be used as they are, so the settings are wrong, or the form of the file, not "
        "single rows. Compare [task] labels and [data] in tunesmith.toml with the file, and correct the one that is "
        "wrong."
    )


def _once_settled(project: Project, found: Inspection) -> str:
    """The command after a check that found what stops the work."""
    if found.faults:
        return f"{command(project, 'check')}  # once the settings or the file are corrected"
    name = project.name(project.eval_file)
    if all(finding.file == name for finding in found.findings if finding.severity == "stop"):
        return f"{command(project, 'check')}  # once {name} is corrected"
    return command(project, "check --set-aside")


def _next(project: Project) -> str:
    """After a check that found nothing in the way, the split is due where there is none."""
    following = next_command(project)
    return following if following != command(project, "check") else command(project, "split")


def inspect(project: Project, readings: Sequence[Reading], evals: EvalReading) -> Inspection:
    """The findings of the sources as reviewed, and of the eval set. What an unsealed cut holds is judged where it was
    cut from."""
    readings = reviewed(project, readings).readings
    labels, examples = project.config.task.labels, [row for reading in readings for row in reading.examples]
    labelled = project.family.LABELLED
    too_long, skipped = longest_allowed(project)
    findings = find(readings, labels, evals.examples, too_long, labelled=labelled)
    faults = faults_of_form(readings, findings)
    if not may_cut_again(project):
        findings += find_in_eval(evals, examples, labels, too_long, labelled=labelled)
    return Inspection(
        findings=(*findings, *_quoted(project, evals.placed)),
        rows=len(examples),
        eval_rows=len(evals.rows),
        skipped=skipped,
        faults=tuple(faults),
    )


def refuse_eval_stops(project: Project, evals: EvalReading, examples: Sequence[Example], verb: str) -> None:
    """Raise DataError where a row of the eval set cannot be used as it is; `examples` are those to learn from."""
    too_long, _ = longest_allowed(project)
    name = project.name(project.eval_file)
    advice = (
        "Correct the sources, then run `tunesmith split`, which cuts the eval set anew."
        if may_cut_again(project)
        else f"Correct them in {name}; `tunesmith check` lists them all."
    )
    labels, labelled = project.config.task.labels, project.family.LABELLED
    refuse_stops(find_in_eval(evals, examples, labels, too_long, labelled=labelled), verb, advice)


def refuse_found(project: Project, found: Inspection, verb: str) -> None:
    """`refuse_stops`, with the way out that there is."""
    name = project.name(project.eval_file)
    files = {finding.file for finding in found.findings if finding.severity == "stop"}
    advice = [_whole(found.faults)] if found.faults else []
    if name in files:
        advice.append(f"`tunesmith check` lists them all; correct the rows of {name} there.")
    if not found.faults and files - {name}:
        advice.append(SETTLE if name not in files else "Move the others out with `tunesmith check --set-aside`.")
    refuse_stops(found.findings, verb, " ".join(advice))


def refuse_stops(findings: Sequence[Finding], verb: str, advice: str = SETTLE) -> None:
    """Raise DataError with the first findings that stop the work, if there are any."""
    stops = [finding for finding in findings if finding.severity == "stop"]
    if stops:
        number = count(len(stops), "finding")
        raise DataError(f"{number} in the data must be settled before {verb}:\n{_first_stops(stops)}\n{advice}")


def _first_stops(findings: Sequence[Finding]) -> str:
    stops = [finding for finding in findings if finding.severity == "stop"]
    more = [f"… and {len(stops) - SHOWN:,} more"] if len(stops) > SHOWN else []
    return "\n".join([*(_line(finding) for finding in stops[:SHOWN]), *more])


def _quoted(project: Project, eval_set: Sequence[Example]) -> list[Finding]:
    """Eval rows that the prompt quotes: every candidate with that prompt has seen their answer."""
    found = []
    for example in eval_set:
        if prompt_draft.quotes(project.prompt, example.text):
            file, line = place(example.origin)
            found.append(
                Finding(
                    severity="look",
                    check="quoted-in-prompt",
                    file=file,
                    line=line,
                    message=f"{project.config.task.prompt} quotes this row of the eval set. Quote another.",
                    excerpt=shown(example.text),
                )
            )
    return found


def _tell(outcome: CheckOutcome, faults: Sequence[str], console: Console) -> None:
    evals = f" and {count(outcome.counts.eval_rows, 'eval row')}" if outcome.counts.eval_rows else ""
    console.say(f"Checked {count(outcome.counts.rows, 'row')}{evals}.")
    for severity, meaning in MEANING.items():
        findings = [finding for finding in outcome.findings if finding.severity == severity]
        if findings:
            console.say(f"\n{count(len(findings), 'finding')}: {meaning}")
            _tell_checks(findings, console)
    if not outcome.findings:
        console.say("Nothing to report.")
    elif not outcome.counts.stop:
        console.say("\nNothing stops the work.")
    if faults:
        console.say(f"\n{_whole(faults)}")
    if outcome.skipped:
        console.say(outcome.skipped)


def _tell_checks(findings: list[Finding], console: Console) -> None:
    by_check: dict[str, list[Finding]] = {}
    for finding in findings:
        by_check.setdefault(finding.check, []).append(finding)
    for check, group in by_check.items():
        for finding in group[:SHOWN]:
            console.say(f"  {_line(finding)}")
        if len(group) > SHOWN:
            console.say(f"  … and {len(group) - SHOWN:,} more of {check!r} (--json lists all)")


def _line(finding: Finding) -> str:
    where = finding.origin if finding.line else finding.file
    excerpt = f" “{finding.excerpt}”" if finding.excerpt else ""
    return f"{where}: {finding.message}{excerpt}"

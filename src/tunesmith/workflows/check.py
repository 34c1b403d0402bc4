"""`tunesmith check`: what is wrong with the data, or worth knowing, each finding with its file and line."""

from collections.abc import Sequence

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.units import count
from tunesmith.data.checking import check as find
from tunesmith.data.finding import Finding, place, shown
from tunesmith.data.reading import Reading
from tunesmith.data.set_aside import set_aside as move
from tunesmith.workflows import prompt_draft
from tunesmith.workflows.outcome import DONE, INPUT_WRONG, Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import longest_allowed, read_eval, read_sources
from tunesmith.workflows.status import command, next_command

SHOWN = 5  # findings of each kind that are printed; --json has them all
MEANING = {"stop": "cannot be used as they are", "look": "worth a look", "know": "good to know"}


class CheckOutcome(Outcome):
    rows: int
    eval_rows: int
    stop: int
    look: int
    know: int
    set_aside: int
    skipped: str | None  # what was not checked, and why
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        return INPUT_WRONG if self.stop else DONE


class Inspection(Record):
    findings: tuple[Finding, ...]
    rows: int
    eval_rows: int
    skipped: str | None


def check(project: Project, console: Console, *, set_aside: bool = False) -> CheckOutcome:
    """Check all sources against each other and the eval set; with `set_aside`, move the rows that stop the work."""
    moved = 0
    if set_aside:
        with project.locked("check --set-aside"):
            readings = read_sources(project)
            found = inspect(project, readings, read_eval(project))
            target = project.set_aside
            moved = sum(move(readings, found.findings, folder=project.folder, target=target).values())
    found = inspect(project, read_sources(project), read_eval(project))
    stop = _count(found, "stop")
    outcome = CheckOutcome(
        rows=found.rows,
        eval_rows=found.eval_rows,
        stop=stop,
        look=_count(found, "look"),
        know=_count(found, "know"),
        set_aside=moved,
        skipped=found.skipped,
        findings=found.findings,
        next=command(project, "check --set-aside") if stop else _next(project),
    )
    _tell(outcome, console)
    return outcome


def _next(project: Project) -> str:
    """After a check that found nothing in the way, the split is due where there is none."""
    following = next_command(project)
    return following if following != command(project, "check") else command(project, "split")


def inspect(project: Project, readings: Sequence[Reading], eval_set: tuple[Example, ...]) -> Inspection:
    too_long, skipped = longest_allowed(project)
    findings = find(readings, project.config.task.labels, eval_set, too_long)
    return Inspection(
        findings=(*findings, *_quoted(project, eval_set)),
        rows=sum(len(reading.examples) for reading in readings),
        eval_rows=len(eval_set),
        skipped=skipped,
    )


def _count(found: Inspection, severity: str) -> int:
    return sum(finding.severity == severity for finding in found.findings)


def refuse_stops(findings: Sequence[Finding], verb: str) -> None:
    """Raise DataError with the first findings that stop the work, if there are any."""
    stops = [finding for finding in findings if finding.severity == "stop"]
    if stops:
        lines = "\n".join(_line(finding) for finding in stops[:SHOWN])
        more = f"\n… and {len(stops) - SHOWN:,} more" if len(stops) > SHOWN else ""
        raise DataError(
            f"{count(len(stops), 'finding')} in the data must be settled before {verb}:\n{lines}{more}\n"
            "`tunesmith check` lists them all; correct the rows, or move them out with `tunesmith check --set-aside`."
        )


def _quoted(project: Project, eval_set: tuple[Example, ...]) -> list[Finding]:
    """Eval rows that the prompt quotes: every candidate with that prompt has seen their answer."""
    found = []
    for example in eval_set:
        if prompt_draft.quotes(project.prompt, example.text):
            file, line = place(example.origin)
            found.append(
                Finding(
                    severity="look",
                    kind="quoted-in-prompt",
                    file=file,
                    line=line,
                    message=f"{project.config.task.prompt} quotes this row of the eval set. Quote another.",
                    excerpt=shown(example.text),
                )
            )
    return found


def _tell(outcome: CheckOutcome, console: Console) -> None:
    evals = f" and {count(outcome.eval_rows, 'eval row')}" if outcome.eval_rows else ""
    console.say(f"Checked {count(outcome.rows, 'row')}{evals}.")
    if outcome.set_aside:
        console.say(f"Moved {count(outcome.set_aside, 'row')} to data/set-aside.jsonl, each with its reason.")
    for severity, meaning in MEANING.items():
        findings = [finding for finding in outcome.findings if finding.severity == severity]
        if findings:
            console.say(f"\n{count(len(findings), 'finding')}: {meaning}")
            _tell_kinds(findings, console)
    if not outcome.findings:
        console.say("Nothing to report.")
    elif not outcome.stop:
        console.say("\nNothing stops the work.")
    if outcome.skipped:
        console.say(outcome.skipped)


def _tell_kinds(findings: list[Finding], console: Console) -> None:
    by_kind: dict[str, list[Finding]] = {}
    for finding in findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    for kind, group in by_kind.items():
        for finding in group[:SHOWN]:
            console.say(f"  {_line(finding)}")
        if len(group) > SHOWN:
            console.say(f"  … and {len(group) - SHOWN:,} more of the kind {kind!r} (--json lists all)")


def _line(finding: Finding) -> str:
    where = finding.origin if finding.line else finding.file
    excerpt = f" “{finding.excerpt}”" if finding.excerpt else ""
    return f"{where}: {finding.message}{excerpt}"

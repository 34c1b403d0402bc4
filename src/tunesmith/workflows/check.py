"""`tunesmith check`: what is wrong with the data, or worth knowing, each finding with its file and line."""

from pathlib import Path

from tunesmith.core.errors import DataError
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.units import count
from tunesmith.data.finding import Finding
from tunesmith.data.set_aside import set_aside as move
from tunesmith.tasks.spec import FamilyName
from tunesmith.workflows.card import write_card
from tunesmith.workflows.content import Content, production, requests
from tunesmith.workflows.embedding import embedding
from tunesmith.workflows.inspecting import (
    SHOWN,
    Inspection,
    aim_of,
    first_stops,
    inspect,
    line,
    of_readings,
    stops_of,
    whole,
)
from tunesmith.workflows.outcome import DONE, INPUT_WRONG, Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import read_eval, read_sources, scan_sources
from tunesmith.workflows.status import command, next_command

KEPT = 10_000  # findings of each check that are handed over
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
    family: FamilyName  # which says whether two outputs for one input contradict each other
    unlisted: dict[str, int]  # check → findings that `counts` has and `findings` has not
    skipped: tuple[str, ...]  # what was not checked, and why

    @property
    def exit_code(self) -> int:
        return INPUT_WRONG if self.counts.stop else DONE


def check(
    project: Project,
    console: Console,
    *,
    set_aside: bool = False,
    by_meaning: bool = False,
    against: Path | None = None,
) -> CheckOutcome:
    """Check all sources against each other and the eval set; with `set_aside`, move the rows that stop the work.

    `against` is a file of requests, as production sends them, that the rows are compared with.
    """
    embed = embedding(console, project.vectors) if by_meaning else None
    sent = requests(project, against.resolve()) if against else None
    moved = _set_aside(project, console) if set_aside else 0
    content, evals = Content.of(project, {path: path for path in project.sources()}), read_eval(project)
    aim = aim_of(project, embed, content, console.progress("Labels by meaning"))
    found = inspect(project, scan_sources(project, console), evals, aim=aim, limit=KEPT)
    card = write_card(project, content.figures, found)
    if sent:
        found = found.and_of(production(project, sent, console, embed))
    following = _once_settled(project, found) if found.severities.get("stop") else _next(project)
    outcome = outcome_of(found, project.config.task.family, following, moved)
    tell(outcome, found.faults, console)
    console.say(card)
    return outcome


def outcome_of(found: Inspection, family: FamilyName, following: str, moved: int = 0) -> CheckOutcome:
    counts = Counts(
        rows=found.rows,
        eval_rows=found.eval_rows,
        set_aside=moved,
        **{severity: found.severities.get(severity, 0) for severity in MEANING},
    )
    return CheckOutcome(
        findings=found.findings,
        counts=counts,
        family=family,
        unlisted=found.unlisted,
        skipped=found.skipped,
        next=following,
    )


def _set_aside(project: Project, console: Console) -> int:
    """Move the rows and say so at once: what comes later may fail."""
    with project.locked("check --set-aside"):
        readings = read_sources(project)
        found = stops_of(project, of_readings(readings), read_eval(project))
        if found.faults:
            raise DataError(
                f"Nothing was moved: {whole(found.faults)}\n{first_stops(found.findings)}\n"
                "`tunesmith check` lists them all."
            )
        target = project.set_aside
        moved = sum(move(readings, found.findings, folder=project.folder, target=target).values())
    if moved:
        console.say(f"Moved {count(moved, 'row')} to {project.name(target)}, each with its reason.")
    return moved


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


def tell(outcome: CheckOutcome, faults: tuple[str, ...], console: Console) -> None:
    evals = f" and {count(outcome.counts.eval_rows, 'eval row')}" if outcome.counts.eval_rows else ""
    console.say(f"Checked {count(outcome.counts.rows, 'row')}{evals}.")
    for severity, meaning in MEANING.items():
        if number := getattr(outcome.counts, severity):
            console.say(f"\n{count(number, 'finding')}: {meaning}")
            _tell_checks([each for each in outcome.findings if each.severity == severity], outcome.unlisted, console)
    if not outcome.findings:
        console.say("Nothing to report.")
    elif not outcome.counts.stop:
        console.say("\nNothing stops the work.")
    if faults:
        console.say(f"\n{whole(faults)}")
    for words in outcome.skipped:
        console.say(words)


def _tell_checks(findings: list[Finding], unlisted: dict[str, int], console: Console) -> None:
    by_check: dict[str, list[Finding]] = {}
    for finding in findings:
        by_check.setdefault(finding.check, []).append(finding)
    for check, group in by_check.items():
        for finding in group[:SHOWN]:
            console.say(f"  {line(finding)}")
        if more := unlisted.get(check):
            console.say(
                f"  … and {len(group) + more - SHOWN:,} more of {check!r} (--json lists the first {len(group):,})"
            )
        elif len(group) > SHOWN:
            console.say(f"  … and {len(group) - SHOWN:,} more of {check!r} (--json lists all)")

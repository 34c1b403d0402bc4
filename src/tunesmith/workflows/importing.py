"""`tunesmith import`: rows as they lie elsewhere → the project's own canonical rows, one JSON object a line.

What was taken for what is said before anything else. A row that does not fit is a finding with its place, and then
nothing is written unless the user wants the rest without it. The file appears whole or not at all.
"""

import json
import shlex
from collections import Counter
from pathlib import Path
from typing import IO, Any

from tunesmith.core.errors import DataError
from tunesmith.core.files import replacing
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.data.containers import hub
from tunesmith.data.containers.opening import LINES, Source, sources
from tunesmith.data.finding import Finding
from tunesmith.data.layouts.base import Columns, Row, kind
from tunesmith.data.layouts.detect import Detected
from tunesmith.data.layouts.taking import Taken, choose, take
from tunesmith.data.rows import listed
from tunesmith.workflows.outcome import DONE, INPUT_WRONG, Outcome
from tunesmith.workflows.project import Project, project_around
from tunesmith.workflows.status import command, next_command

SHOWN = 5  # findings of each check that are printed; --json has more
KEPT = 10_000  # findings that --json has; the rest are counted
LETTERS, ITEMS = 800, 4  # of the example row that is shown
CHUNK = 1 << 20


class Plan(Record):
    """What `import` was asked for."""

    source: str
    out: Path | None = None
    layout: str | None = None
    input: str | None = None
    label: str | None = None
    slice: str | None = None
    group: str | None = None
    part: str | None = None  # of a data set
    skip_broken: bool = False
    overwrite: bool = False

    @property
    def columns(self) -> Columns:
        return Columns(self.input, self.label, self.slice, self.group)


class ImportCounts(Record):
    """`requests`: of the rows, those that nobody has answered. `passed_over`: by reason, what is no example."""

    rows: int
    requests: int
    broken: int
    passed_over: dict[str, int]
    by_check: dict[str, int]


class ImportOutcome(Outcome):
    source: str
    layout: str
    containers: tuple[str, ...]
    files: int
    counts: ImportCounts
    output: str | None  # None where nothing was written
    given: dict[str, Any] | None  # the first row as it was, and as it became
    became: dict[str, Any] | None
    findings: tuple[Finding, ...]
    findings_left_out: int

    @property
    def exit_code(self) -> int:
        return DONE if self.output else INPUT_WRONG


class _Tally:
    """What has been taken so far."""

    def __init__(self) -> None:
        self.rows = self.requests = 0
        self.passed_over: Counter[str] = Counter()
        self.by_check: Counter[str] = Counter()
        self.findings: list[Finding] = []
        self.first: Taken | None = None

    def add(self, taken: Taken) -> None:
        if taken.finding:
            self.by_check[taken.finding.check] += 1
            if len(self.findings) < KEPT:
                self.findings.append(taken.finding)
        elif taken.row is None:
            self.passed_over[taken.passed_over] += 1
        else:
            self.rows += 1
            self.requests += kind(taken.row) == "request"
            self.first = self.first or taken

    @property
    def broken(self) -> int:
        return self.by_check.total()

    def counts(self) -> ImportCounts:
        return ImportCounts(
            rows=self.rows,
            requests=self.requests,
            broken=self.broken,
            passed_over=dict(self.passed_over),
            by_check=dict(self.by_check),
        )


class _DiscardedError(Exception):
    """Leaves the file that is being written without a trace."""


def import_(plan: Plan, console: Console, folder: Path | None = None) -> ImportOutcome:
    """Write the canonical rows of `plan.source`; `folder` is the project's where -C named it.

    Raises DataError where the source cannot be read at all, or which layout it has is not clear.
    """
    project = project_around(folder)
    found = opened(plan.source, plan.part)
    detected = choose(found, plan.layout, plan.columns)
    _tell_taken(plan, found, detected, console)
    target = _target(plan, project, found, detected)
    tally = _Tally()
    try:
        with replacing(target, "w") as file:
            _write(found, detected, file, tally, console)
            if not tally.rows or (tally.broken and not plan.skip_broken):
                raise _DiscardedError
        written = True
    except _DiscardedError:
        written = False
    if not written and not tally.broken:
        raise DataError(_nothing(plan, tally))
    outcome = ImportOutcome(
        source=plan.source,
        layout=detected.layout.name,
        containers=tuple(dict.fromkeys(source.kind for source in found)),
        files=len(found),
        counts=tally.counts(),
        output=str(target) if written else None,
        given=tally.first.given if tally.first else None,
        became=tally.first.row if tally.first else None,
        findings=tuple(tally.findings),
        findings_left_out=tally.broken - len(tally.findings),
        next=_next(project, target, tally) if written else "",
    )
    _tell(outcome, plan, project, console)
    return outcome


def opened(source: str, part: str | None = None) -> list[Source]:
    """The files of a path, or of a data set of the hub where there is no such path."""
    path = Path(source)
    if not path.exists() and hub.is_name(source):
        return sources(hub.fetch(source), source, part)
    return sources(path, source.rstrip("/") or source, part)


def _write(found: list[Source], detected: Detected, file: IO[str], tally: _Tally, console: Console) -> None:
    for source in found:
        total = _lines(source)
        progress = console.progress(f"Reading {shown(source.name, 40)}") if total else None
        for taken in take(source, detected.layout, detected.columns):
            tally.add(taken)
            if taken.row is not None:
                file.write(taken.text + "\n")
            if progress and taken.line % 1000 == 0:
                progress(min(taken.line, total), total)
        if progress:
            progress(total, total)


def _lines(source: Source) -> int:
    """The lines of a file of lines that is long enough to wait for; else 0."""
    if source.kind not in (LINES, "CSV", "TSV") or source.path.stat().st_size < 16 * CHUNK:
        return 0
    with source.path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK), b""))


def _target(plan: Plan, project: Project | None, found: list[Source], detected: Detected) -> Path:
    """Where the rows go. Raises DataError where they may not."""
    pairs = detected.layout.only == "pair"
    name = f"{Path(plan.source).stem}{'.pairs' if pairs else ''}.jsonl"
    folder = Path() if project is None else project.folder if pairs else project.data
    target = plan.out or folder / name
    if target.suffix.lower() != ".jsonl":
        raise DataError(f"{target}: canonical rows are JSON Lines; name a file that ends in .jsonl, such as -o {name}.")
    if any(target.resolve() == source.path.resolve() for source in found):
        raise DataError(f"{target} is what is imported; name another file with -o.")
    if project and (what := _kept(project, target.resolve())):
        raise DataError(f"{target} is {what}. Name another file with -o.")
    if target.is_dir() or (target.exists() and not plan.overwrite):
        raise DataError(f"{target} exists already. Name another file with -o, or pass --overwrite to replace it.")
    return target


def _kept(project: Project, target: Path) -> str | None:
    """What Tunesmith itself keeps at `target`; an eval set may be brought there while none is sealed."""
    free = target == project.eval_file and not project.lock_file.exists()
    return None if free else project.kept(target)


def _nothing(plan: Plan, tally: _Tally) -> str:
    reasons = _passed_over(tally.counts())
    return f"{plan.source} holds no row that could be imported{f': {reasons}' if reasons else ''}."


def _next(project: Project | None, target: Path, tally: _Tally) -> str:
    if project is not None:
        return command(project, "check") if target.resolve() in project.sources() else next_command(project)
    trainable = tally.first and tally.first.row and kind(tally.first.row) == "chat"
    return f"tunesmith init NAME --from {shlex.quote(str(target))}" if trainable else ""


def _tell_taken(plan: Plan, found: list[Source], detected: Detected, console: Console) -> None:
    kinds = listed(list(dict.fromkeys(source.kind for source in found)))
    files = f"{count(len(found), 'file')}, " if len(found) > 1 else ""
    fits = f", as {detected.fitting:,} of the first {count(detected.of, 'row')} have it" if detected.of else ""
    layout = detected.layout
    named = f" ({detected.columns.input} → {detected.columns.label})" if layout.name == "table" else ""
    console.say(f"{plan.source}: {files}{kinds}; layout {layout.name}{named}{fits}.")
    for source in found:
        if beside := layout.beside(source.path, source.name):
            console.say(f"Joined with {beside.name}.")


def _tell(outcome: ImportOutcome, plan: Plan, project: Project | None, console: Console) -> None:
    counts = outcome.counts
    if outcome.given is not None:
        console.say(f"\nThe first row was\n  {_cut(outcome.given)}\nand becomes\n  {_cut(outcome.became)}\n")
    total = counts.rows + counts.broken
    broken = f"; {count(counts.broken, 'row')} did not fit" if counts.broken else ""
    where = f" to {outcome.output}" if outcome.output else ""
    verb = "Wrote" if outcome.output else "Could read"
    console.say(f"{verb} {counts.rows:,} of {count(total, 'row')}{where}{broken}.")
    if counts.passed_over:
        console.say(f"Passed over: {_passed_over(counts)}.")
    if counts.requests:
        console.say(
            f"{count(counts.requests, 'row')} have no answer yet: requests, which training does not take as they are."
        )
    for check in counts.by_check:
        _tell_check(outcome, check, console)
    if not outcome.output:
        console.say("Nothing was written. Correct the rows, or pass --skip-broken to write the others.")
    elif outcome.became and kind(outcome.became) == "pair":
        console.say("To train on pairs, name the file under [train] preferences in tunesmith.toml.")
    elif project and Path(outcome.output).resolve() not in project.sources():
        console.say(
            "No entry of [data] files in tunesmith.toml matches the new file; name it there, if it is a source."
        )


def _tell_check(outcome: ImportOutcome, check: str, console: Console) -> None:
    for finding in [each for each in outcome.findings if each.check == check][:SHOWN]:
        excerpt = f" “{finding.excerpt}”" if finding.excerpt else ""
        console.say(f"  {finding.origin}: {finding.message}{excerpt}")
    if (more := outcome.counts.by_check[check] - SHOWN) > 0:
        console.say(f"  … and {more:,} more of {check!r} (--json lists them)")


def _passed_over(counts: ImportCounts) -> str:
    return ", ".join(f"{number:,} {reason}" for reason, number in counts.passed_over.items())


def _brief(value: Any) -> Any:
    """A row as one sees its form at a glance: its texts cut, of its lists the beginning."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, list):
        return [_brief(each) for each in value[:ITEMS]] + (["…"] if len(value) > ITEMS else [])
    return {key: _brief(each) for key, each in value.items()} if isinstance(value, dict) else value


def _cut(row: Row | None) -> str:
    return shown(json.dumps(_brief(row), ensure_ascii=False), LETTERS)

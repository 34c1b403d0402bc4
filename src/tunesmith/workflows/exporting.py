"""`tunesmith export --data`: rows → any layout, in the kind of file that the name's ending says.

Whatever `import` reads can be exported. A row whose meaning the layout cannot carry is a finding, and nothing is
written then unless the rest is wanted without it; what else is left out is counted.
"""

from collections import Counter
from pathlib import Path

from tunesmith.core.errors import DataError
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.units import count
from tunesmith.data.containers import writing
from tunesmith.data.containers.base import finding
from tunesmith.data.fields import RowError
from tunesmith.data.finding import Finding
from tunesmith.data.layouts.base import ASIDE, Columns, Layout, Row, exported
from tunesmith.data.layouts.detect import named
from tunesmith.data.layouts.taking import Taken, choose, take
from tunesmith.data.reading import column_names
from tunesmith.workflows.importing import opened
from tunesmith.workflows.outcome import DONE, INPUT_WRONG, Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.status import next_command

SHOWN = 5
KEPT = 10_000  # findings that --json has; the rest are counted


class ExportPlan(Record):
    """What `export --data` was asked for; `input` and `label` name the columns of a table that is written."""

    source: str
    layout: str
    out: Path
    input: str | None = None
    label: str | None = None
    skip_broken: bool = False
    overwrite: bool = False


class ExportOutcome(Outcome):
    source: str
    layout: str
    rows: int
    broken: int
    left_out: dict[str, int]  # what the layout cannot carry → the rows that had it
    output: str | None  # None where nothing was written
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        return DONE if self.output else INPUT_WRONG


def export(plan: ExportPlan, project: Project | None, console: Console) -> ExportOutcome:
    """Write the rows of `plan.source` in the layout that `plan` names. Raises DataError."""
    layout = named(plan.layout, Columns(plan.input, plan.label))
    _check_target(plan, layout, project)
    found = opened(plan.source)
    detected = choose(found, None, _columns(plan, project, layout.name))
    rows: list[Row] = []
    left_out: Counter[str] = Counter()
    findings: list[Finding] = []
    for source in found:
        for taken in take(source, detected.layout, detected.columns):
            file = taken.finding.file if taken.finding else source.name
            outcome = _exported(taken, layout, file, detected.layout.name)
            if isinstance(outcome, Finding):
                findings.append(outcome)
            elif outcome:
                rows.append(outcome[0])
                left_out.update(outcome[1])
    written = bool(rows) and (not findings or plan.skip_broken)
    if written:
        writing.write(plan.out, rows, layout.name)
    elif not findings:
        raise DataError(f"{plan.source} holds no row that could be exported.")
    result = ExportOutcome(
        source=plan.source,
        layout=layout.name,
        rows=len(rows),
        broken=len(findings),
        left_out=dict(left_out),
        output=str(plan.out) if written else None,
        findings=tuple(findings[:KEPT]),
        next=next_command(project) if project and written else "",
    )
    _tell(result, console)
    return result


def _exported(taken: Taken, layout: Layout, file: str, read_as: str) -> tuple[Row, list[str]] | Finding | None:
    if taken.finding or taken.row is None:
        return taken.finding
    row = taken.row if read_as == "tunesmith" else {key: taken.row[key] for key in taken.row if key != "origin"}
    try:
        return exported(row, layout)
    except RowError as fault:
        return finding(fault, taken.line, file)


def _columns(plan: ExportPlan, project: Project | None, target: str) -> Columns:
    """Those of the rows: a project's own, where the source has them; those that are named, but for a table's to be
    written, whose columns they name."""
    source = Path(plan.source)
    if project and source.resolve() in project.sources():
        section = project.config.data
        if not section.fields and {section.input, section.output} <= set(column_names(source, plan.source)):
            return Columns(section.input, section.output, section.slice, section.group)
    return Columns() if target == "table" else Columns(plan.input, plan.label)


def _check_target(plan: ExportPlan, layout: Layout, project: Project | None) -> None:
    suffix = plan.out.suffix.lower()
    folder = layout.name == "documents"
    if not folder and suffix not in writing.SUFFIXES:
        raise DataError(f"{plan.out}: expected a file that ends in {', '.join(writing.SUFFIXES)}.")
    if suffix in (".yaml", ".yml") and layout.name != "promptfoo":
        raise DataError(f"{plan.out}: YAML is for the layout promptfoo alone; choose another ending for {layout.name}.")
    if plan.out.exists() and (plan.out.is_dir() or not plan.overwrite):
        advice = "" if plan.out.is_dir() else ", or pass --overwrite to replace it"
        raise DataError(f"{plan.out} exists already. Name another{advice}.")
    if plan.out.resolve() == Path(plan.source).resolve():
        raise DataError(f"{plan.out} is what is exported; name another file.")
    if project and (what := project.reserved(plan.out)):
        raise DataError(f"{plan.out} is {what}; exports do not go there. Name another file.")


def _tell(outcome: ExportOutcome, console: Console) -> None:
    total = outcome.rows + outcome.broken
    verb = f"Wrote {outcome.output}" if outcome.output else "Nothing was written"
    console.say(f"{verb}: {outcome.rows:,} of {count(total, 'row')} fit the layout {outcome.layout}.")
    for feature, number in outcome.left_out.items():
        console.say(f"  left out of {count(number, 'row')}: {ASIDE[feature]}")
    for each in outcome.findings[:SHOWN]:
        console.say(f"  {each.origin}: {each.message}")
    if outcome.broken > SHOWN:
        console.say(f"  … and {outcome.broken - SHOWN:,} more (--json lists them)")
    if not outcome.output:
        console.say("Choose another layout, or pass --skip-broken to write the rows that fit.")

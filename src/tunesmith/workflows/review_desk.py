"""What a reviewer has before them: the rows that may be shown, what speaks against some, and who is reviewing.

Rows of the sealed eval set are never among them, nor quoted beside others: whoever reviewed them would have looked.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Console
from tunesmith.core.texts import shown
from tunesmith.core.units import share
from tunesmith.data import review
from tunesmith.data.finding import Finding
from tunesmith.data.leaks import pair_leaks
from tunesmith.data.reading import EvalReading, Reading
from tunesmith.data.review import Doubt, Item
from tunesmith.data.reviews import Log
from tunesmith.evaluation.seal import rows_digest
from tunesmith.workflows import candidates, runs
from tunesmith.workflows.embedding import embedding
from tunesmith.workflows.inspecting import aim_of, inspect, of_readings
from tunesmith.workflows.project import Project
from tunesmith.workflows.reviewed import read_made
from tunesmith.workflows.reviewer import Reviewer, reviewer_of
from tunesmith.workflows.rows import read_eval, read_sources, read_split

UNSURE = 0.5  # a candidate that gives the right answer less than this is in doubt


class View(NamedTuple):
    """What somebody wants to see: as whom, rows that others have decided, those that were made alone, and whether
    faults are told by meaning, too."""

    reviewer: str | None = None
    second: bool = False
    made: bool = False
    by_meaning: bool = False


class Desk(NamedTuple):
    """What a reviewer has before them."""

    project: Project
    reviewer: Reviewer
    rows: tuple[Example, ...]
    findings: tuple[Finding, ...]
    doubts: Mapping[str, Doubt]
    hidden: int
    second: bool

    def queue(self, log: Log) -> list[Item]:
        seed, by = self.project.config.data.seed, self.reviewer
        if self.second:
            return review.second(self.rows, log.decisions, guideline=by.guideline, reviewer=by.name, seed=seed)
        return review.queue(
            self.rows,
            log.decisions,
            guideline=by.guideline,
            reviewer=by.name,
            findings=self.findings,
            doubts=self.doubts,
            seed=seed,
        )


def open_desk(project: Project, console: Console, view: View) -> Desk:
    readings, made = read_sources(project), read_made(project)
    rows = [row for reading in readings for row in reading.examples]
    asked = [] if view.made else rows
    hidden = {id(row) for row, _, _ in pair_leaks(asked, _sealed(project))}
    look = not (view.second or view.made)
    return Desk(
        project=project,
        reviewer=reviewer_of(project, view.reviewer, (*rows, *made)),
        rows=(*(row for row in asked if id(row) not in hidden), *made),
        findings=_findings(project, console, readings, by_meaning=view.by_meaning) if look else (),
        doubts=_doubts(project) if look else {},
        hidden=len(hidden),
        second=view.second,
    )


def open_row(project: Project, reviewer: str | None, name: str) -> tuple[Example, Reviewer]:
    """One row by its id or its place, for a decision that is known already: nothing is looked for in the others.

    Raises UserError where there is no such row, or where it stands in the sealed eval set.
    """
    rows = [*(row for reading in read_sources(project) for row in reading.examples), *read_made(project)]
    by = reviewer_of(project, reviewer, rows)
    row = next((each for each in rows if name in (each.id, each.origin)), None)
    if row is None:
        raise UserError(
            f"There is no row {shown(name)!r} to review. `tunesmith review --list --json` names each by its id and its "
            "place."
        )
    if not row.made and pair_leaks([row], _sealed(project)):
        raise UserError(f"{row.origin} stands in the sealed eval set, or nearly does; such rows are not reviewed.")
    return row, by


def _sealed(project: Project) -> tuple[Example, ...]:
    return read_eval(project).examples if project.lock_file.exists() else ()


def _findings(
    project: Project, console: Console, readings: Sequence[Reading], *, by_meaning: bool
) -> tuple[Finding, ...]:
    """What speaks against rows; not what they have in common with a sealed row, which would be quoted."""
    embed = embedding(console, project.vectors) if by_meaning else None
    evals = EvalReading() if project.lock_file.exists() else read_eval(project)
    aim = aim_of(project, embed, fitting=console.progress("Labels by meaning"))
    return inspect(project, of_readings(readings), evals, aim=aim).findings


def _doubts(project: Project) -> dict[str, Doubt]:
    """Validation rows whose own answer a candidate holds for unlikely: of those that say how sure they are of a row,
    the one that is right most often; none before anything is measured."""
    if not (project.family.LABELLED and (project.state / "ledger.db").is_file() and project.validation_file.is_file()):
        return {}
    validation = read_split(project)[1]
    answers = {row.id: row.expected for row in validation}
    made = [*candidates.fine_tune(project)[1], *candidates.baselines(project)[1]]
    measured: list[tuple[str, list[Prediction]]] = []
    with runs.open_ledger(project) as ledger:
        for entry in made:
            said = ledger.predictions(entry.digest, rows_digest(validation))
            sure = [each for each in said if each.confidence is not None and each.example in answers]
            if sure and entry.kind != "majority":  # whose confidence is that of a label, not of a row
                measured.append((entry.name, sure))
    if not measured:
        return {}
    name, said = max(measured, key=lambda each: sum(told.output == answers[told.example] for told in each[1]))
    return {each.example: doubt for each in said if (doubt := _doubt(name, each, answers))}


def _doubt(name: str, said: Prediction, answers: Mapping[str, str]) -> Doubt | None:
    """None where the candidate agrees and is sure. The row's own answer is no likelier than the one that was given
    instead, and than what that leaves."""
    sure = said.confidence or 0.0
    if said.output != answers[said.example]:
        return Doubt(min(sure, 1 - sure), f"{name} says “{shown(said.output or said.text)}”, {share(sure)} sure.")
    return Doubt(sure, f"{name} is only {share(sure)} sure.") if sure < UNSURE else None

"""What a reviewer has before them: the rows that may be shown, what speaks against some, and who is reviewing.

Rows of the sealed eval set are never among them: whoever reviewed them would have looked.
"""

import getpass
import shutil
import subprocess
from collections.abc import Mapping
from typing import NamedTuple

from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.units import share
from tunesmith.data import review
from tunesmith.data.finding import Finding, shown
from tunesmith.data.leaks import pair_leaks
from tunesmith.data.review import Doubt, Item
from tunesmith.data.reviews import Log
from tunesmith.evaluation.seal import rows_digest
from tunesmith.workflows import candidates, runs
from tunesmith.workflows.inspecting import inspect, of_readings
from tunesmith.workflows.project import Project
from tunesmith.workflows.reviewed import guideline, read_made
from tunesmith.workflows.rows import read_eval, read_sources, read_split

UNSURE = 0.5  # a candidate that gives the right answer less than this is in doubt


class Desk(NamedTuple):
    """What a reviewer has before them."""

    project: Project
    reviewer: str
    guideline: str
    rows: tuple[Example, ...]
    findings: tuple[Finding, ...]
    doubts: Mapping[str, Doubt]
    hidden: int
    second: bool

    def queue(self, log: Log) -> list[Item]:
        seed = self.project.config.data.seed
        if self.second:
            return review.second(self.rows, log.decisions, guideline=self.guideline, reviewer=self.reviewer, seed=seed)
        return review.queue(
            self.rows,
            log.decisions,
            guideline=self.guideline,
            reviewer=self.reviewer,
            findings=self.findings,
            doubts=self.doubts,
            seed=seed,
        )


def open_desk(
    project: Project, reviewer: str | None, *, second: bool = False, made: bool = False, look: bool = True
) -> Desk:
    """`look`: whether the rows are checked and doubts are sought, which a single decision needs not."""
    readings = read_sources(project)
    evals = read_eval(project)
    rows = [] if made else [row for reading in readings for row in reading.examples]
    sealed = evals.examples if project.lock_file.exists() else ()
    eval_rows = {id(row) for row, _, _ in pair_leaks(rows, sealed)}
    look = look and not second and not made
    return Desk(
        project=project,
        reviewer=whoever(reviewer, project),
        guideline=guideline(project),
        rows=(*(row for row in rows if id(row) not in eval_rows), *read_made(project)),
        findings=inspect(project, of_readings(readings), evals).findings if look else (),
        doubts=_doubts(project) if look else {},
        hidden=len(eval_rows),
        second=second,
    )


def _doubts(project: Project) -> dict[str, Doubt]:
    """Validation rows whose own answer the newest candidate that states a confidence holds for unlikely."""
    if not (project.family.LABELLED and (project.state / "ledger.db").is_file() and project.validation_file.is_file()):
        return {}
    validation = read_split(project)[1]
    answers = {row.id: row.expected for row in validation}
    made = [*candidates.fine_tune(project)[1], *reversed(candidates.baselines(project)[1])]
    with runs.open_ledger(project) as ledger:
        for entry in made:
            said = ledger.predictions(entry.digest, rows_digest(validation))
            sure = [each for each in said if each.confidence is not None and each.example in answers]
            if sure:
                return {each.example: doubt for each in sure if (doubt := _doubt(entry.name, each, answers))}
    return {}


def _doubt(name: str, said: Prediction, answers: Mapping[str, str]) -> Doubt | None:
    sure = said.confidence or 0.0
    if said.output != answers[said.example]:
        return Doubt(1 - sure, f"{name} says “{shown(said.output or said.text)}”, {share(sure)} sure.")
    return Doubt(sure, f"{name} is only {share(sure)} sure.") if sure < UNSURE else None


def whoever(name: str | None, project: Project) -> str:
    """The reviewer: as named, else as git knows them here, else by their login."""
    if name is not None and name.strip():
        return name.strip()
    if name is not None:
        raise UserError("--as: the name is empty.")
    if git := shutil.which("git"):
        said = subprocess.run(
            [git, "-C", str(project.folder), "config", "user.name"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        ).stdout.strip()
        if said:
            return said
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise UserError("Nobody knows who you are: name yourself with --as NAME.") from None

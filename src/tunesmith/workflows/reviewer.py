"""Who reviews, by which guideline and among which labels: what a decision says of itself, and what it may say."""

import getpass
import shutil
import subprocess
from collections.abc import Iterable
from typing import NamedTuple

from tunesmith.core.errors import DataError, UserError, nearest
from tunesmith.core.example import Example
from tunesmith.core.texts import shown
from tunesmith.data.answers import answer_of
from tunesmith.data.fields import RowError
from tunesmith.data.reviews import Decision, Verdict
from tunesmith.data.section import DataSection
from tunesmith.workflows import runs
from tunesmith.workflows.project import Project
from tunesmith.workflows.reviewed import guideline


class Reviewer(NamedTuple):
    """`labels` are those that an answer may be, None where it is written; `section` says how it is read."""

    name: str
    guideline: str
    labels: tuple[str, ...] | None
    section: DataSection

    def decision(self, row: Example, verdict: Verdict, text: str | None, reason: str) -> Decision:
        """Raises DataError where the answer cannot stand in a row. An edit that changes nothing accepts."""
        becomes = None
        if text is not None:
            text = self.answer(text)
            becomes = row.answered(text).id
            if becomes == row.id:
                verdict, text, becomes = "accept", None, None
        return Decision(
            row=row.id,
            origin=row.origin,
            verdict=verdict,
            text=text,
            becomes=becomes,
            reviewer=self.name,
            time=runs.now(),
            reason=reason,
            guideline=self.guideline,
        )

    def answer(self, text: str) -> str:
        """`text` as it stands in a row. Raises DataError where it cannot be an answer."""
        try:
            text = answer_of(text, "the new answer", self.section)
        except RowError as fault:
            raise DataError(fault.message) from None
        if self.labels is not None and text not in self.labels:
            raise DataError(
                f"'{shown(text)}' is no label{nearest(text, list(self.labels))}. Labels: "
                f"{shown(', '.join(self.labels), 400)}. A new one is declared under [task] labels."
            )
        return text


def reviewer_of(project: Project, name: str | None, rows: Iterable[Example]) -> Reviewer:
    """`name` as it was given; without declared labels they are those of `rows`. Raises UserError."""
    labels = project.config.task.labels or tuple(sorted({row.expected for row in rows}))
    return Reviewer(
        who(name, project), guideline(project), labels if project.family.LABELLED else None, project.section
    )


def who(name: str | None, project: Project) -> str:
    """As named, else as git knows them here, else by their login."""
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

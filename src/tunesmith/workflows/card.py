"""data/card.md and data/card.html: what `check` saw, kept beside the data."""

from collections.abc import Sequence
from pathlib import Path

from tunesmith import __version__
from tunesmith.core.digests import digest
from tunesmith.core.files import write_text
from tunesmith.data.card.markdown import MARK, markdown
from tunesmith.data.card.page import page
from tunesmith.data.card.record import Card, Figures
from tunesmith.data.finding import Finding
from tunesmith.data.reading import Reading
from tunesmith.workflows import runs
from tunesmith.workflows.project import Project

NAMES = ("card.md", "card.html")
BEGINNING = 200  # bytes of a file in which our mark stands


def write_card(project: Project, readings: Sequence[Reading], eval_rows: int, findings: Sequence[Finding]) -> str:
    """Write both files; a sentence that says where, or which file of somebody else's stands in the way."""
    paths = [project.data / name for name in NAMES]
    if other := next((path for path in paths if path.exists() and not _is_ours(path)), None):
        return f"No card was written: {project.name(other)} is a file of your own. Give it another name."
    card = card_of(project, readings, eval_rows, findings)
    try:
        for path, text in zip(paths, (markdown(card), page(card)), strict=True):
            write_text(path, text)
    except OSError as error:  # a project may be read where it cannot be written
        return f"No card was written to {project.name(project.data)}: {error.strerror}."
    return f"The card of the data: {' and '.join(project.name(path) for path in paths)}."


def card_of(project: Project, readings: Sequence[Reading], eval_rows: int, findings: Sequence[Finding]) -> Card:
    figures = Figures(labelled=project.family.LABELLED)
    for reading in readings:
        for row in reading.examples:
            figures.see(row)
    files = [(reading.name, reading.sha256) for reading in readings]
    return figures.card(
        project=project.folder.name,
        created=runs.now(),
        version=__version__,
        family=project.config.task.family,
        digest=digest("sources", 1, files=dict(files)),
        files=files,
        eval_rows=eval_rows,
        findings=findings,
    )


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return MARK.encode() in file.read(BEGINNING)
    except OSError:
        return False

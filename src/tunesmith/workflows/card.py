"""data/card.md and data/card.html: what `check` saw, kept beside the data."""

from pathlib import Path

from tunesmith.core.digests import sha256_file
from tunesmith.core.files import write_text
from tunesmith.data.card.markdown import MARK, markdown
from tunesmith.data.card.page import page
from tunesmith.data.card.record import Card, Figures, Heading
from tunesmith.workflows import runs
from tunesmith.workflows.inspecting import Inspection
from tunesmith.workflows.project import Project

NAMES = ("card.md", "card.html")
BEGINNING = 200  # bytes of a file in which our mark stands


def write_card(project: Project, figures: Figures, found: Inspection) -> str:
    """Write both files; a sentence that says where, or which file of somebody else's stands in the way."""
    paths = [project.data / name for name in NAMES]
    if other := next((path for path in paths if path.exists() and not _is_ours(path)), None):
        return f"No card was written: {project.name(other)} is a file of your own. Give it another name."
    card = card_of(project, figures, found)
    try:
        for path, text in zip(paths, (markdown(card), page(card)), strict=True):
            write_text(path, text)
    except OSError as error:  # a project may be read where it cannot be written
        return f"No card was written to {project.name(project.data)}: {error.strerror}."
    return f"The card of the data: {' and '.join(project.name(path) for path in paths)}."


def card_of(project: Project, figures: Figures, found: Inspection) -> Card:
    heading = Heading(
        project=project.folder.name,
        family=project.config.task.family,
        eval_rows=found.eval_rows,
        created=runs.now(),
    )
    files = {project.name(path): sha256_file(path) for path in project.sources()}
    return figures.card(heading, files, found.findings, found.unlisted)


def cards(project: Project) -> list[Path]:
    """The files of the card that are ours."""
    return [path for path in (project.data / name for name in NAMES) if _is_ours(path)]


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return MARK.encode() in file.read(BEGINNING)
    except OSError:
        return False

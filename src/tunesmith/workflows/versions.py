"""The data sets that splits made, by name: .tunesmith/versions/<digest>.jsonl, rows to train on and to validate.

Sealed rows are in none of them, so that comparing two versions is no look at the eval set.
"""

from collections.abc import Sequence
from pathlib import Path

from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.data.reading import read_canonical, write_canonical
from tunesmith.workflows.project import Project

SHORT = 12  # digits of a name that are shown, and enough to find it by


def keep_version(project: Project, name: str, rows: Sequence[Example]) -> None:
    path = project.versions / f"{name}.jsonl"
    if not path.exists():
        write_canonical(path, rows)


def kept_versions(project: Project) -> list[Path]:
    """Oldest first."""
    return sorted(project.versions.glob("*.jsonl"), key=lambda path: (path.stat().st_mtime, path.name))


def find_version(project: Project, name: str) -> Path | None:
    """The version whose name begins with `name`. Raises UserError where several do."""
    found = [path for path in kept_versions(project) if len(name) >= 4 and path.stem.startswith(name)]
    if len(found) > 1:
        names = ", ".join(path.stem[:SHORT] for path in found)
        raise UserError(f"Several versions begin with {name}: {names}. Write more digits.")
    return found[0] if found else None


def read_version(path: Path) -> tuple[Example, ...]:
    return read_canonical(path, path.name) if path.stat().st_size else ()

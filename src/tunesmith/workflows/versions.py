"""The data sets that splits made, by name: .tunesmith/versions/<digest>.jsonl, rows to train on and to validate.

Sealed rows are in none of them, so that comparing two versions is no look at the eval set.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.core.files import append_line
from tunesmith.core.record import Record
from tunesmith.data.canonical import read_canonical, write_canonical
from tunesmith.workflows.project import Project

SPLITS = "splits.jsonl"
SHORT = 12  # digits of a name that are shown, and enough to find it by


class SplitMade(Record):
    """One split: the version that it made, and the digest under which runs record the same rows."""

    schema_version: Literal[1] = 1
    version: str
    data: str


def record_split(project: Project, made: SplitMade) -> None:
    if made not in read_splits(project):
        append_line(project.state / SPLITS, made.model_dump_json())


def read_splits(project: Project) -> list[SplitMade]:
    path = project.state / SPLITS
    found = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        with suppress(ValidationError):  # a line that was torn
            found.append(SplitMade.model_validate_json(line))
    return found


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


def count_rows(path: Path) -> int:
    """How many rows a version has: one on each line."""
    with path.open("rb") as file:
        return sum(not line.isspace() for line in file)


def read_version(path: Path) -> tuple[Example, ...]:
    return read_canonical(path, path.name) if path.stat().st_size else ()

"""`tunesmith diff`: what one data set has and another has not, row by row.

Either is a file of rows or a version that a split made, named by the first digits of its digest.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.data.reading import read
from tunesmith.data.versions import Change, difference, name_of
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import refuse_broken
from tunesmith.workflows.split_record import read_record
from tunesmith.workflows.status import command
from tunesmith.workflows.versions import SHORT, count_rows, find_version, kept_versions, read_version

LISTED = 10  # rows of each kind that are printed; --json has them all


class Row(Record):
    id: str
    origin: str
    input: str
    output: str
    slice: str | None
    group: str | None
    weight: float


class Changed(Record):
    before: Row
    after: Row


class DiffOutcome(Outcome):
    before: str  # the digests that name the two
    after: str
    same: int
    added: tuple[Row, ...]
    removed: tuple[Row, ...]
    changed: tuple[Changed, ...]


class Version(Record):
    name: str
    rows: int
    kept: str  # when
    current: bool


class VersionsOutcome(Outcome):
    versions: tuple[Version, ...]


class Side(NamedTuple):
    words: str
    rows: tuple[Example, ...]


def diff(project: Project, console: Console, before: str, after: str | None) -> DiffOutcome:
    """Compare two data sets; without `after`, with the one of the present split. Raises UserError where one is not
    known."""
    one, other = _side(project, before), _side(project, after or _current(project))
    found = difference(one.rows, other.rows)
    outcome = DiffOutcome(
        before=name_of(one.rows),
        after=name_of(other.rows),
        same=found.same,
        added=tuple(map(_row, found.added)),
        removed=tuple(map(_row, found.removed)),
        changed=tuple(Changed(before=_row(each.before), after=_row(each.after)) for each in found.changed),
        next=command(project, "diff"),
    )
    console.say(f"{one.words} → {other.words}")
    console.say(
        f"{len(found.added):,} added, {len(found.removed):,} removed, {len(found.changed):,} changed, "
        f"{found.same:,} the same."
    )
    _tell("+", list(map(_line, found.added)), console)
    _tell("-", list(map(_line, found.removed)), console)
    _tell("~", list(map(_change, found.changed)), console)
    return outcome


def versions(project: Project, console: Console) -> VersionsOutcome:
    """The versions that splits made, oldest first."""
    record = read_record(project)
    current = record.version if record else ""
    found = tuple(
        Version(
            name=path.stem,
            rows=count_rows(path),
            kept=datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds"),
            current=path.stem == current,
        )
        for path in kept_versions(project)
    )
    if not found:
        raise UserError("There is no version yet: `tunesmith split` makes one. Two files can be compared at any time.")
    console.table(
        "Versions of the data",
        ["version", "rows", "kept", ""],
        [
            [each.name[:SHORT], f"{each.rows:,}", each.kept[:16].replace("T", " "), "now" if each.current else ""]
            for each in found
        ],
    )
    return VersionsOutcome(versions=found, next=command(project, f"diff {found[0].name[:SHORT]}"))


def _side(project: Project, name: str) -> Side:
    if path := find_version(project, name):
        rows = read_version(path)
        return Side(f"version {path.stem[:SHORT]} ({count(len(rows), 'row')})", rows)
    path = Path(name)
    if not path.exists():
        raise UserError(
            f"{name} is neither a file nor a version of the data. `tunesmith diff` alone lists the versions."
        )
    reading = read(path, project.section, prompt=project.prompt, name=name)
    refuse_broken(reading, "Correct them first: a row that cannot be read cannot be compared.")
    return Side(f"{name} ({count(len(reading.examples), 'row')})", reading.examples)


def _current(project: Project) -> str:
    record = read_record(project)
    if record is None or not record.version:
        raise UserError("There is no split to compare with. Name a second file, or run `tunesmith split` first.")
    return record.version


def _tell(sign: str, lines: Sequence[str], console: Console) -> None:
    for line in lines[:LISTED]:
        console.say(f"  {sign} {line}")
    if len(lines) > LISTED:
        console.say(f"  {sign} … and {len(lines) - LISTED:,} more (--json lists all)")


def _line(row: Example) -> str:
    return f"{row.origin} “{shown(row.text)}” → “{shown(row.expected)}”"


def _change(each: Change) -> str:
    before, after = each.before, each.after
    if before.expected != after.expected:
        return f"{after.origin} “{shown(after.text)}”: “{shown(before.expected)}” → “{shown(after.expected)}”"
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in ("weight", "slice", "group")}
    words = ", ".join(
        f"{name} {shown(str(was))} → {shown(str(now))}" for name, (was, now) in pairs.items() if was != now
    )
    return f"{after.origin} “{shown(after.text)}”: {words}"


def _row(row: Example) -> Row:
    return Row(
        id=row.id,
        origin=row.origin,
        input=row.text,
        output=row.expected,
        slice=row.slice,
        group=row.group,
        weight=row.weight,
    )

"""A file of records, one line of JSON each, only ever added to: each is on disk before its writer goes on.

Whoever adds holds a lock for that moment, so two people lose nothing. A line that a kill or a full disk tore stays as
it is: it is recognised, counted and named, and the next line begins on its own.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from tunesmith.core.errors import DataError
from tunesmith.core.files import append_line, write_text
from tunesmith.core.record import Record

R = TypeVar("R", bound=Record)


class Lines(NamedTuple, Generic[R]):
    """The records in the order of the file, and the numbers of the lines that cannot be read."""

    records: tuple[R, ...] = ()
    unreadable: tuple[int, ...] = ()


def read(path: Path, kind: type[R]) -> Lines[R]:
    """The records in `path`. Raises DataError where a line is of a later version, which must not be misread."""
    if not path.exists():
        return Lines()
    records, unreadable = [], []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            if (record := record_of(line, kind)) is None:
                _refuse_later(line, kind, f"{path.name}:{number}")
                unreadable.append(number)
            else:
                records.append(record)
    return Lines(tuple(records), tuple(unreadable))


def record_of(line: bytes, kind: type[R]) -> R | None:
    try:
        return kind.model_validate_json(line)
    except ValidationError:
        return None


def append(path: Path, record: Record, lock: Path) -> None:
    """Add `record`; it is on disk when this returns. Where there is no room for it, the file is as it was."""
    from filelock import FileLock

    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        append_line(path, _line(record))


def take_out(path: Path, kind: type[R], gone: Callable[[R], bool], lock: Path) -> int:
    """Write the file anew without the records that are `gone`; how many lines that were.

    Lines that cannot be read go, too: nobody could say that they are about something else.
    """
    from filelock import FileLock

    if not path.exists():
        return 0
    with FileLock(lock):
        found = read(path, kind)
        kept = [each for each in found.records if not gone(each)]
        number = len(found.records) - len(kept) + len(found.unreadable)
        if number:
            write_text(path, "".join(f"{_line(each)}\n" for each in kept))
    return number


def _line(record: Record) -> str:
    """Without what is as always, but with the number of the schema."""
    row = record.model_dump(mode="json", exclude_defaults=True) | {"schema_version": _version(type(record))}
    line = json.dumps(row, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return json.dumps(row)
    return line


def _version(kind: type[Record]) -> int:
    version: int = kind.model_fields["schema_version"].default
    return version


def _refuse_later(line: bytes, kind: type[Record], place: str) -> None:
    try:
        version = json.loads(line).get("schema_version")
    except (ValueError, AttributeError, RecursionError):
        return
    if isinstance(version, int) and version > _version(kind):
        raise DataError(f"{place} was written by a later version of Tunesmith (schema {version}). Install that one.")

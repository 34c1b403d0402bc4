"""The file of decisions: one line of JSON each, only ever added to, each on disk before the next is asked for.

Whoever adds holds a lock for that moment, so two people lose nothing. A line that a kill or a full disk tore stays as
it is: it is recognised, counted and named, and the next line begins on its own.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import ValidationError, model_validator

from tunesmith.core.errors import DataError
from tunesmith.core.files import append_line, write_text
from tunesmith.core.record import Record
from tunesmith.data.fields import SURROGATE

Verdict = Literal["accept", "edit", "reject", "skip"]


class Decision(Record):
    """`row` is what the row says (the id of its Example); `origin` is only where it stood then.

    `text` is the answer that should stand there instead, and `becomes` the id of the row that has it: of an edit.
    `guideline` is the digest of the written guideline at the time, `seconds` how long the row was before the reviewer,
    where that was timed.
    """

    schema_version: Literal[1] = 1
    row: str
    origin: str
    verdict: Verdict
    text: str | None = None
    becomes: str | None = None
    reviewer: str
    time: str
    reason: str = ""
    guideline: str
    seconds: float | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.verdict == "edit") != (self.text is not None and self.becomes is not None):
            raise ValueError("an edit has a text and the row that it becomes; nothing else has")
        return self


class Log(NamedTuple):
    """All decisions in the order of their times, and the lines that cannot be read."""

    decisions: tuple[Decision, ...] = ()
    unreadable: tuple[int, ...] = ()


def read_log(path: Path) -> Log:
    """The decisions in `path`. Raises DataError where a line is of a later version, which must not be misread."""
    if not path.exists():
        return Log()
    decisions, unreadable = [], []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            if (decision := _decision(line)) is None:
                _refuse_later(line, f"{path.name}:{number}")
                unreadable.append(number)
            else:
                decisions.append(decision)
    return Log(tuple(sorted(decisions, key=lambda decision: decision.time)), tuple(unreadable))


class Tail:
    """What is added to a log from now on, by whoever it is: each call reads on where the last one ended."""

    def __init__(self, path: Path):
        self._path = path
        self._end = path.stat().st_size if path.exists() else 0

    def added(self) -> list[Decision]:
        """The decisions in whole lines; what cannot be read is left to `read_log`."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            if file.seek(0, os.SEEK_END) < self._end:
                self._end = 0  # `forget` wrote the file anew
            file.seek(self._end)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._end += len(whole)
        return [decision for line in whole.splitlines() if (decision := _decision(line))]


def append(path: Path, decision: Decision, lock: Path) -> None:
    """Add `decision`; it is on disk when this returns. Where there is no room for it, the file is as it was."""
    from filelock import FileLock

    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        append_line(path, _line(decision))


def forget(path: Path, rows: set[str], lock: Path) -> int:
    """Take the decisions about `rows` out, and those by which a row became one of them; how many they were.

    Lines that cannot be read go, too: nobody could say that they are about another row.
    """
    from filelock import FileLock

    if not path.exists():
        return 0
    with FileLock(lock):
        log = read_log(path)
        kept = [each for each in log.decisions if each.row not in rows and each.becomes not in rows]
        gone = len(log.decisions) - len(kept) + len(log.unreadable)
        if gone:
            write_text(path, "".join(f"{_line(each)}\n" for each in kept))
    return gone


def latest(decisions: Iterable[Decision]) -> dict[str, dict[str, Decision]]:
    """Row → reviewer → what that reviewer said last. Whoever edits a row accepts the row that it becomes."""
    said: dict[str, dict[str, Decision]] = {}
    for decision in decisions:
        said.setdefault(decision.row, {})[decision.reviewer] = decision
        if decision.becomes is not None and decision.becomes != decision.row:
            accepted = {"row": decision.becomes, "verdict": "accept", "text": None, "becomes": None}
            said.setdefault(decision.becomes, {})[decision.reviewer] = decision.model_copy(update=accepted)
    return said


def _decision(line: bytes) -> Decision | None:
    try:
        return Decision.model_validate_json(line)
    except ValidationError:
        return None


def _line(decision: Decision) -> str:
    row = decision.model_dump(mode="json", exclude_defaults=True) | {"schema_version": decision.schema_version}
    line = json.dumps(row, ensure_ascii=False)
    return json.dumps(row) if SURROGATE.search(line) else line


def _refuse_later(line: bytes, place: str) -> None:
    try:
        version = json.loads(line).get("schema_version")
    except (ValueError, AttributeError, RecursionError):
        return
    if isinstance(version, int) and version > 1:
        raise DataError(f"{place} was written by a later version of Tunesmith (schema {version}). Install that one.")

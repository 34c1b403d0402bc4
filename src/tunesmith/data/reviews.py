"""The file of decisions (`core/journal.py`): each is on disk before the next is asked for."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from tunesmith.core import journal
from tunesmith.core.record import Record

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
    found = journal.read(path, Decision)
    return Log(tuple(sorted(found.records, key=lambda decision: decision.time)), found.unreadable)


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
        return [decision for line in whole.splitlines() if (decision := journal.record_of(line, Decision))]


def append(path: Path, decision: Decision, lock: Path) -> None:
    """Add `decision`; it is on disk when this returns. Where there is no room for it, the file is as it was."""
    journal.append(path, decision, lock)


def forget(path: Path, rows: set[str], lock: Path) -> int:
    """Take the decisions about `rows` out, and those by which a row became one of them; how many they were.

    Lines that cannot be read go, too.
    """
    return journal.take_out(path, Decision, lambda each: not rows.isdisjoint({each.row, each.becomes}), lock)


def latest(decisions: Iterable[Decision]) -> dict[str, dict[str, Decision]]:
    """Row → reviewer → what that reviewer said last. Whoever edits a row accepts the row that it becomes."""
    said: dict[str, dict[str, Decision]] = {}
    for decision in decisions:
        said.setdefault(decision.row, {})[decision.reviewer] = decision
        if decision.becomes is not None and decision.becomes != decision.row:
            accepted = {"row": decision.becomes, "verdict": "accept", "text": None, "becomes": None}
            said.setdefault(decision.becomes, {})[decision.reviewer] = decision.model_copy(update=accepted)
    return said

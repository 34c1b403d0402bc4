"""What is wrong with a row, or worth knowing about it, with its place."""

from typing import Any, Literal

from tunesmith.core.record import Record

Severity = Literal["stop", "look", "note"]


class Finding(Record):
    """`stop`: the row cannot be used as it is. `look`: a person should look at it. `note`: a fact about the data.
    `check` names what was looked for.

    `line` is the first physical line of the row, or 0 where a finding is about no single row. `related` names the
    other rows ("file:line") that the finding is about as well. Where a check says that the output is wrong, `likely` is
    the one that should probably stand there, and `sure` how sure of that it is, of 1.
    """

    severity: Severity
    check: str
    file: str
    line: int
    field: str | None = None
    message: str
    excerpt: str = ""
    related: tuple[str, ...] = ()
    likely: str | None = None
    sure: float | None = None

    @property
    def origin(self) -> str:
        return f"{self.file}:{self.line}"


def place(origin: str) -> tuple[str, int]:
    """`"data/a.csv:12"` → `("data/a.csv", 12)`; an origin without a line has line 0."""
    file, colon, line = origin.rpartition(":")
    return (file, int(line)) if colon and line.isascii() and line.isdigit() else (origin, 0)


def from_there(value: Any) -> bool:
    """Whether `value` says where a row stood: "file:line"."""
    return isinstance(value, str) and place(value)[1] > 0

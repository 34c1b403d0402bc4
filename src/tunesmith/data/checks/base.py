"""The seam of the checks: each sees every row once, in order, and says what it finds.

A million rows go past, so a check keeps a few numbers of a row, not the row. Texts are compared by digest; what a
message needs to quote of an earlier row is kept only where the row may be quoted.
"""

from collections.abc import Iterable
from typing import Protocol

from tunesmith.core.example import Example
from tunesmith.data.finding import Finding, Severity, place
from tunesmith.data.sensitive.quoting import quoted


class Check(Protocol):
    def see(self, row: Example) -> Iterable[Finding]:
        """What this row shows by itself, or beside those before it."""
        ...

    def close(self) -> Iterable[Finding]:
        """What only all the rows together show; called once, after the last row."""
        ...


class AtTheEnd:
    """Of a check that has nothing to say of a single row."""

    def see(self, row: Example) -> tuple[Finding, ...]:
        return ()


def about(
    row: Example,
    severity: Severity,
    check: str,
    message: str,
    *,
    field: str | None = None,
    excerpt: str | None = None,
    related: tuple[str, ...] = (),
) -> Finding:
    """A finding about `row`, which is quoted unless `excerpt` says otherwise."""
    file, line = place(row.origin)
    words = quoted(row.text) if excerpt is None else excerpt
    return Finding(
        severity=severity,
        check=check,
        file=file,
        line=line,
        field=field,
        message=message,
        excerpt=words,
        related=related,
    )

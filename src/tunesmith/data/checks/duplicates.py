"""Does a row say again what an earlier one says?"""

from collections.abc import Iterator

from tunesmith.data.checks.base import AtTheEnd
from tunesmith.data.checks.contradictions import disputes
from tunesmith.data.checks.scope import Scope
from tunesmith.data.finding import Finding


class Duplicates(AtTheEnd):
    """The same input with the same output; rows that contradict each other are another finding."""

    def __init__(self, scope: Scope):
        self._kept = scope.kept
        self._repeats = scope.repeats

    def close(self) -> Iterator[Finding]:
        kept, same = self._kept, "label" if self._kept.labelled else "answer"
        for rows in kept.repeated:
            disputed = {row for group in disputes(kept, rows) for row in group}
            first: dict[int, int] = {}
            for row in rows:
                if row in disputed:
                    continue
                original = first.setdefault(kept.answer(row), row)
                if original != row:
                    origin = kept.origin(original)
                    message = f"Repeats {origin} (same input, same {same}); {self._repeats}."
                    yield kept.finding(row, "look", "duplicate", message, related=(origin,))

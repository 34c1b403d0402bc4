"""Do rows say nearly the same, and do they agree about the output?"""

from collections.abc import Iterator

from tunesmith.core.units import count
from tunesmith.data.checks.base import AtTheEnd
from tunesmith.data.checks.contradictions import said
from tunesmith.data.checks.kept import Group
from tunesmith.data.checks.labels import listing
from tunesmith.data.checks.scope import Scope
from tunesmith.data.finding import Finding

RELATED = 50  # rows of a cluster that a finding names


class NearDuplicates(AtTheEnd):
    """One finding for each cluster, about its first row. Of rows with the same text the first stands for all."""

    def __init__(self, scope: Scope):
        self._kept = scope.kept

    def close(self) -> Iterator[Finding]:
        kept = self._kept
        for cluster in kept.near:
            rows = [row for row in cluster if kept.usable(row)]
            if len(rows) > 1:
                differ = kept.labelled and len({kept.answer(row) for row in rows}) > 1
                yield self._contradiction(rows) if differ else self._duplicates(rows)

    def _duplicates(self, rows: Group) -> Finding:
        others = [self._kept.origin(row) for row in rows[1:]]
        message = (
            f"Nearly the same as {count(len(others), 'other row')}: {listing(others)}. They teach little more than "
            "one of them; keep those that differ in what matters."
        )
        related = tuple(others[:RELATED])
        return self._kept.finding(rows[0], "look", "near-duplicate", message, related=related)

    def _contradiction(self, rows: Group) -> Finding:
        kept = self._kept
        message = (
            f"Nearly the same input has different labels: {said(kept, rows)} ({count(len(rows), 'row')} in all). "
            "Each may be right; see whether they are."
        )
        related = tuple(kept.origin(row) for row in rows[1 : RELATED + 1])
        return kept.finding(rows[0], "look", "near-contradiction", message, field="output", related=related)

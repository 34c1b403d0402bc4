"""Do rows mean the same in other words? Asked where an embedding is given."""

from collections.abc import Iterator

from tunesmith.core.units import count
from tunesmith.data.checks.base import AtTheEnd
from tunesmith.data.checks.contradictions import said
from tunesmith.data.checks.labels import listing
from tunesmith.data.checks.near import RELATED
from tunesmith.data.checks.scope import Scope
from tunesmith.data.finding import Finding
from tunesmith.data.meaning import MOST, clusters_by_meaning


class MeaningDuplicates(AtTheEnd):
    """One finding for each cluster; what the near duplicates say already is not said again."""

    def __init__(self, scope: Scope):
        self._scope = scope
        self._kept = scope.kept

    def close(self) -> Iterator[Finding]:
        if self._scope.embed is None:
            return
        kept = self._kept
        cluster_of = {row: number for number, cluster in enumerate(kept.near) for row in cluster}
        for cluster in clusters_by_meaning(self._scope.vectors):
            rows = [row for row in (kept.distinct[number] for number in cluster) if kept.usable(row)]
            if len({cluster_of.get(row, -row - 1) for row in rows}) > 1:
                yield self._finding(rows)
        if len(kept.distinct) > MOST:
            message = f"Repeats by meaning were looked for among the first {MOST:,} of {len(kept.distinct):,} texts."
            yield kept.finding(0, "note", "meaning-limit", message, excerpt="")

    def _finding(self, rows: list[int]) -> Finding:
        kept = self._kept
        others = [kept.origin(row) for row in rows[1:]]
        differ = kept.labelled and len({kept.answer(row) for row in rows}) > 1
        check = "meaning-contradiction" if differ else "meaning-duplicate"
        what = f", with different labels: {said(kept, rows)}" if differ else ""
        message = f"Means nearly the same as {count(len(others), 'other row')} ({listing(others)}){what}."
        return kept.finding(rows[0], "look", check, message, related=tuple(others[:RELATED]))

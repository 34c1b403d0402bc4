"""Does the same input have different outputs? Different labels or records contradict each other; different texts are
variety."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.data.checks.base import AtTheEnd
from tunesmith.data.checks.kept import Group, Kept
from tunesmith.data.checks.labels import NAMED, listing
from tunesmith.data.checks.scope import Scope
from tunesmith.data.finding import Finding
from tunesmith.data.normal import currencies


class Contradictions(AtTheEnd):
    def __init__(self, scope: Scope):
        self._kept = scope.kept
        self._one_right = scope.kept.labelled or scope.kept.counted is not None

    def close(self) -> Iterator[Finding]:
        for rows in self._kept.repeated:
            for group in disputes(self._kept, rows):
                yield self._contradiction(group) if self._one_right else self._variety(group)

    def _contradiction(self, rows: Group) -> Finding:
        kept = self._kept
        related = tuple(kept.origin(row) for row in rows[1:])
        what = f"labels: {said(kept, rows)}" if kept.labelled else f"answers: see {listing(related)}"
        message = f"The same input has different {what} ({count(len(rows), 'row')} in all). Keep the right one."
        return kept.finding(rows[0], "stop", "contradiction", message, field="output", related=related)

    def _variety(self, rows: Group) -> Finding:
        kept = self._kept
        related = tuple(kept.origin(row) for row in rows[1:])
        message = (
            f"The same input has {count(len({kept.answer(row) for row in rows}), 'different answer')}: see "
            f"{listing(related)}. Good where several are right; `split` keeps them in one part."
        )
        return kept.finding(rows[0], "look", "several-answers", message, field="output", related=related)


def disputes(kept: Kept, rows: Group) -> list[Group]:
    """Those of `rows`, which have the same text, that differ in their output; apart where a currency sign differs."""
    if len({kept.answer(row) for row in rows}) < 2:
        return []
    groups: defaultdict[tuple[str, ...], Group] = defaultdict(list)
    for row in rows:
        groups[currencies(kept.text(row))].append(row)
    return [group for group in groups.values() if len({kept.answer(row) for row in group}) > 1]


def said(kept: Kept, rows: Sequence[int]) -> str:
    """Who says what: the first row of each label."""
    first: dict[str, int] = {}
    for row in rows:
        first.setdefault(kept.label(row), row)
    return ", ".join(f"{kept.origin(row)} says '{shown(label)}'" for label, row in list(first.items())[:NAMED])

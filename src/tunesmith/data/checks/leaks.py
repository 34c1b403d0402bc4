"""Does the eval set know a row already?"""

from collections import Counter
from collections.abc import Iterator

from tunesmith.core.example import Example
from tunesmith.core.units import count
from tunesmith.data.checks.base import about
from tunesmith.data.checks.scope import Scope
from tunesmith.data.finding import Finding, place, shown
from tunesmith.data.leaks import EvalIndex, is_cut_from


class Leaks:
    """Rows of the eval set itself, which `split` cut from the sources, are counted, not listed."""

    def __init__(self, scope: Scope):
        self._index = EvalIndex(scope.eval_set)
        self._what = "label" if scope.labelled else "answer"
        self._cut: Counter[str] = Counter()

    def see(self, row: Example) -> tuple[Finding, ...]:
        found = self._index.twin(row)
        if found is None:
            return ()
        twin, by = found
        if by == "text" and is_cut_from(row, twin):
            self._cut[place(row.origin)[0]] += 1
            return ()
        return (self._finding(row, twin, by),)

    def close(self) -> Iterator[Finding]:
        for file, rows in sorted(self._cut.items()):
            yield Finding(
                severity="note",
                check="eval-rows",
                file=file,
                line=0,
                message=f"{count(rows, 'row')} of {file} form the eval set; `split` leaves them out of training.",
            )

    def _finding(self, row: Example, twin: Example, by: str) -> Finding:
        what = (
            "Stands in the eval set as well"
            if by == "text"
            else f"Its group '{shown(row.group or '')}' is in the eval set"
        )
        differs = by == "text" and twin.expected != row.expected
        other = f", with another {self._what} ('{shown(twin.expected)}')" if differs else ""
        message = f"{what} ({twin.origin}){other}; `split` leaves it out of training."
        return about(row, "look", "leak", message, related=(twin.origin,))

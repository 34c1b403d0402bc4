"""Of sets of labels: has each label enough rows, and is each declared one used?"""

from collections import Counter
from collections.abc import Iterator, Sequence

from tunesmith.core.example import Example
from tunesmith.core.units import count
from tunesmith.data.checks.labels import FEW_ROWS, NAMED, SETTINGS, listing
from tunesmith.data.finding import Finding
from tunesmith.tasks.label_sets import EMPTY, strata


class SetCounts:
    """Counts the rows of every label, and those without one."""

    def __init__(self, declared: Sequence[str] | None):
        self._declared = declared
        self._uses: Counter[str] = Counter()
        self._sets: Counter[str] = Counter()

    def see(self, row: Example) -> tuple[Finding, ...]:
        self._uses.update(strata(row.expected))
        self._sets[row.expected] += 1
        return ()

    def close(self) -> Iterator[Finding]:
        uses = {label: rows for label, rows in self._uses.items() if label != EMPTY}
        if not uses:
            return
        several = sum(rows for said, rows in self._sets.items() if "," in said)
        ordered = sorted(uses, key=lambda label: (-uses[label], label))
        counts = listing([f"{label} ({uses[label]:,})" for label in ordered])
        message = (
            f"{count(len(uses), 'label')} in {count(len(self._sets), 'different set')}: {counts}. "
            f"{count(several, 'row')} with several labels, {self._uses[EMPTY]:,} with none."
        )
        yield _note("label-sets", message)
        if unused := [label for label in self._declared or () if label not in uses]:
            named = f"{count(len(unused), 'label')} under [task] labels without a row: {listing(unused)}."
            yield _note("unused-label", named)
        if few := sorted((label for label in uses if uses[label] < FEW_ROWS), key=lambda label: (uses[label], label)):
            words = [f"{label} ({uses[label]})" for label in few[:NAMED]] + few[NAMED:]
            yield _note("few-rows", f"{count(len(few), 'label')} with fewer than {FEW_ROWS} rows: {listing(words)}.")


def _note(check: str, message: str) -> Finding:
    return Finding(severity="note", check=check, file=SETTINGS, line=0, field="task.labels", message=message)

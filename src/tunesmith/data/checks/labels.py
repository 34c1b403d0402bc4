"""Are the labels those that are meant, and has each enough rows?"""

from collections.abc import Iterator, Sequence

from tunesmith.core.errors import nearest
from tunesmith.core.example import Example
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.data.checks.base import AtTheEnd, about
from tunesmith.data.checks.scope import Scope
from tunesmith.data.finding import Finding
from tunesmith.tasks.labels import label_of

SETTINGS = "tunesmith.toml"
FEW_ROWS = 10
NAMED = 10  # labels or places that one message lists
GUESSED = 50  # different unknown labels for which the nearest is sought
LONGEST_GUESS = 100  # characters of a label worth comparing


class UnknownLabels:
    """Labels that [task] labels does not list."""

    def __init__(self, scope: Scope):
        self._names = None if scope.kept.declared is None else list(scope.kept.declared)
        self._known = set(self._names or ())
        self._hints: dict[str, str] = {}

    def see(self, row: Example) -> tuple[Finding, ...]:
        if self._names is None or row.expected in self._known:
            return ()
        message = (
            f"The label '{shown(row.expected)}' is none of the {len(self._names)} under [task] labels"
            f"{self._hint(row.expected, self._names)}."
        )
        return (about(row, "stop", "unknown-label", message, field="output"),)

    def close(self) -> tuple[Finding, ...]:
        return ()

    def _hint(self, label: str, names: list[str]) -> str:
        if label not in self._hints and len(self._hints) < GUESSED:
            same = label_of(label, names)
            near = nearest(label, names) if len(label) <= LONGEST_GUESS else ""
            self._hints[label] = f" (did you mean '{same}'? It must be written exactly so)" if same else near
        return self._hints.get(label, "")


class LabelVariants(AtTheEnd):
    """Without declared labels: those that differ from a more frequent one only in case or outer spaces."""

    def __init__(self, scope: Scope):
        self._kept = scope.kept

    def close(self) -> Iterator[Finding]:
        kept = self._kept
        uses = dict(zip(kept.labels, kept.uses, strict=True))
        for position in kept.rows_of(frozenset(kept.variants)):
            label = kept.variants[kept.answer(position)]
            rows = count(uses.get(label, 0) + kept.known.get(label, 0), "row")
            message = (
                f"The label '{shown(kept.label(position))}' differs from '{shown(label)}' ({rows}) only in case or "
                "outer spaces; write it the same."
            )
            yield kept.finding(position, "stop", "label-variant", message, field="output")


class UnseenLabels(AtTheEnd):
    """Labels of the eval set that no row of the sources has, each once: nothing can learn them.

    Where labels are declared, they say what is meant.
    """

    def __init__(self, scope: Scope):
        self._kept = scope.kept

    def close(self) -> Iterator[Finding]:
        kept = self._kept
        if kept.declared is not None or not kept.known:
            return
        for number, label in enumerate(kept.labels):
            if label not in kept.known and number not in kept.mislabelled:
                message = (
                    f"No row of the sources has the label '{shown(label)}' ({count(kept.uses[number], 'row')} of "
                    "the eval set): it cannot be learned. Add rows to learn it from, or correct it."
                )
                yield kept.finding(kept.label_first[number], "look", "unseen-label", message, field="output")


class LabelCounts(AtTheEnd):
    """Declared labels without a row, and labels with few."""

    def __init__(self, scope: Scope):
        self._kept = scope.kept

    def close(self) -> Iterator[Finding]:
        kept = self._kept
        numbers = [number for number in range(len(kept.labels)) if number not in kept.mislabelled]
        uses = {kept.labels[number]: kept.uses[number] for number in numbers}
        if unused := [label for label in kept.declared or () if label not in uses]:
            yield Finding(
                severity="note",
                check="unused-label",
                file=SETTINGS,
                line=0,
                field="task.labels",
                message=f"{count(len(unused), 'label')} under [task] labels without a row: {listing(unused)}.",
            )
        if few := sorted((label for label in uses if uses[label] < FEW_ROWS), key=lambda label: (uses[label], label)):
            words = [f"{label} ({uses[label]})" for label in few[:NAMED]] + few[NAMED:]
            message = f"{count(len(few), 'label')} with fewer than {FEW_ROWS} rows: {listing(words)}."
            first = next(kept.label_first[number] for number in numbers if kept.labels[number] == few[0])
            yield kept.finding(first, "note", "few-rows", message, field="output", excerpt="")


def listing(words: Sequence[str]) -> str:
    """The first few of `words`, and how many more there are."""
    more = f" and {len(words) - NAMED:,} more" if len(words) > NAMED else ""
    return ", ".join(shown(word) for word in words[:NAMED]) + more

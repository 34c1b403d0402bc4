"""Facts that change: prices, dates, versions, web addresses and reference numbers that an answer states and its input
does not.

A model that learns them goes on saying them after they have changed; they belong in retrieval, from where they reach
the answer through the input. What counts as stated, and as the same, is that of `tasks/stated`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from tunesmith.core.example import Example
from tunesmith.core.texts import shown
from tunesmith.core.units import count, share
from tunesmith.data.checks.base import about
from tunesmith.data.finding import Finding, place
from tunesmith.tasks.stated import KINDS, Kind, Value, first_of, meanings

NAMED = 20  # rows of each kind that are listed; all are counted


def unstated(row: Example, kind: Kind, prompt: Value) -> list[tuple[str, Value]]:
    """What of a kind the answer states and its input does not, nor the prompt, which means `prompt`."""
    stated = list(first_of(kind.written(row.expected)))
    if not stated:
        return []
    known = prompt | meanings(kind, row.text)
    return [(writing, value) for writing, value in stated if not value & known]


class FactsCheck:
    """Only for free text and fields: a label has no facts. `prompt` is the task's, which every input begins with."""

    def __init__(self, prompt: str = ""):
        self._prompt = {kind.name: meanings(kind, prompt) for kind in KINDS}
        self._rows = 0
        self._with: Counter[str] = Counter()
        self._first: dict[str, tuple[str, str]] = {}  # kind → file and value of the first

    def see(self, row: Example) -> Iterable[Finding]:
        self._rows += 1
        return [finding for kind in KINDS for finding in self._of_kind(row, kind)]

    def _of_kind(self, row: Example, kind: Kind) -> Iterator[Finding]:
        new = list(dict.fromkeys(writing for writing, _ in unstated(row, kind, self._prompt[kind.name])))
        if not new:
            return
        self._with[kind.name] += 1
        self._first.setdefault(kind.name, (place(row.origin)[0], new[0]))
        if self._with[kind.name] > NAMED:
            return
        more = f" and {len(new) - 1:,} more" if len(new) > 1 else ""
        message = f"States {kind.words[0]} that its input does not have{more}."
        yield about(row, "look", "changing-fact", message, field="output", excerpt=shown(new[0]))

    def close(self) -> Iterable[Finding]:
        for kind in KINDS:
            if rows := self._with[kind.name]:
                file, value = self._first[kind.name]
                listed = f"; {NAMED} are listed" if rows > NAMED else ""
                message = (
                    f"{count(rows, 'answer')} ({share(rows / self._rows)}) with {kind.words[1]} that are not in the "
                    f"input{listed}. What changes belongs in retrieval: give it in the input, or leave it out."
                )
                yield Finding(
                    severity="look", check="changing-fact", file=file, line=0, message=message, excerpt=shown(value)
                )

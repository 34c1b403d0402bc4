"""Whether the rows cover what the model will meet: how many there are, how they are spread, and what is missing.

The numbers asked for are those of practitioners' guides for the kind of task, which the rows themselves show: labels,
answers that are JSON, conversations or tools, else a tone. Figures, not judgements: what few rows can do, the
evaluation measures.
"""

import heapq
import math
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tunesmith.core.example import Example
from tunesmith.core.texts import shown
from tunesmith.core.units import count, share
from tunesmith.data.draw import Draw
from tunesmith.data.finding import Finding, Severity, place
from tunesmith.data.replies import BEGINNING, asks_back, escalates, refuses
from tunesmith.data.sensitive.quoting import quoted

FEWEST = 20  # rows that a spread is judged on
FEWEST_ANSWERS = 50  # that "hardly any of them" means something of
HARDLY_ANY = 0.005  # of the answers
DRAWN = 5_000  # answers that are read, however many there are
READ = 2 * BEGINNING
UNEVEN = 10  # times as many rows as the median label has
MOST_OF_ALL = 0.5  # of the rows, with three labels and more
FAR_OUT = 3.0  # spreads between quartiles, of the logarithm of lengths (Tukey's outer fence)
LEAST_SPREAD = math.log(2)
EXTREMES = 20  # places that are kept


class Goal(NamedTuple):
    name: str
    low: int
    high: int | None


CLASSIFICATION = Goal("classification", 200, 1_000)
STRUCTURED = Goal("structured replies", 200, 1_000)
COMPLEX = Goal("complex work, with several turns or tools", 1_000, None)
TONE = Goal("a tone or a style", 50, 200)

WORD = re.compile(r"[^\W\d_]+")
SLICES = {  # what the words of a slice's or a label's name begin with
    "edge cases": ("edge", "corner", "rare", "unusual"),
    "ambiguous cases": ("ambig", "unclear", "vague"),
    "refusals": ("refus", "declin", "reject", "unsafe", "forbidden", "policy"),
    "escalations": ("escalat", "handover", "hand over", "human", "agent"),
    "'I need more information'": ("more info", "missing", "incomplete", "clarif", "ask back", "unknown"),
}
SHOWN_BY_ANSWERS = {"refusals": refuses, "escalations": escalates, "'I need more information'": asks_back}


class Lengths:
    """The lengths of a field, and where the longest and the shortest of them stand."""

    def __init__(self) -> None:
        self.all = array("I")
        self.longest: list[tuple[int, str, str]] = []
        self.shortest: list[tuple[int, str, str]] = []

    def add(self, text: str, origin: str) -> None:
        length = len(text)
        self.all.append(length)
        for heap, sign in ((self.longest, 1), (self.shortest, -1)):
            if len(heap) < EXTREMES or sign * length > heap[0][0]:
                entry = (sign * length, origin, quoted(text))
                heapq.heappush(heap, entry) if len(heap) < EXTREMES else heapq.heapreplace(heap, entry)


class Coverage:
    """The check. `labelled`: outputs are labels."""

    def __init__(self, *, labelled: bool):
        self._labelled = labelled
        self._rows = self._structured = self._complex = 0
        self._labels: Counter[str] = Counter()
        self._slices: Counter[str] = Counter()
        self._draw = Draw(DRAWN)
        self._answers: list[str] = []  # the beginnings of those drawn
        self._lengths = {"input": Lengths()} if labelled else {"input": Lengths(), "output": Lengths()}
        self._files: dict[str, None] = {}  # files, in order

    def see(self, row: Example) -> Iterable[Finding]:
        self._rows += 1
        self._files.setdefault(place(row.origin)[0])
        self._complex += bool(row.tools) or len(row.messages) > 1
        self._lengths["input"].add(row.text, row.origin)
        if row.slice is not None:
            self._slices[row.slice] += 1
        if self._labelled:
            self._labels[row.expected] += 1
            return ()
        self._structured += row.expected.lstrip()[:1] in ("{", "[")
        self._lengths["output"].add(row.expected, row.origin)
        at = self._draw.place()
        if at is not None:
            self._answers[at : at + 1] = [row.expected[:READ]]
        return ()

    def close(self) -> Iterable[Finding]:
        if not self._rows:
            return
        yield from self._amount()
        yield from self._balance()
        yield from self._missing()
        for field, lengths in self._lengths.items():
            yield from _extremes(field, lengths)

    @property
    def goal(self) -> Goal:
        if self._labelled:
            return CLASSIFICATION
        if self._structured > self._rows / 2:
            return STRUCTURED
        return COMPLEX if self._complex > self._rows / 2 else TONE

    def _amount(self) -> Iterator[Finding]:
        goal, rows = self.goal, count(self._rows, "row")
        asked = f"{goal.low:,} to {goal.high:,}" if goal.high else f"{goal.low:,} and more"
        if self._rows < goal.low:
            message = f"{rows}; for {goal.name} the guides ask for {asked}. Collect more before you expect much."
            yield self._about_all("look", "amount", message)
        elif goal.high and self._rows < goal.high:
            yield self._about_all("note", "amount", f"{rows}; for {goal.name} the guides ask for {asked}.")

    def _balance(self) -> Iterator[Finding]:
        uses = self._labels.most_common()
        if len(uses) < 3 or self._rows < FEWEST:
            return
        (label, most), median = uses[0], uses[len(uses) // 2][1]
        if most >= UNEVEN * median or most > MOST_OF_ALL * self._rows:
            message = (
                f"Uneven: '{shown(label)}' has {most:,} of {count(self._rows, 'row')} ({share(most / self._rows)}), "
                f"the median label {median:,}, the rarest {uses[-1][1]:,}. Macro-F1 shows what accuracy would hide."
            )
            yield self._about_all("note", "balance", message)

    def _missing(self) -> Iterator[Finding]:
        """Kinds of rows that nothing shows: no slice, no label, no answer."""
        if self._rows < FEWEST_ANSWERS:
            return
        names = [f" {' '.join(WORD.findall(name.casefold()))}" for name in (*self._slices, *self._labels)]
        shown_by = [{kind for kind, shows in SHOWN_BY_ANSWERS.items() if shows(text)} for text in self._answers]
        few = HARDLY_ANY * len(self._answers)
        missing = [
            kind
            for kind, words in SLICES.items()
            if sum(kind in kinds for kinds in shown_by) <= few
            and not any(f" {word}" in name for word in words for name in names)
        ]
        unhappy = sum(map(bool, shown_by))
        if not self._labelled and unhappy <= few and missing[-3:] == list(SHOWN_BY_ANSWERS):
            drawn = " drawn" if len(self._answers) < self._rows else ""
            message = (
                f"Only happy paths: {unhappy or 'none'} of {len(self._answers):,} answers{drawn} refuse, hand over to "
                "a person or ask for what is missing (in English words), so the model learns always to answer. Add "
                "rows where that is wrong, unless it never is."
            )
            yield self._about_all("look", "happy-paths", message)
            missing = missing[:-3]
        if missing:
            what = "slice or label" if self._labelled else "slice or answer"
            how = "" if self._slices else " No row names its slice ([data] slice), by which results could be parted."
            message = f"No {what} shows {', '.join(missing)}.{how}"
            yield self._about_all("note", "missing-slices", message)

    def _about_all(self, severity: Severity, check: str, message: str) -> Finding:
        return Finding(severity=severity, check=check, file=next(iter(self._files)), line=0, message=message)


def _extremes(field: str, lengths: Lengths) -> Iterator[Finding]:
    ordered = sorted(lengths.all)
    if len(ordered) < FEWEST:
        return
    low, median, high = (ordered[len(ordered) * part // 4] for part in (1, 2, 3))
    spread = FAR_OUT * max(math.log(max(high, 1) / max(low, 1)), LEAST_SPREAD)
    for what, heap, limit in (
        ("longer", lengths.longest, high * math.exp(spread)),
        ("shorter", lengths.shortest, low / math.exp(spread)),
    ):
        number = sum(length > limit if what == "longer" else length < limit for length in ordered)
        if not number:
            continue
        far = [entry for entry in sorted(heap, reverse=True) if (abs(entry[0]) > limit) == (what == "longer")]
        file, line = place(far[0][1])
        yield Finding(
            severity="note",
            check="length",
            file=file,
            line=line,
            field=field,
            message=f"{count(number, field)} far {what} than the others: this one has {abs(far[0][0]):,} characters, "
            f"half of them at most {median:,}.",
            excerpt=far[0][2],
            related=tuple(entry[1] for entry in far[1:number]),
        )

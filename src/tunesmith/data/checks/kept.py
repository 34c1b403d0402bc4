"""What is kept of every row that went past: its place, its answer, the key of its text, and the text itself on disk.

A row takes some 40 bytes of memory; where its text is new, its sketch and its key take 300 more. Two texts count as
the same where 64 bits of the digests of their keys agree. Answers of a task with labels are numbered, since few
differ; free texts are compared by digest.
"""

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from tunesmith.core.example import Example, Message
from tunesmith.data.finding import Finding, Severity, place
from tunesmith.data.near import clusters
from tunesmith.data.normal import normalise
from tunesmith.data.sensitive.quoting import quoted
from tunesmith.data.sketches import Sketches
from tunesmith.data.spool import Spool

LAST_LINE = (1 << 32) - 1
Group = list[int]  # positions of rows, in order


class Kept:
    """Implements `Check`, though it finds nothing: it goes before the checks, which look rows up by position.

    `declared`: the labels under [task]. `known`: label → rows elsewhere, whose writing goes before that of these rows.
    `counted`: what of an answer decides whether it is right, where one is and answers are no labels. `sketching`:
    whether texts that are nearly the same will be asked for.
    """

    def __init__(
        self,
        *,
        labelled: bool,
        declared: Sequence[str] | None = None,
        known: Mapping[str, int] | None = None,
        counted: Callable[[str], str] | None = None,
        sketching: bool = True,
    ):
        self.labelled = labelled
        self.declared = declared
        self.counted = counted
        self.known = known or {}
        self.labels: list[str] = []  # by number, in the order they were met
        self.uses: list[int] = []  # rows of each label
        self.label_first: list[int] = []  # the first row of each label
        self._sketching = sketching
        self._numbers: dict[str, int] = {}
        self._files: list[str] = []
        self._file_numbers: dict[str, int] = {}
        self._file, self._line = array("I"), array("I")
        self._answer, self._first = array("Q"), array("I")
        self._by_key: dict[int, int] = {}
        self._texts = Spool()
        self.last_key = ""  # the normalised text of the row that was seen last
        self.sketches = Sketches()  # of the distinct texts
        self.distinct = array("I")  # the first row of each

    def __len__(self) -> int:
        return len(self._line)

    def see(self, row: Example) -> tuple[Finding, ...]:
        position = len(self._line)
        file, line = place(row.origin)
        if line > LAST_LINE:  # an origin that somebody wrote, no line of a file
            file, line = row.origin, 0
        number = self._file_numbers.setdefault(file, len(self._files))
        if number == len(self._files):
            self._files.append(file)
        self._file.append(number)
        self._line.append(line)
        said = self.counted(row.expected) if self.counted else row.expected
        self._answer.append(self._number(said, position) if self.labelled else _digest(said))
        text = row.text
        self.last_key = key = normalise(text)
        first = self._by_key.setdefault(_digest("\0".join((key, *row.tools))), position)
        if first == position:
            if self._sketching:
                self.sketches.add(key)
            self.distinct.append(position)
        self._first.append(first)
        self._texts.append(text)
        return ()

    def close(self) -> tuple[Finding, ...]:
        return ()

    def _number(self, label: str, position: int) -> int:
        number = self._numbers.setdefault(label, len(self.labels))
        if number == len(self.labels):
            self.labels.append(label)
            self.uses.append(0)
            self.label_first.append(position)
        self.uses[number] += 1
        return number

    def answer(self, position: int) -> int:
        """What two rows with the same expected output have in common; the label's number where there are labels."""
        return self._answer[position]

    def label(self, position: int) -> str:
        return self.labels[self._answer[position]]

    def text(self, position: int) -> str:
        return self._texts[position]

    def example(self, position: int) -> Example:
        """The row as far as it is kept: its text as one message, its label where there are labels."""
        return Example(
            messages=(Message(role="user", content=self.text(position)),),
            expected=self.label(position) if self.labelled else "",
            origin=self.origin(position),
        )

    def key(self, position: int) -> str:
        return normalise(self.text(position))

    def first(self, position: int) -> int:
        """The first row with the text of this one."""
        return self._first[position]

    def origin(self, position: int) -> str:
        file, line = self._files[self._file[position]], self._line[position]
        return f"{file}:{line}" if line else file

    def finding(self, position: int, severity: Severity, check: str, message: str, **more: Any) -> Finding:
        """A finding about a row, which is quoted unless `more` says otherwise."""
        file, line = self._files[self._file[position]], self._line[position]
        excerpt = more.pop("excerpt", None)
        words = quoted(self.text(position)) if excerpt is None else excerpt
        return Finding(severity=severity, check=check, file=file, line=line, message=message, excerpt=words, **more)

    @cached_property
    def variants(self) -> dict[int, str]:
        """Once all rows are seen, and without declared labels: the number of each label that differs from a more
        frequent one only in case or outer spaces → that one."""
        if self.declared is not None or not self.labelled:
            return {}
        total = {label: number + self.known.get(label, 0) for label, number in zip(self.labels, self.uses, strict=True)}
        total |= {label: number for label, number in self.known.items() if label not in total}
        usual: dict[str, str] = {}
        for label in sorted(total, key=lambda label: (-self.known.get(label, 0), -total[label], label)):
            usual.setdefault(label.strip().casefold(), label)
        written = ((number, label, usual[label.strip().casefold()]) for number, label in enumerate(self.labels))
        return {number: right for number, label, right in written if right != label}

    @cached_property
    def mislabelled(self) -> frozenset[int]:
        """The numbers of labels that cannot stay as they are, once all rows are seen."""
        if self.declared is not None and self.labelled:
            declared = set(self.declared)
            return frozenset(number for number, label in enumerate(self.labels) if label not in declared)
        return frozenset(self.variants)

    def usable(self, position: int) -> bool:
        return not self.labelled or self._answer[position] not in self.mislabelled

    def rows_of(self, labels: frozenset[int]) -> Iterator[int]:
        """The rows of these labels, in order."""
        if labels:
            yield from (position for position, number in enumerate(self._answer) if number in labels)

    @cached_property
    def near(self) -> list[Group]:
        """Once all rows are seen: those whose texts are nearly the same, of each text its first row; usable or not."""
        return [
            [self.distinct[number] for number in cluster]
            for cluster in clusters(self.sketches, lambda number: self.key(self.distinct[number]))
        ]

    @cached_property
    def repeated(self) -> list[Group]:
        """Once all rows are seen: the usable rows of each text that several of them have, in order."""
        groups: defaultdict[int, Group] = defaultdict(list)
        for position, first in enumerate(self._first):
            if position != first:
                groups[first].append(position)
        whole = ([first, *others] for first, others in sorted(groups.items()))
        usable = ([position for position in group if self.usable(position)] for group in whole)
        return [group for group in usable if len(group) > 1]


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")

"""Whose rows are to be forgotten, and where they stand: by group, by content, and by what was made of them."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tunesmith.core.example import Example
from tunesmith.core.record import Record
from tunesmith.data.fields import RowError
from tunesmith.data.fields import name as named
from tunesmith.data.lines import delimiter_of, split_cells
from tunesmith.data.reviews import Decision


class Subject(Record):
    """`groups` as they were named, and the `ids` of rows that were. `said` are the ids of all their rows, by which they
    are known where they have no group: a row of another group that says the same is another's. `texts` are what the
    rows say, to find them in broken ones."""

    groups: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    said: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()

    def covers(self, row: Example) -> bool:
        """Whether `row` is the subject's, or was made from one that is."""
        if row.group in self.groups or row.id in self.ids or (row.group is None and row.id in self.said):
            return True
        return row.made is not None and row.made.source in self.ids | self.said

    def joined(self, rows: Iterable[Example]) -> "Subject":
        """With the content of `rows`."""
        rows = list(rows)
        texts = self.texts | {text for row in rows for text in (row.text, row.messages[-1].content)}
        said = self.said | {row.id for row in rows}
        return self.model_copy(update={"said": said, "texts": texts})

    def in_raw(self, raw: str, source: str = "") -> bool:
        """Whether a row that was set aside, as it stood in its `source`, is the subject's: one of its cells says so.

        A row that cannot be taken apart is, where a group's name or a text occurs in it.
        """
        cells = cells_of(raw, source)
        if len(cells) < 2:
            return any(known in raw for known in self.groups | self.texts)
        return any(cell in self.groups or cell in self.texts for cell in cells)

    def with_raw(self, raws: Iterable[tuple[str, str]]) -> "Subject":
        """With what rows say that were set aside, each with its source: the longest of their cells."""
        said = {max(cells_of(*each), key=len, default="") for each in raws if self.in_raw(*each)}
        return self.model_copy(update={"texts": self.texts | (said - {""} - self.groups)})


def became(ids: Iterable[str], decisions: Sequence[Decision]) -> frozenset[str]:
    """`ids`, and those of the rows that they became when reviewers edited them, however often."""
    found = set(ids)
    while more := {each.becomes for each in decisions if each.becomes and each.row in found} - found:
        found |= more
    return frozenset(found)


def cells_of(raw: str, source: str = "") -> list[str]:
    """The texts of a row as it stood in its source, JSON or a table's; none where it cannot be taken apart."""
    try:
        return list(_texts(json.loads(raw)))
    except (ValueError, RecursionError):
        if raw.lstrip().startswith("{"):
            return []
    try:  # so it is a table's
        return split_cells(raw, delimiter_of(Path(source)) or b",")
    except csv.Error:
        return []


def _texts(value: Any) -> Iterable[str]:
    """Every text below a JSON value, and whole numbers as the names of groups that they may be."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
        return
    try:
        if found := named(value, "cell"):
            yield found
    except RowError:
        return  # true, false, a fraction: no name

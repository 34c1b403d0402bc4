"""A data set is named by what its rows say: the digest of their ids, weights and groups, in whatever order they stand.

Two of them differ in rows that only one has. Of these, a row whose input both have was changed: its answer, weight,
slice or group is another.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from tunesmith.core.digests import digest
from tunesmith.core.example import Example
from tunesmith.core.record import Record

Key = tuple[str, float, str | None, str | None]


class Change(Record):
    before: Example
    after: Example


class Difference(Record):
    added: tuple[Example, ...]
    removed: tuple[Example, ...]
    changed: tuple[Change, ...]
    same: int


def name_of(rows: Iterable[Example]) -> str:
    """The digest that names a data set."""
    return digest("data-set", 2, rows=sorted([row.id, row.weight, row.slice or "", row.group or ""] for row in rows))


def difference(before: Sequence[Example], after: Sequence[Example]) -> Difference:
    """What `after` has and `before` has not, and the other way round, each in the order of its rows."""
    removed, added = _without(before, after), _without(after, before)
    left: defaultdict[str, list[Example]] = defaultdict(list)
    for row in reversed(removed):
        left[_input(row)].append(row)
    changed, new = [], []
    for row in added:
        if left[_input(row)]:
            changed.append(Change(before=left[_input(row)].pop(), after=row))
        else:
            new.append(row)
    gone = {id(row) for rows in left.values() for row in rows}
    return Difference(
        added=tuple(new),
        removed=tuple(row for row in removed if id(row) in gone),
        changed=tuple(changed),
        same=len(after) - len(added),
    )


def _without(rows: Sequence[Example], others: Sequence[Example]) -> list[Example]:
    """Those of `rows` that `others` have not, each as often as it is missing there."""
    there = Counter(map(_key, others))
    missing = []
    for row in rows:
        if there[_key(row)]:
            there[_key(row)] -= 1
        else:
            missing.append(row)
    return missing


def _key(row: Example) -> Key:
    return row.id, row.weight, row.slice, row.group


def _input(row: Example) -> str:
    """What the row asks, whatever its answer."""
    return row.answered("").id

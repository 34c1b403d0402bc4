"""How a record is put together from the values of its fields, so that it always satisfies the task's schema.

An absent value is written as the training rows write it most often: null, an empty text or list, or left out. Where
they always have a value, it is their most frequent one. Where the values together break the schema, the usual record
stands instead, with each value put in that still leaves it whole.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tunesmith.core.errors import DataError
from tunesmith.tasks.comparing import absent
from tunesmith.tasks.extraction import of_value
from tunesmith.tasks.records import Field, RecordError, value_at

Path = tuple[str, ...]
Values = Mapping[Path, Any]  # of every field, in the order of the schema; None: absent


class Form(NamedTuple):
    """`empty`: of a field, or of an object within the record, how it is written where it has no value: [] is left out,
    [null] is null. `usual`: the values of the usual record."""

    empty: dict[Path, list[Any]]
    usual: dict[Path, Any]

    def text(self, values: Values, schema: str) -> tuple[str, bool]:
        """The record's text, and whether all `values` stand in it."""
        if (text := self._text(values, schema)) is not None:
            return text, True
        kept = dict(self.usual)
        for path, value in values.items():
            trial = kept | {path: value}
            kept = trial if self._text(trial, schema) is not None else kept
        text = self._text(kept, schema)
        assert text is not None, "the usual record satisfies the schema"
        return text, False

    def _text(self, values: Values, schema: str) -> str | None:
        try:
            return of_value(self._put_together((), values)[0], schema)
        except RecordError:
            return None

    def _put_together(self, place: Path, values: Values) -> tuple[dict[str, Any], bool]:
        """The object at `place`, and whether anything in it has a value."""
        record: dict[str, Any] = {}
        full = False
        for key in dict.fromkeys(path[len(place)] for path in values if path[: len(place)] == place):
            path = (*place, key)
            if path in values:
                value, has = values[path], not absent(values[path])
            else:
                value, has = self._put_together(path, values)
            for written in [value] if has else self.empty.get(path, [value]):
                record[key] = written
            full |= has
        return record, full

    def as_json(self) -> dict[str, Any]:
        return {"empty": [*map(list, self.empty.items())], "usual": [*map(list, self.usual.items())]}


def opened(saved: Mapping[str, Any]) -> Form:
    empty, usual = ({tuple(path): value for path, value in saved[part]} for part in ("empty", "usual"))
    return Form(empty, usual)


def learned(records: Sequence[Mapping[str, Any]], fields: Sequence[Field], schema: str) -> Form:
    """Raises DataError where no record can be put together from the values of single fields."""
    paths = [field.path for field in fields]
    inner = dict.fromkeys(path[:length] for path in paths for length in range(1, len(path)))
    empty = {path: found for path in paths if (found := _empty_field(records, path)) is not None}
    empty |= {path: found for path in inner if (found := _empty_object(records, path)) is not None}
    single = {path: most([value_of(record, path) for record in records]) for path in paths}
    whole = ({path: value_of(record, path) for path in paths} for record in by_frequency(records))
    for usual in (single, *whole):
        form = Form(empty, usual)
        if form._text(usual, schema) is not None:
            return form
    raise DataError(
        "The task's schema ties its fields together, so that no record can be put together from the values of single "
        'fields. Take "majority" and "classical" out of [baselines] which.'
    )


def value_of(record: Mapping[str, Any], path: Path) -> Any:
    """The value of a field; None where it is absent in any way."""
    value = value_at(record, path)
    return None if absent(value) else value


def most(values: Sequence[Any]) -> Any:
    """The most frequent value."""
    return by_frequency(values)[0]


def by_frequency(values: Sequence[Any]) -> list[Any]:
    """The distinct values, the most frequent first; of equals, the first by its text."""
    counts = Counter(json.dumps(value, sort_keys=True) for value in values)
    return [json.loads(text) for text in sorted(counts, key=lambda text: (-counts[text], text))]


def _holders(records: Sequence[Mapping[str, Any]], path: Path) -> list[Mapping[str, Any]]:
    """The objects that may have the last key of `path`."""
    found = [value_at(record, path[:-1]) for record in records]
    return [holder for holder in found if isinstance(holder, dict)]


def _empty_field(records: Sequence[Mapping[str, Any]], path: Path) -> list[Any] | None:
    holders = _holders(records, path)
    written = [[holder[path[-1]]] if path[-1] in holder else [] for holder in holders]
    without = [each for each in written if not each or absent(each[0])]
    found: list[Any] = most(without or written) if written else []
    return found


def _empty_object(records: Sequence[Mapping[str, Any]], path: Path) -> list[Any] | None:
    """None: it stands there also where nothing in it has a value."""
    holders = _holders(records, path)
    without = [[None] if path[-1] in holder else [] for holder in holders if not isinstance(holder.get(path[-1]), dict)]
    found: list[Any] | None = most(without) if without else None
    return found

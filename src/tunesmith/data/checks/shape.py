"""Answers that are JSON: the fields, types and orders that vary from row to row, and those that are no JSON at all.

Every object is counted at its path: `$` is the answer, `$.items[]` what stands in its list. Of each path the sets of
field names are counted in their order, and the types of its values. What nearly all objects of a path agree on is the
schema that is meant; what the few do otherwise is a finding, with their places.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from tunesmith.core.example import Example
from tunesmith.core.texts import shown
from tunesmith.core.units import count, share
from tunesmith.data.checks.formatting import is_fenced
from tunesmith.data.finding import Finding, Severity, place

FEWEST = 10  # answers, or objects of a path, that are judged
CLEAR = 0.9  # of the objects of a path: a majority that is meant
RELATED = 100
MOST_PATHS = 500
MOST_SHAPES = 1_000  # different sets of field names of one path
DEEPEST = 6
MOST_ITEMS = 50  # items of one list that are looked at
LONGEST = 200_000  # characters of an answer that is parsed

Keys = tuple[str, ...]


class Places:
    """How many rows, and where the first of them stand."""

    def __init__(self) -> None:
        self.number = 0
        self.first: list[str] = []

    def add(self, origin: str) -> None:
        self.number += 1
        if len(self.first) <= RELATED and (not self.first or self.first[-1] != origin):
            self.first.append(origin)

    def __iadd__(self, other: "Places") -> "Places":
        self.number += other.number
        self.first = sorted({*self.first, *other.first}, key=place)[: RELATED + 1]
        return self


class Shape:
    """The check of answers that are free text."""

    def __init__(self) -> None:
        self._rows = 0
        self._json = 0
        self._others = Places()
        self._objects: dict[str, dict[Keys, Places]] = defaultdict(dict)
        self._types: dict[str, dict[str, Places]] = defaultdict(dict)

    def see(self, row: Example) -> Iterable[Finding]:
        self._rows += 1
        value = parsed(row.expected)
        if value is None:
            self._others.add(row.origin)
        else:
            self._json += 1
            self._look("$", value, row.origin, 0)
        return ()

    def close(self) -> Iterable[Finding]:
        if self._rows < FEWEST or self._json <= self._rows / 2:
            return
        if self._others.number:
            yield _finding(
                self._others,
                "not-json",
                f"{self._json:,} of {count(self._rows, 'output')} are JSON; {_few(self._others.number, self._rows)} "
                "are not. Write them as JSON, too, or the model answers in either.",
            )
        for path, shapes in self._objects.items():
            yield from _fields(path, shapes)
            yield from _orders(path, shapes)
        for path, types in self._types.items():
            yield from _kinds(path, types)

    def _look(self, path: str, value: Any, origin: str, depth: int) -> None:
        if path not in self._types and len(self._types) >= MOST_PATHS:
            return
        self._types[path].setdefault(kind(value), Places()).add(origin)
        if depth >= DEEPEST:
            return
        if isinstance(value, dict):
            shapes, keys = self._objects[path], tuple(value)
            if keys in shapes or len(shapes) < MOST_SHAPES:
                shapes.setdefault(keys, Places()).add(origin)
            for key, each in value.items():
                self._look(f"{path}.{key[:100]}", each, origin, depth + 1)
        elif isinstance(value, list):
            for each in islice(value, MOST_ITEMS):
                self._look(f"{path}[]", each, origin, depth + 1)


def parsed(text: str) -> Any:
    """The object or list that `text` is, also within a code fence; None where it is none."""
    inside = text.strip()
    if is_fenced(inside):
        inside = inside.partition("\n")[2].rpartition("\n")[0].strip()
    if inside[:1] not in ("{", "[") or len(inside) > LONGEST:
        return None
    try:
        return json.loads(inside)
    except (ValueError, RecursionError):
        return None


def kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    return {int: "number", float: "number", str: "text", list: "list", dict: "object"}[type(value)]


def _fields(path: str, shapes: dict[Keys, Places]) -> Iterator[Finding]:
    """Fields that few objects lack, and fields that few have."""
    total = sum(places.number for places in shapes.values())
    if total < FEWEST:
        return
    having: dict[str, Places] = {}
    for keys, places in shapes.items():
        for key in keys:
            having[key] = having.get(key, Places())
            having[key] += places
    for key, places in having.items():
        field, number = _shown(path, key), places.number
        if CLEAR * total <= number < total:
            lacking = _sum(each for keys, each in shapes.items() if key not in keys)
            message = f"'{field}' is missing in {_few(total - number, total)}; the others have it. {_STABLE}"
            yield _finding(lacking, "unstable-field", message)
        elif number <= (1 - CLEAR) * total:
            message = f"'{field}' stands in {_few(number, total)} alone; the others lack it. {_STABLE}"
            yield _finding(places, "unstable-field", message)
        elif number < total:
            message = f"'{field}' stands in {_few(number, total)}. Where it has no value, write null."
            yield _finding(places, "optional-field", message, "note", related=False)


def _orders(path: str, shapes: dict[Keys, Places]) -> Iterator[Finding]:
    """The same fields in another order than most."""
    alike: dict[Keys, list[Keys]] = defaultdict(list)
    for keys in shapes:
        alike[tuple(sorted(keys))].append(keys)
    for orders in alike.values():
        most = max(orders, key=lambda keys: shapes[keys].number)
        total = sum(shapes[keys].number for keys in orders)
        if len(orders) == 1 or total < FEWEST:
            continue
        others = _sum(shapes[keys] for keys in orders if keys != most)
        names = ", ".join(shown(key, 30) for key in most[:8]) + (", …" if len(most) > 8 else "")
        where = "" if path == "$" else f" of '{_shown(path)}'"
        message = (
            f"The fields{where} stand in another order in {_few(others.number, total)}; in the others it is {names}. "
            "What comes first cannot depend on what comes after it: keep one order."
        )
        yield _finding(others, "unstable-order", message)


def _kinds(path: str, types: dict[str, Places]) -> Iterator[Finding]:
    """Values of another type than most; null is the absence of one."""
    known = {name: places for name, places in types.items() if name != "null"}
    total = sum(places.number for places in known.values())
    if len(known) < 2 or total < FEWEST:
        return
    most = max(known, key=lambda name: known[name].number)
    for name, places in known.items():
        if name != most:
            what = "The answer" if path == "$" else f"'{_shown(path)}'"
            message = f"{what} is {name} in {_few(places.number, total)}, and {most} in most others. {_STABLE}"
            yield _finding(places, "unstable-type", message)


_STABLE = "Who reads the answers expects one schema."


def _few(number: int, total: int) -> str:
    return f"{number:,} of {total:,} ({share(number / total)})"


def _shown(path: str, key: str | None = None) -> str:
    """A path without its root, as a message names it."""
    whole = path if key is None else f"{path}.{key}"
    return shown(whole.removeprefix("$").removeprefix(".") or "$")


def _sum(every: Iterable[Places]) -> Places:
    total = Places()
    for places in every:
        total += places
    return total


def _finding(places: Places, check: str, message: str, severity: Severity = "look", *, related: bool = True) -> Finding:
    file, line = place(places.first[0])
    others: Sequence[str] = places.first[1:] if related else ()
    return Finding(
        severity=severity,
        check=check,
        file=file,
        line=line,
        field="output",
        message=message,
        related=tuple(others),
    )

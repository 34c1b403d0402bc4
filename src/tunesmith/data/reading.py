"""Files → examples and findings.

A row that cannot be read is a finding with its place, never an exception: the rest of the file still counts. Only a
file that holds no rows at all (missing, binary, without the named columns) is a DataError.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example
from tunesmith.core.files import write_text
from tunesmith.core.record import Record
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.data.canonical import CANONICAL_KEYS, OTHER, SOURCE, canonical_line
from tunesmith.data.containers.base import Items, Placed, finding, refuse_columns
from tunesmith.data.containers.excel import workbook
from tunesmith.data.containers.parquet import parquet
from tunesmith.data.containers.text import cells_of
from tunesmith.data.fields import SURROGATE, RowError
from tunesmith.data.finding import Finding, from_there, place
from tunesmith.data.lines import (
    PACKED,
    Hasher,
    RawRow,
    decoded,
    delimiter_of,
    is_packed,
    refuse_unreadable,
    split_rows,
)
from tunesmith.data.rows import (
    columns_of,
    example_of,
    from_columns,
    missing_columns,
    named,
    parse_json,
)
from tunesmith.data.section import CallSection, DataSection

CHUNK = 1 << 20
SUFFIXES = (".jsonl", ".csv", ".tsv")  # whose rows have their own bytes
Out = TypeVar("Out")


class Reading(Record):
    """One source: its examples, the findings of its broken rows, and the digest of the bytes they were read from."""

    examples: tuple[Example, ...]
    findings: tuple[Finding, ...]
    name: str = ""
    sha256: str = ""


class EvalRow(NamedTuple):
    """A row of an eval set, the line it stands on, and its columns that are not read."""

    example: Example
    line: int
    other: Mapping[str, Any]


class EvalReading(NamedTuple):
    """An eval set as its file has it: its rows, and the findings of the broken ones."""

    rows: tuple[EvalRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    name: str = ""

    @property
    def examples(self) -> tuple[Example, ...]:
        return tuple(row.example for row in self.rows)

    @property
    def placed(self) -> tuple[Example, ...]:
        """The examples with their place in this file as origin; a row that was cut says where it was cut from."""
        return tuple(row.example.model_copy(update={"origin": f"{self.name}:{row.line}"}) for row in self.rows)


def read(path: Path, section: DataSection, *, prompt: str, name: str) -> Reading:
    """Read a source; `name` is what origins and messages call it.

    Raises DataError where the file is missing, empty, binary, above 2 GiB, or a table without the named columns.
    """
    hasher = hashlib.sha256()
    examples: list[Example] = []
    findings: list[Finding] = []
    for outcome in scan(path, section, prompt=prompt, name=name, hasher=hasher):
        if isinstance(outcome, Example):
            examples.append(outcome)
        else:
            findings.append(outcome)
    return Reading(examples=tuple(examples), findings=tuple(findings), name=name, sha256=hasher.hexdigest())


def scan(
    path: Path, section: DataSection, *, prompt: str, name: str, hasher: Hasher | None = None
) -> Iterator[Example | Finding]:
    """What `read` reads, row by row, so that a file need not fit into memory; `hasher` is fed all its bytes.

    Raises DataError as `read` does, and at its end where there was no row.
    """
    _refuse_source(path, name)
    empty = True
    for outcome in _outcomes(path, section, prompt, name, hasher):
        empty = False
        yield outcome
    if empty:
        raise DataError(f"{name} holds no rows. Put rows into it, or take the file away.")


def _outcomes(
    path: Path, section: DataSection, prompt: str, name: str, hasher: Hasher | None
) -> Iterator[Example | Finding]:
    """What each row of a source is; `hasher` has seen all its bytes in the end."""

    sections: dict[tuple[str, ...], DataSection] = {}  # with the names that a row has

    def made(row: dict[str, Any], origin: str) -> Example:
        if "messages" not in row or "origin" not in row:
            return example_of(row, section, prompt=prompt, origin=origin)
        names = _names(row, section)
        key = tuple(names.values())
        if key not in sections:
            sections[key] = section.model_copy(update=names)
        return example_of(_imported(row, section.time), sections[key], prompt=prompt, origin=origin)

    if is_packed(path):
        yield from _read_table(path, name, made)
        with path.open("rb") as file:
            while hasher and (piece := file.read(CHUNK)):
                hasher.update(piece)
        return
    with path.open("rb") as file:
        delimiter = delimiter_of(path)
        rows = split_rows(file, delimiter, hasher=hasher)
        if delimiter:
            yield from _read_csv(rows, section, name, delimiter)
        else:
            yield from _read_jsonl(rows, name, made)


def _imported(row: dict[str, Any], time: str | None) -> dict[str, Any]:
    """A row that `import` wrote: `origin` says where it came from, which stays with it as its source, and the column
    `time` is among its other ones."""
    other = row.get(OTHER)
    kept = {time: other[time]} if time and isinstance(other, dict) and time in other else {}
    return kept | {SOURCE: row["origin"]} | row


def column_names(path: Path, name: str) -> Iterator[str]:
    """The columns of a source, each once, as they are met: a CSV's header, the keys of the rows of JSON Lines.

    Rows that cannot be read have none. Raises DataError where there is no file of rows, or no header.
    """
    _refuse_source(path, name)
    if is_packed(path):
        yield from dict.fromkeys(key for item in _unpacked(path, name) if isinstance(item, Placed) for key in item.row)
        return
    with path.open("rb") as file:
        delimiter = delimiter_of(path)
        rows = split_rows(file, delimiter)
        if delimiter:
            yield from dict.fromkeys(_header(rows, name, delimiter))
            return
        seen: set[str] = set()
        for raw in rows:
            with suppress(RowError):
                row = {} if raw.blank else parse_json(decoded(raw))
                yield from (key for key in row if key not in seen)
                seen.update(row)


def read_eval_set(path: Path, section: DataSection, *, prompt: str, name: str) -> EvalReading:
    """Read a `.jsonl` file in which canonical rows and rows as in a source may stand side by side.

    Raises DataError where the file is missing, empty, binary, above 2 GiB, or one JSON array.
    """
    refuse_unreadable(path, name, "Put the rows of the eval set there.")

    def made(row: dict[str, Any], origin: str) -> EvalRow:
        return _eval_row(row, section, prompt, origin)

    with path.open("rb") as file:
        outcomes = list(_read_jsonl(split_rows(file, None), name, made))
    rows = tuple(outcome for outcome in outcomes if isinstance(outcome, EvalRow))
    findings = tuple(outcome for outcome in outcomes if isinstance(outcome, Finding))
    return EvalReading(rows, findings, name)


def write_eval_set(path: Path, rows: Iterable[EvalRow]) -> None:
    """The rows in the canonical layout, each with its other columns, whole or not at all."""
    write_text(path, "".join(canonical_line(row.example, row.other) for row in rows))


def _eval_row(row: dict[str, Any], section: DataSection, prompt: str, origin: str) -> EvalRow:
    """A row with `messages` is canonical, or nearly so: someone may have added a column, or kept their own names."""
    line = place(origin)[1]
    section = section.model_copy(update={"time": None})  # only sources are split by time
    calling = {"tools", "accepted", "results"} if isinstance(section, CallSection) else set()
    if "messages" not in row or row.keys() >= {section.input, *section.answer}:
        example = example_of(row, section, prompt=prompt, origin=origin)
        columns = columns_of(row, section) or ()
        answer = section.answer if columns == named(section) else ()
        return EvalRow(
            example,
            line,
            _without(row, {*columns, *answer, *_further(section), *calling}),
        )
    section = section.model_copy(update=_names(row, section))
    read = {"messages", "tools", *_further(section), *calling}
    if isinstance(row.get("origin"), str):
        origin = row["origin"]
        read.add("origin")
    if row.keys() <= CANONICAL_KEYS:  # as `split` cut it
        section = section.model_copy(update={"time": "time"})
        read.add("time")
    if from_there(row.get(SOURCE)):
        read.add(SOURCE)
    example = example_of(row, section, prompt=prompt, origin=origin)
    other = _without(row, read)
    if other.keys() == {OTHER} and isinstance(other[OTHER], dict):
        other = other[OTHER]
    return EvalRow(example, line, other)


def _further(section: DataSection) -> set[str]:
    """The columns beside input and answer."""
    named = (section.slice, section.group, "weight", section.behaviour, section.tests)
    return {name for name in named if name}


def _names(row: dict[str, Any], section: DataSection) -> dict[str, str]:
    """The columns of slice, group, behaviour and tests in a row with `messages`: canonical ones, or those of [data]."""
    names = {"slice": "slice", "group": "group"}
    if row.keys() <= CANONICAL_KEYS:
        return names | {"behaviour": "behaviour", "tests": "tests"}
    if section.slice in row or section.group == "slice":
        names["slice"] = section.slice
    if section.group in row or section.slice == "group":
        names["group"] = section.group
    return names


def _without(row: dict[str, Any], read: set[str]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in read}


def _refuse_source(path: Path, name: str) -> None:
    if SURROGATE.search(name):
        raise DataError(f"The name of the file {shown(name)} is not UTF-8. Rename it.")
    if path.suffix.lower() not in (*SUFFIXES, *PACKED):
        raise DataError(
            f"{name}: expected a file that ends in .jsonl or .csv (or .tsv, .xlsx, .parquet). Save the rows as one of "
            "those, or convert them with `tunesmith import`."
        )
    refuse_unreadable(path, name, "Check [data] files in tunesmith.toml.", packed=is_packed(path))


def _read_jsonl(
    rows: Iterator[RawRow], name: str, made: Callable[[dict[str, Any], str], Out]
) -> Iterator[Out | Finding]:
    first = True
    for raw in rows:
        if raw.blank:
            continue
        if first and raw.raw.strip() == b"[":
            raise DataError(
                f"{name} is one JSON array; expected JSON Lines: one object on each line, without commas. `tunesmith "
                "import` converts it."
            )
        first = False
        try:
            yield made(parse_json(decoded(raw)), f"{name}:{raw.line}")
        except RowError as fault:
            yield finding(fault, raw.line, name)


def _read_table(path: Path, name: str, made: Callable[[dict[str, Any], str], Out]) -> Iterator[Out | Finding]:
    for item in _unpacked(path, name):
        if isinstance(item, Finding):
            yield item
            continue
        try:
            yield made(item.row, f"{name}:{item.line}")
        except RowError as fault:
            yield finding(fault, item.line, name)


def _unpacked(path: Path, name: str) -> Items:
    return workbook(path, name) if path.suffix.lower() == ".xlsx" else parquet(path, name)


def _read_csv(rows: Iterator[RawRow], section: DataSection, name: str, delimiter: bytes) -> Iterator[Example | Finding]:
    header, columns = _read_header(rows, section, name, delimiter)
    for raw in rows:
        if raw.blank:
            continue
        try:
            cells = cells_of(raw, delimiter)
            if len(cells) != len(header):
                fields = count(len(cells), "field")
                raise RowError(
                    "columns", f"The row has {fields}, the header {len(header)}; a text with a comma needs quotes."
                )
            row = dict(zip(header, cells, strict=True))
            yield from_columns(row, columns, section, origin=f"{name}:{raw.line}", cells=True)
        except RowError as fault:
            yield finding(fault, raw.line, name)


def _read_header(
    rows: Iterator[RawRow], section: DataSection, name: str, delimiter: bytes
) -> tuple[list[str], tuple[str, str]]:
    header = _header(rows, name, delimiter)
    refuse_columns(len(header), name)
    columns = columns_of(header, section)
    if columns is None:
        raise DataError(f"{name}: {missing_columns(tuple(header), section)}")
    answer = section.answer if columns == named(section) else ()
    for column in (*columns, *answer, section.slice, section.group, "weight"):
        if header.count(column) > 1:
            raise DataError(f"{name}: the column '{shown(column)}' stands in the header twice; rename one.")
    return header, columns


def _header(rows: Iterator[RawRow], name: str, delimiter: bytes) -> list[str]:
    raw = next((row for row in rows if not row.blank), None)
    if raw is None:
        raise DataError(f"{name} is empty; expected a header and rows. Put rows into it, or take the file away.")
    try:
        header = cells_of(raw, delimiter)
    except RowError as fault:
        raise DataError(f"{name}:{raw.line}: the header cannot be read. {fault.message}") from None
    if separator := next((sign for sign in ",;\t|" if len(header) == 1 and sign in header[0]), None):
        raise DataError(
            f"{name}: the header is one column, '{shown(header[0])}'. The columns seem to be separated by "
            f"{separator!r}; save the file with {'commas' if delimiter == b',' else 'tabs'}, or convert it with "
            "`tunesmith import`."
        )
    return header

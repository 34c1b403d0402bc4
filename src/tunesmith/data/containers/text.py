"""JSON Lines, CSV and TSV, row by row as data/lines.py finds them.

A table that ends in .csv may be parted by semicolons, tabs or bars: the header says so. Its cells are text; a row
whose number of cells is not the header's is a finding.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tunesmith.core.errors import DataError
from tunesmith.core.units import count
from tunesmith.data.containers.base import Items, Placed, finding, header_of
from tunesmith.data.fields import RowError
from tunesmith.data.lines import RawRow, decoded, refuse_unreadable, split_cells, split_rows
from tunesmith.data.rows import parse_json

SEPARATORS = (b",", b";", b"\t", b"|")


def json_lines(path: Path, name: str) -> Items:
    refuse_unreadable(path, name, "Check the name of the file.")
    with path.open("rb") as file:
        for raw in split_rows(file, None):
            if raw.blank:
                continue
            try:
                yield Placed(raw.line, parse_json(decoded(raw)))
            except RowError as fault:
                yield finding(fault, raw.line, name)


def table(path: Path, name: str, delimiter: bytes | None = None) -> Items:
    """`delimiter` None: the one that parts the header into most columns."""
    refuse_unreadable(path, name, "Check the name of the file.")
    delimiter = delimiter or _delimiter(path)
    with path.open("rb") as file:
        header, rows = _headed(file, name, delimiter)
        for raw in rows:
            try:
                yield Placed(raw.line, dict(zip(header, _row(raw, len(header), delimiter), strict=True)))
            except RowError as fault:
                yield finding(fault, raw.line, name)


def columns(path: Path, name: str) -> list[str]:
    """The header of a table, parted as `table` parts it."""
    refuse_unreadable(path, name, "Check the name of the file.")
    with path.open("rb") as file:
        return _headed(file, name, _delimiter(path))[0]


def _headed(file: BinaryIO, name: str, delimiter: bytes) -> tuple[list[str], Iterator[RawRow]]:
    """The header, and the rows below it."""
    rows = (raw for raw in split_rows(file, delimiter) if not raw.blank)
    return header_of(_header(rows, name, delimiter), name), rows


def _delimiter(path: Path) -> bytes:
    with path.open("rb") as file:
        first = next((raw for raw in split_rows(file, None) if not raw.blank), None)
    line = first.raw if first else b""
    return max(SEPARATORS, key=lambda sign: line.count(sign))


def _header(rows: Iterator[RawRow], name: str, delimiter: bytes) -> list[str]:
    raw = next(rows, None)
    if raw is None:
        raise DataError(f"{name} is empty; expected a header and rows.")
    try:
        return cells_of(raw, delimiter)
    except RowError as fault:
        raise DataError(f"{name}:{raw.line}: the header cannot be read. {fault.message}") from None


def _row(raw: RawRow, columns: int, delimiter: bytes) -> list[str]:
    cells = cells_of(raw, delimiter)
    if len(cells) != columns:
        found = count(len(cells), "field")
        raise RowError(
            "columns", f"The row has {found}, the header {columns}; a text with the separator in it needs quotes."
        )
    return cells


def cells_of(raw: RawRow, delimiter: bytes = b",") -> list[str]:
    """The cells of a row of a table. Raises RowError."""
    text = decoded(raw)
    try:
        return split_cells(text, delimiter)
    except csv.Error as error:
        raise RowError("csv", f"Not valid CSV: {error}. A quote inside quotes is doubled.", excerpt=text) from None

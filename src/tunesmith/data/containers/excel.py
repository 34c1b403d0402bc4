"""The rows of an Excel workbook: the one sheet that holds any, its first row the header, each cell as text.

A workbook is a ZIP archive of XML. Its sizes are known before anything is unpacked, and a document type (which can
define what multiplies itself) is refused: no workbook has one.
"""

import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DataError
from tunesmith.core.texts import shown
from tunesmith.core.units import count, size
from tunesmith.data.containers.base import MOST_COLUMNS, Items, Placed, finding, header_of, missing, refuse_size
from tunesmith.data.fields import RowError
from tunesmith.data.lines import ROW_LIMIT, refuse_unreadable

MOST_CELLS = 50_000_000
MOST_PARTS = 10_000
HEAD = 4096


def workbook(path: Path, name: str) -> Items:
    try:
        import openpyxl  # comes with an extra
    except ImportError:
        raise missing("openpyxl") from None
    refuse_unreadable(path, name, "Check the name of the file.", packed=True)
    _refuse_bomb(path, name)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            yield from _rows(_sheet(book, name), name)
        finally:
            book.close()
    except (DataError, MemoryError):
        raise
    except Exception as error:  # a workbook can be damaged in more ways than openpyxl has errors of its own
        raise DataError(
            f"{name} cannot be read as a workbook ({type(error).__name__}). Save it anew, or as .csv."
        ) from None


def _refuse_bomb(path: Path, name: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS:
                raise DataError(f"{name} has {count(len(parts), 'part')}; a workbook has at most {MOST_PARTS:,}.")
            refuse_size(sum(part.file_size for part in parts), name)
            for part in parts:
                if part.filename.lower().endswith((".xml", ".rels")):
                    with archive.open(part) as file:
                        if b"<!DOCTYPE" in file.read(HEAD).upper():
                            raise DataError(f"{name} defines a document type, which no workbook does. It is not read.")
    except (zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError, ValueError, EOFError, zlib.error) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{name} cannot be read as a workbook: {shown(str(error))}. Save it anew, or as .csv."
        ) from None


def _sheet(book: Any, name: str) -> Any:
    filled = [sheet for sheet in book.worksheets if _has_rows(sheet)]
    if not filled:
        raise DataError(f"{name} holds no rows. Put rows into its first sheet.")
    if len(filled) > 1:
        names = ", ".join(f"'{shown(sheet.title, 30)}'" for sheet in filled[:8])
        raise DataError(
            f"{name} has {count(len(filled), 'sheet')} with rows ({names}); which one is meant is not clear. Save the "
            "one with the examples as a workbook of its own, or as CSV."
        )
    return filled[0]


def _has_rows(sheet: Any) -> bool:
    sheet.reset_dimensions()  # what the file says of its size need not be true
    return any(cell is not None for row in _bounded(sheet) for cell in row)


def _bounded(sheet: Any) -> Iterator[tuple[Any, ...]]:
    cells = 0
    for row in sheet.iter_rows(values_only=True):
        cells += len(row) + 1
        if cells > MOST_CELLS:
            raise DataError(
                f"The sheet '{shown(sheet.title, 30)}' has more than {MOST_CELLS:,} cells. Cut it into several."
            )
        yield row


def _rows(sheet: Any, name: str) -> Items:
    header: list[str] = []
    for line, row in enumerate(_bounded(sheet), start=1):
        if all(cell is None or cell == "" for cell in row):
            continue
        if not header:
            header = _header(row, name)
            continue
        try:
            yield Placed(line, _row(header, row))
        except RowError as fault:
            yield finding(fault, line, name)


def _header(row: tuple[Any, ...], name: str) -> list[str]:
    cells = [_text(cell) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) <= MOST_COLUMNS and "" in cells:
        raise DataError(f"{name}: column {cells.index('') + 1} has no name in the header; name it, or take it out.")
    return header_of(cells, name)


def _row(header: list[str], row: tuple[Any, ...]) -> dict[str, str]:
    cells = [_text(cell) for cell in row]
    if any(cells[len(header) :]):
        raise RowError(
            "columns", f"The row has a cell behind its {count(len(header), 'column')}; name its column, or empty it."
        )
    cells += [""] * (len(header) - len(cells))
    if (length := sum(map(len, cells))) > ROW_LIMIT:
        raise RowError("too-large", f"The row has {size(length)}; at most {size(ROW_LIMIT)} is read.")
    return dict(zip(header, cells, strict=False))


def _text(cell: Any) -> str:
    """A cell as text, as a CSV would have it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell)

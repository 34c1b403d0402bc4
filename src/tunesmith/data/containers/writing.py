"""Rows → a file of the kind that its ending names, whole or not at all.

What is no text stands in a cell of a table as its JSON, and columns are the keys of all rows. What a kind of file
cannot hold exactly, such as a control character in a workbook, is refused with the row.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from tunesmith.core.errors import DataError
from tunesmith.core.files import new_folder, replacing, write_text
from tunesmith.core.texts import shown
from tunesmith.data.containers.base import missing
from tunesmith.data.containers.documents import ANSWERS, is_document

SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".xlsx", ".parquet", ".yaml", ".yml")
NOT_IN_CELLS = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
LONGEST_CELL = 32_767

Row = dict[str, Any]


def write(path: Path, rows: Sequence[Row], layout: str) -> None:
    """Raises DataError where the file cannot hold the rows; nothing is written then."""
    suffix = path.suffix.lower()
    if layout == "documents":
        _documents(path, rows)
    elif suffix == ".jsonl":
        with replacing(path, "w") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    elif suffix == ".json":
        write_text(path, json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
    elif suffix in (".csv", ".tsv"):
        write_text(path, _table(rows, "," if suffix == ".csv" else "\t"))
    elif suffix == ".xlsx":
        _workbook(path, rows)
    elif suffix == ".parquet":
        _parquet(path, rows)
    elif suffix in (".yaml", ".yml"):
        _tests(path, rows)
    else:
        raise DataError(f"{path}: expected a file that ends in {', '.join(SUFFIXES)}.")


def columns_of(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def cell(value: Any) -> str:
    """A value as the text of a cell; a value that is not there is empty."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _table(rows: Sequence[Row], delimiter: str) -> str:
    columns = columns_of(rows)
    made = io.StringIO(newline="")
    writer = csv.writer(made, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(row.get(column)) for column in columns] for row in rows)
    return made.getvalue()


def _workbook(path: Path, rows: Sequence[Row]) -> None:
    try:
        from openpyxl import Workbook  # comes with an extra
        from openpyxl.cell import WriteOnlyCell
    except ImportError:
        raise missing("openpyxl") from None
    columns = columns_of(rows)
    table = [columns, *([cell(row.get(column)) for column in columns] for row in rows)]
    for number, texts in enumerate(table):
        for column, text in zip(columns, texts, strict=True):
            _refuse_cell(text, path, number, column)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("rows")
    for texts in table:
        cells = [WriteOnlyCell(sheet, value=text) for text in texts]
        for each in cells:
            each.data_type = "s"  # or a text that begins with = would be a formula
        sheet.append(cells)
    with replacing(path, "wb") as file:
        book.save(file)


def _refuse_cell(text: str, path: Path, number: int, column: str) -> None:
    found = NOT_IN_CELLS.search(text)
    if found or len(text) > LONGEST_CELL:
        what = f"{shown(found[0])!r}" if found else f"{len(text):,} characters, more than {LONGEST_CELL:,}"
        raise DataError(
            f"{path}: row {number}, column '{shown(column, 30)}', holds {what}, which a workbook cannot carry as it "
            "is. Write CSV, Parquet or JSON Lines instead."
        )


def _parquet(path: Path, rows: Sequence[Row]) -> None:
    try:
        import pyarrow as pa  # comes with an extra
        import pyarrow.parquet as pq
    except ImportError:
        raise missing("pyarrow") from None
    columns = columns_of(rows)
    cells = {column: [_text_or_none(row, column) for row in rows] for column in columns}
    table = pa.table({column: pa.array(values, pa.string()) for column, values in cells.items()})
    with replacing(path, "wb") as file:
        pq.write_table(table, file)


def _text_or_none(row: Row, column: str) -> str | None:
    return cell(row[column]) if row.get(column) is not None else None


def _tests(path: Path, rows: Sequence[Row]) -> None:
    """promptfoo's configuration: the prompts once, then the tests."""
    try:
        import yaml  # comes with an extra
    except ImportError:
        raise missing("PyYAML") from None
    prompts = [row.get("prompts") for row in rows]
    if any(each != prompts[0] for each in prompts):
        raise DataError(f"{path}: the rows were made for different prompts, and a configuration has one list of them.")
    tests = [{key: value for key, value in row.items() if key != "prompts"} for row in rows]
    document = {"prompts": prompts[0] if prompts and prompts[0] else ["{{input}}"], "tests": tests}
    write_text(path, yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120))


def _documents(folder: Path, rows: Sequence[Row]) -> None:
    """A folder, each document under its own name, or under its number."""
    with new_folder(folder) as made:
        for number, row in enumerate(rows, start=1):
            name = row.get("document") or f"{number:06d}.txt"
            path = _inside(made, name, folder)
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_new(path, row["input"], name)
            if "output" in row:
                _write_new(path.with_name(path.stem + ANSWERS[0]), row["output"], name)


def _write_new(path: Path, text: str, name: str) -> None:
    try:
        with open(path, "x", encoding="utf-8", newline="") as file:
            file.write(text)
    except (FileExistsError, OSError, ValueError) as error:
        raise DataError(
            f"The document '{shown(name)}' cannot be written ({type(error).__name__}); give it another name."
        ) from None


def _inside(folder: Path, name: Any, target: Path) -> Path:
    parts = PurePosixPath(name).parts if isinstance(name, str) else ()
    safe = parts and not name.startswith("/") and not {"..", "."} & set(parts) and "\0" not in name and "\\" not in name
    if not safe or any(part.startswith(".") for part in parts) or not is_document(Path(name)):
        raise DataError(
            f"{target}: a document cannot be named '{shown(str(name))}'; expected a name that ends in .txt or .md."
        )
    return folder / Path(*parts)

"""The seam of the containers: each gives its rows in order, with the line they stand on, or a finding in their place.

Whatever a container holds, its size is bounded before it is unpacked and while it is read: a small file can hold
terabytes. A container that cannot be read at all raises DataError.
"""

import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from tunesmith.core.errors import DataError, MissingExtraError
from tunesmith.core.units import count, size
from tunesmith.data.fields import RowError
from tunesmith.data.finding import Finding
from tunesmith.data.lines import FILE_LIMIT

MOST_COLUMNS = 10_000
MOST_ROWS = 20_000_000
UNPACKED = FILE_LIMIT  # bytes that a packed file may have once it is unpacked


class Placed(NamedTuple):
    """`file` where it is another than the container: a document of a folder, a file that the container names."""

    line: int
    row: dict[str, Any]
    file: str = ""


Items = Iterator[Placed | Finding]


def finding(fault: RowError, line: int, name: str) -> Finding:
    return Finding(
        severity="stop",
        check=fault.check,
        file=name,
        line=line,
        field=fault.field,
        message=fault.message,
        excerpt=fault.excerpt,
    )


def missing(library: str) -> MissingExtraError:
    return MissingExtraError(f"Reading this file needs {library}: pip install 'tunesmith[data]'.")


def refuse_columns(number: int, name: str) -> None:
    if number > MOST_COLUMNS:
        raise DataError(
            f"{name} has {count(number, 'column')}; at most {MOST_COLUMNS:,} are read. Keep those you need."
        )


def refuse_size(length: int, name: str) -> None:
    if length > UNPACKED:
        raise DataError(
            f"{name} has {size(length)} once it is unpacked; at most {size(UNPACKED)} is read. Cut it into several "
            "files, or use fewer of its rows."
        )


def header_of(cells: list[str], name: str) -> list[str]:
    """The names of the columns. Raises DataError where one stands there twice."""
    refuse_columns(len(cells), name)
    if len(set(cells)) < len(cells):
        seen: set[str] = set()
        twice = next(cell for cell in cells if cell in seen or seen.add(cell))  # type: ignore[func-returns-value]
        raise DataError(f"{name}: the column '{twice[:60]}' stands in the header twice; rename one.")
    return cells


def plain(value: Any, field: str) -> Any:
    """A value as JSON has it: dates as ISO text, bytes as the text they are. Raises RowError where there is none."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise RowError("number", f"'{field}' is {value}, which is no number that a row can hold.", field=field)
    if isinstance(value, dict):
        return {str(key): plain(each, field) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each, field) for each in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID | timedelta):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise RowError("encoding", f"'{field}' holds bytes that are no UTF-8 text.", field=field) from None
    raise RowError("type", f"'{field}' is of a kind that JSON has not ({type(value).__name__[:30]}).", field=field)

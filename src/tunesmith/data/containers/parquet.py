"""Parquet and Arrow files, by batches of few rows; `line` is the row's number and one for a header.

What the metadata says of sizes is checked first, and each batch once it is there: a value that a file names once can
stand in a million rows.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DataError
from tunesmith.core.texts import shown
from tunesmith.core.units import count, size
from tunesmith.data.containers.base import (
    MOST_ROWS,
    Items,
    Placed,
    finding,
    header_of,
    missing,
    plain,
    refuse_columns,
    refuse_size,
)
from tunesmith.data.fields import RowError
from tunesmith.data.lines import ROW_LIMIT, refuse_unreadable

BATCH = 64
THRIFT = 64 << 20  # bytes that the metadata may take
FIRST = 2  # the line of the first row: a table in text has its header above


def parquet(path: Path, name: str) -> Items:
    try:
        import pyarrow.parquet as pq  # comes with an extra
    except ImportError:
        raise missing("pyarrow") from None
    yield from _guarded(_parquet_batches(pq, path, name), path, name)


def arrow(path: Path, name: str) -> Items:
    """A file as `datasets` saves it: a stream of Arrow's batches."""
    try:
        import pyarrow as pa  # comes with an extra
    except ImportError:
        raise missing("pyarrow") from None
    yield from _guarded(_arrow_batches(pa, path, name), path, name)


def _parquet_batches(pq: Any, path: Path, name: str) -> Iterator[Any]:
    limits = {"thrift_string_size_limit": THRIFT, "thrift_container_size_limit": THRIFT // 64}
    with pq.ParquetFile(path, pre_buffer=False, **limits) as file:
        held = file.metadata
        refuse_columns(held.num_columns, name)
        if held.num_rows > MOST_ROWS:
            raise DataError(f"{name} has {count(held.num_rows, 'row')}; at most {MOST_ROWS:,} are read.")
        refuse_size(sum(held.row_group(number).total_byte_size for number in range(held.num_row_groups)), name)
        header_of(list(file.schema_arrow.names), name)
        yield from file.iter_batches(batch_size=BATCH, use_threads=False)


def _arrow_batches(pa: Any, path: Path, name: str) -> Iterator[Any]:
    with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as stream:
        header_of(list(stream.schema.names), name)
        for batch in stream:
            for start in range(0, batch.num_rows, BATCH):
                yield batch.slice(start, BATCH)


def _guarded(batches: Iterator[Any], path: Path, name: str) -> Items:
    """The rows of the batches; what pyarrow cannot read is one sentence."""
    line, taken = FIRST, 0
    refuse_unreadable(path, name, "Check the name of the file.", packed=True)
    try:
        for batch in batches:
            taken += batch.nbytes
            refuse_size(taken, name)
            yield from _rows(batch, line, name)
            line += batch.num_rows
            if line > MOST_ROWS:
                raise DataError(f"{name} has more than {MOST_ROWS:,} rows, which is what is read at most.")
    except (DataError, MemoryError):
        raise
    except Exception as error:  # pyarrow's own errors derive from many of Python's
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"{name} cannot be read as a table of Arrow's: {shown(first, 120)}.") from None


def _rows(batch: Any, line: int, name: str) -> Items:
    if batch.nbytes > BATCH * ROW_LIMIT:
        raise DataError(
            f"{name}: rows {line - FIRST + 1} and those after it have {size(batch.nbytes)}, too much for rows."
        )
    for number in range(batch.num_rows):
        try:
            yield Placed(line + number, _row(batch.slice(number, 1)))
        except RowError as fault:
            yield finding(fault, line + number, name)


def _row(one: Any) -> dict[str, Any]:
    """The one row of a batch. A null is a column that the row has not."""
    if one.nbytes > ROW_LIMIT:
        raise RowError("too-large", f"The row has {size(one.nbytes)}; at most {size(ROW_LIMIT)} is read.")
    try:
        [row] = one.to_pylist(maps_as_pydicts="lossy")
    except (ValueError, OverflowError, UnicodeDecodeError):
        raise RowError(
            "type", "The row holds a value that cannot be read (a date out of range, text that is no UTF-8)."
        ) from None
    return {str(key): plain(value, shown(str(key), 30)) for key, value in row.items() if value is not None}

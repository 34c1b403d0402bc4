"""The rows of a source as bytes: where each begins and ends in the file, so that it can be read, and moved, exactly.

A row of JSON Lines is one physical line. A row of CSV or TSV goes on over line ends inside quotes; a scanner of four
states follows the quotes as the csv module does. Memory is bounded: of a row longer than the limit only the beginning
is kept, and its place.
"""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from tunesmith.core.errors import DataError
from tunesmith.core.units import size
from tunesmith.data.fields import RowError

FILE_LIMIT = 2 << 30
ROW_LIMIT = 1 << 20
HEAD = 8192

SIGNATURES = {
    b"PK\x03\x04": "a ZIP file or Excel workbook; export the table as CSV (UTF-8)",
    b"PAR1": "a Parquet file; export it as CSV or JSON Lines",
    b"\x1f\x8b": "a gzip file; unpack it",
    b"SQLite format 3": "a SQLite database; export the table as CSV",
    b"%PDF": "a PDF file; export the rows as CSV or JSON Lines",
    codecs.BOM_UTF16_LE: "UTF-16 text; save it as UTF-8",
    codecs.BOM_UTF16_BE: "UTF-16 text; save it as UTF-8",
}
CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))

FIELD_START, UNQUOTED, QUOTED, QUOTE_IN_QUOTES = range(4)


class RawRow(NamedTuple):
    """`raw` is the row with its line end, cut where the row is longer than ROW_LIMIT; `last` its last line."""

    line: int
    last: int
    start: int
    end: int
    raw: bytes
    closed: bool  # False: the file ended inside quotes

    @property
    def too_large(self) -> bool:
        return self.end - self.start > ROW_LIMIT

    @property
    def blank(self) -> bool:
        return not self.too_large and not self.raw.strip()


class Hasher(Protocol):
    def update(self, data: bytes, /) -> None: ...


DELIMITERS = {".csv": b",", ".tsv": b"\t"}
PACKED = (".xlsx", ".parquet")  # a row is named by its number, with the header above, and has no bytes of its own


def is_packed(path: Path) -> bool:
    """Whether `path` has to be unpacked before there are rows: nothing may look for lines in its bytes."""
    return path.suffix.lower() in PACKED


def is_csv(path: Path) -> bool:
    """Whether the rows of `path` are those of a table: cells that a delimiter parts, and quotes around some."""
    return path.suffix.lower() in DELIMITERS


def delimiter_of(path: Path) -> bytes | None:
    """What parts the cells of a row; None where a row is one line, as in JSON Lines."""
    return DELIMITERS.get(path.suffix.lower())


def split_cells(text: str, delimiter: bytes) -> list[str]:
    """The cells of a row of a table. Raises csv.Error."""
    # The csv module's limit is one for the whole process and by default below ours; it is raised, never lowered.
    csv.field_size_limit(max(csv.field_size_limit(), ROW_LIMIT))
    return next(csv.reader([text], strict=True, delimiter=delimiter.decode()), [])


def join_cells(cells: Iterable[str], delimiter: bytes) -> str:
    """The row that `split_cells` takes apart, without a line end; a cell with either kind of line end is quoted."""
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter.decode()).writerow(cells)
    return written.getvalue().removesuffix("\r\n")


def refuse_unreadable(path: Path, name: str, advice: str, *, packed: bool = False) -> None:
    """Raise DataError where `path` is missing (then with `advice`), empty, too large or, unless `packed`, not text."""
    try:
        if not path.is_file():
            raise DataError(f"{name} {'is not a file' if path.exists() else 'does not exist'}. {advice}")
        length = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror}. {advice}") from None
    if length > FILE_LIMIT:
        raise DataError(
            f"{name} has {size(length)}; at most {size(FILE_LIMIT)} is read. Cut it into several files, or use fewer "
            "of its rows."
        )
    if length <= HEAD and not head.removeprefix(codecs.BOM_UTF8).strip():
        raise DataError(f"{name} is empty; expected rows. Put rows into it, or take the file away.")
    if not packed and (reason := _binary(head)):
        raise DataError(f"{name} is {reason}.")


def _binary(head: bytes) -> str | None:
    for signature, words in SIGNATURES.items():
        if head.startswith(signature):
            return words
    controls = len(head) - len(head.translate(None, CONTROLS))
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # a character may be cut at the end of the head
        most = 0.3
    except UnicodeDecodeError:
        most = 0.05
    return "not text (UTF-8); export its rows as CSV or JSON Lines" if controls > most * len(head) else None


def split_rows(file: BinaryIO, delimiter: bytes | None, *, hasher: Hasher | None = None) -> Iterator[RawRow]:
    """The rows of `file` in order, blank ones included; a byte order mark belongs to none of them. `delimiter` parts
    the cells of a table (`delimiter_of`); None: a row is a line.
    """
    line, first, start, end = 1, 1, 0, 0
    state, kept = FIELD_START, bytearray()
    ended = True
    while piece := file.readline(ROW_LIMIT + 1):
        if hasher:
            hasher.update(piece)
        if end == 0 and piece.startswith(codecs.BOM_UTF8):
            start = end = len(codecs.BOM_UTF8)
            piece = piece[end:]
        end += len(piece)
        if len(kept) <= ROW_LIMIT:
            kept += piece
        if delimiter is not None:
            state = _follow_quotes(piece, state, delimiter)
        ended = piece.endswith(b"\n")
        if ended:
            if state != QUOTED:
                yield RawRow(first, line, start, end, bytes(kept), True)
                first, start, state, kept = line + 1, end, FIELD_START, bytearray()
            line += 1
    if end > start:
        yield RawRow(first, line - ended, start, end, bytes(kept), state != QUOTED)


def _follow_quotes(piece: bytes, state: int, delimiter: bytes) -> int:
    """The scanner's state after `piece`; a piece may end anywhere."""
    if state != QUOTED and b'"' not in piece:
        return UNQUOTED
    position = 0
    while position < len(piece):
        quote = piece[position : position + 1] == b'"'
        if state == QUOTED:
            position = piece.find(b'"', position) + 1
            if not position:
                return QUOTED
            state = QUOTE_IN_QUOTES
        elif state == QUOTE_IN_QUOTES:  # doubled, or the end of the quoted text
            state = QUOTED if quote else UNQUOTED
            position += quote
        elif state == FIELD_START and quote:
            state = QUOTED
            position += 1
        else:
            position = piece.find(delimiter, position) + 1
            if not position:
                return UNQUOTED
            state = FIELD_START
    return state


def decoded(raw: RawRow) -> str:
    """The text of a row. Raises RowError where it is too long, never ends, or is not UTF-8."""
    if raw.too_large:
        unclosed = "" if raw.closed else " A quote that opens in it is never closed."
        raise RowError(
            "too-large", f"The row has {size(raw.end - raw.start)}; at most {size(ROW_LIMIT)} is read.{unclosed}"
        )
    if not raw.closed:
        raise RowError(
            "csv", f"A quote opens in this row and is never closed: lines {raw.line} to {raw.last} read as one row."
        )
    try:
        return raw.raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowError(
            "encoding",
            f"Byte {error.start + 1} of the row (0x{raw.raw[error.start]:02x}) is not UTF-8. Save the file as UTF-8.",
            excerpt=raw.raw.decode("utf-8", "replace"),
            at=len(raw.raw[: error.start].decode("utf-8")),
        ) from None

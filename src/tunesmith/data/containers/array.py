"""One JSON array of rows: each is taken out of the text by itself, with the line it begins on."""

import json
import re
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DataError
from tunesmith.core.units import size
from tunesmith.data import fields
from tunesmith.data.containers.base import Items, Placed, finding
from tunesmith.data.fields import RowError
from tunesmith.data.lines import ROW_LIMIT, refuse_unreadable
from tunesmith.data.rows import parse_json

LIMIT = 256 << 20  # the text lies in memory as a whole
SPACE = re.compile(r"[ \t\r\n]*")


def json_array(path: Path, name: str) -> Items:
    refuse_unreadable(path, name, "Check the name of the file.")
    if path.stat().st_size > LIMIT:
        raise DataError(
            f"{name} is a JSON array of {size(path.stat().st_size)}; at most {size(LIMIT)} is read. Write its rows as "
            "JSON Lines: one object on each line."
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: byte {error.start + 1} is not UTF-8. Save the file as UTF-8.") from None
    decoder = json.JSONDecoder()
    position, line = SPACE.match(text)[0], 1  # type: ignore[index]
    start = len(position) + 1  # behind the bracket
    counted = 0
    while True:
        start = _skip(text, start)
        if text[start : start + 1] == "]":
            break
        line += text.count("\n", counted, start)
        counted = start
        end = _end(decoder, text, start, f"{name}:{line}")
        yield _item(text[start:end] if end - start <= ROW_LIMIT else None, line, name, end - start)
        start = _behind(text, end, f"{name}:{line}")
    if text[start + 1 :].strip():
        raise DataError(f"{name} goes on behind the end of its array; expected one JSON array.")


def _item(text: str | None, line: int, name: str, length: int) -> Any:
    try:
        if text is None:
            raise RowError("too-large", f"The row has {size(length)}; at most {size(ROW_LIMIT)} is read.")
        return Placed(line, parse_json(fields.whole(text, "row")))
    except RowError as fault:
        return finding(fault, line, name)


def _skip(text: str, start: int) -> int:
    return SPACE.match(text, start).end()  # type: ignore[union-attr]


def _end(decoder: json.JSONDecoder, text: str, start: int, place: str) -> int:
    try:
        return decoder.raw_decode(text, start)[1]
    except json.JSONDecodeError as error:
        raise DataError(f"{place}: not valid JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from None
    except (ValueError, RecursionError):
        raise DataError(f"{place}: JSON nested too deep, or a number too long, to be a row.") from None


def _behind(text: str, end: int, place: str) -> int:
    """Where the next row begins, or the array ends."""
    end = _skip(text, end)
    sign = text[end : end + 1]
    if sign == ",":
        return end + 1
    if sign == "]":
        return end
    raise DataError(f"{place}: expected a comma or the end of the array behind this row; the file may be cut off.")

"""What can be repaired without judgement: a corrected copy of a source, and a log of every change.

Between the rows: byte order mark, line ends, blank lines, rows that repeat an earlier one in all that is read of them.
In the texts of a row: control characters, line ends, blank space around them; in answers a code fence around JSON and,
where answers are labels, the writing of a label that differs from the usual one in case alone. All other bytes stay as
they are. What is repaired once is not repaired again.
"""

import codecs
import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, NamedTuple

from tunesmith.core.digests import canonical, sha256_text
from tunesmith.core.record import Record
from tunesmith.core.texts import shown
from tunesmith.data.checks.formatting import is_fenced
from tunesmith.data.checks.shape import parsed
from tunesmith.data.fields import CONTROL, RowError
from tunesmith.data.json_text import Path as Place
from tunesmith.data.json_text import with_strings
from tunesmith.data.lines import RawRow, decoded, delimiter_of, join_cells, split_cells, split_rows
from tunesmith.data.rows import PAIR, columns_of, named, parse_json
from tunesmith.data.section import DataSection

CHUNK = 1 << 20
MARK = codecs.BOM_UTF8
RETURNS = re.compile(r"\r+\n")


class Change(Record):
    """One change, in words and with digests of the text before and after it: the log must not hold what was taken out.

    `line` is that of the source, 0 where the whole file is meant; `number` is how many lines changed at once.
    """

    schema_version: Literal[1] = 1
    file: str
    line: int
    field: str | None = None
    what: str
    number: int = 1
    before: str | None = None
    after: str | None = None


class Text(NamedTuple):
    """A text of a row: its path, what it is called, and whether it is the expected output."""

    place: Place
    field: str
    text: str
    answer: bool


class Row(NamedTuple):
    """A row as text, without its line end, and what is read of it; None for both where it cannot be read."""

    raw: RawRow
    line: str | None = None
    texts: tuple[Text, ...] | None = None
    done: tuple[str, ...] = ()  # to the row itself, so that it could be read


def usual_labels(paths: Iterable[Path], section: DataSection) -> dict[str, str]:
    """Without case → how most rows write that label; for labels of which there are several writings."""
    uses: Counter[str] = Counter()
    for path in paths:
        with path.open("rb") as file:
            for row in _rows(file, delimiter_of(path), section):
                uses.update(_repaired(text.text, answer=True, usual={})[0] for text in row.texts or () if text.answer)
    writings: dict[str, list[str]] = {}
    for label in sorted(uses, key=lambda label: (-uses[label], label)):
        writings.setdefault(label.casefold(), []).append(label)
    return {key: labels[0] for key, labels in writings.items() if len(labels) > 1}


def fix(
    path: Path, target: IO[bytes], section: DataSection, *, name: str, usual: Mapping[str, str]
) -> Iterator[Change]:
    """Write the corrected copy of `path` to `target`, row by row, and yield the changes as they are made.

    `name` is what the log calls the source; `usual` are the labels that are written in one way, without case.
    """
    ends, seen, header, delimiter = 0, set[bytes](), None, delimiter_of(path)
    with path.open("rb") as file:
        if file.read(len(MARK)) == MARK:
            yield Change(file=name, line=0, what="byte order mark taken out")
        file.seek(0)
        for row in _rows(file, delimiter, section):
            if row.raw.blank:
                yield Change(file=name, line=row.raw.line, what="blank line taken out")
                continue
            ends += row.raw.raw.endswith(b"\r\n")
            if row.line is None:
                yield from _done(row, name)
                _copy(file, row.raw, target)
                continue
            line, changes = _fixed(row, name, usual, delimiter)
            yield from changes
            cells = split_cells(line, delimiter) if delimiter else None
            header = header or cells
            key = _key(line, cells, header, section)
            if key is not None and key in seen:
                yield Change(file=name, line=row.raw.line, what="row taken out that repeats an earlier one")
                continue
            if key is not None:
                seen.add(key)
            target.write(line.encode() + b"\n" * row.raw.raw.endswith(b"\n"))
    if ends:
        yield Change(file=name, line=0, what="line ends of Windows made those of Unix", number=ends)


def _fixed(row: Row, name: str, usual: Mapping[str, str], delimiter: bytes | None) -> tuple[str, list[Change]]:
    """The row's line with its texts repaired, and what was changed in it."""
    assert row.line is not None
    changes = _done(row, name)
    changed: dict[Place, str] = {}
    for text in row.texts or ():
        new, whats = _repaired(text.text, answer=text.answer, usual=usual)
        if new != text.text:
            changed[text.place] = new
            before, after = sha256_text(text.text)[:16], sha256_text(new)[:16]
            what = ", ".join(whats)
            change = Change(file=name, line=row.raw.line, field=text.field, what=what, before=before, after=after)
            changes.append(change)
    return (_with_cells(row.line, changed, delimiter) if delimiter else with_strings(row.line, changed)), changes


def _done(row: Row, name: str) -> list[Change]:
    return [Change(file=name, line=row.raw.line, what=what) for what in row.done]


def _rows(file: BinaryIO, delimiter: bytes | None, section: DataSection) -> Iterator[Row]:
    header: list[str] | None = None
    for found in split_rows(file, delimiter):
        raw, done = _unmarked(found)
        if raw.blank:
            yield Row(raw)
            continue
        try:
            text = decoded(raw).removesuffix("\n").rstrip("\r")
            if not delimiter:
                yield _json_row(raw, text, section, done)
            elif header is None:
                header = split_cells(text, delimiter)
                yield Row(raw, text, (), done)
            else:
                yield Row(raw, text, tuple(_cell_texts(split_cells(text, delimiter), header, section)), done)
        except (RowError, csv.Error):
            yield Row(raw, done=done)


def _unmarked(raw: RawRow) -> tuple[RawRow, tuple[str, ...]]:
    """The row without a byte order mark before it, as files have them that others were appended to."""
    done: tuple[str, ...] = ()
    while raw.raw.startswith(MARK):
        raw = raw._replace(raw=raw.raw[len(MARK) :], start=raw.start + len(MARK))
        done = ("byte order mark taken out",)
    return raw, done


def _json_row(raw: RawRow, text: str, section: DataSection, done: tuple[str, ...]) -> Row:
    """Raises RowError where it is none. Control characters that keep it from being one are taken out."""
    try:
        return Row(raw, text, tuple(_texts(parse_json(text), section)), done)
    except RowError:
        clean = CONTROL.sub("", text)
        if clean == text:
            raise
        return Row(raw, clean, tuple(_texts(parse_json(clean), section)), (*done, "control characters taken out"))


def _cell_texts(cells: list[str], header: list[str], section: DataSection) -> Iterator[Text]:
    columns = columns_of(header, section)
    if columns and len(cells) == len(header):
        for column, answer in _read(columns, section):
            at = header.index(column)
            yield Text((at,), shown(column), cells[at], answer)


def _read(columns: tuple[str, str], section: DataSection) -> Iterator[tuple[str, bool]]:
    """The columns that are read of a row, and whether one is its whole answer."""
    yield columns[0], False
    if section.fields and columns == named(section):
        yield from ((column, False) for column in section.fields)
    else:
        yield columns[1], True


def _texts(row: Mapping[str, Any], section: DataSection) -> Iterator[Text]:
    """The texts of a row of JSON Lines that are read of it, by the same precedence."""
    columns = columns_of(row, section)
    if columns and (columns == named(section) or "messages" not in row):
        for column, answer in _read(columns, section):
            if isinstance(row[column], str):
                yield Text((column,), shown(column), row[column], answer)
        return
    turns = row.get("messages")
    turns = turns if isinstance(turns, list) else []
    for number, turn in enumerate(turns):
        if isinstance(turn, dict) and isinstance(turn.get("content"), str):
            answer = number + 1 == len(turns) and turn.get("role") == "assistant"
            yield Text(("messages", number, "content"), f"messages[{number}].content", turn["content"], answer)


def _repaired(text: str, *, answer: bool, usual: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text as it should be, and what was done; a text of which nothing would be left stays as it is."""
    clean = CONTROL.sub("", text)
    unix = RETURNS.sub("\n", clean)
    inside = stripped = unix.strip()
    if answer and is_fenced(stripped) and parsed(stripped) is not None:
        inside = stripped.partition("\n")[2].rpartition("\n")[0].strip()
    new = usual.get(inside.casefold(), inside) if answer else inside
    if not new:
        return text, []
    steps = {
        "control characters taken out": clean != text,
        "line ends of Windows made those of Unix": unix != clean,
        "outer spaces taken out": stripped != unix,
        "code fence around JSON taken out": inside != stripped,
        "label written as usual": new != inside,
    }
    return new, [what for what, happened in steps.items() if happened]


def _with_cells(line: str, changed: Mapping[Place, str], delimiter: bytes) -> str:
    if not changed:
        return line
    cells = split_cells(line, delimiter)
    for place, new in changed.items():
        cells[int(place[0])] = new
    return join_cells(cells, delimiter)


def _key(line: str, cells: list[str] | None, header: list[str] | None, section: DataSection) -> bytes | None:
    """What is read of a row, as a digest; None for a header, and for a row that has nothing to read."""
    if cells is not None and cells == header:
        return None
    row = json.loads(line) if cells is None else dict(zip(header or (), cells, strict=False))
    read = (
        "messages",
        "tools",
        *PAIR,
        section.input,
        *section.answer,
        section.slice,
        section.group,
        "weight",
        section.behaviour,
        section.tests,
    )
    said = {column: row[column] for column in read if column in row}
    if not said.keys() & {"messages", PAIR[1], *section.answer}:
        return None
    try:
        return blake2b(canonical(said).encode("utf-8", "surrogatepass"), digest_size=16).digest()
    except (ValueError, RecursionError):  # NaN or infinity, or nested too deep: reading refuses it
        return None


def _copy(file: BinaryIO, raw: RawRow, target: IO[bytes]) -> None:
    """The bytes of a row that cannot be read, with its line end made that of Unix."""
    here = file.tell()
    file.seek(raw.start)
    left = raw.end - raw.start
    while left > CHUNK:
        left -= target.write(file.read(CHUNK))
    last = file.read(left)
    target.write(last.removesuffix(b"\n").rstrip(b"\r") + b"\n" if last.endswith(b"\r\n") else last)
    file.seek(here)

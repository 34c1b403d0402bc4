"""Moving the rows that stop out of the sources, to where a person can mend them; nothing else changes.

First every row is written to the set-aside file, then each source is written anew without it, both under a temporary
name that is flushed and renamed: killed at any moment, every row stands in at least one of the two. An entry carries
the digest of the source it came from, so a second attempt on the same bytes goes on where the first was stopped. All
other bytes of a source (encoding, byte order mark, header, line ends) stay as they are.
"""

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

from tunesmith.core.errors import DataError
from tunesmith.core.files import replacing
from tunesmith.core.units import count
from tunesmith.data.fields import SURROGATE
from tunesmith.data.finding import Finding, place
from tunesmith.data.lines import delimiter_of, is_csv, is_packed, split_rows
from tunesmith.data.reading import Reading

CHUNK = 1 << 20
SYSTEMATIC = 10  # rows: a file of fewer may well be wrong as a whole, and move

Reasons = dict[int, list[str]]  # first line of a row → why it is set aside
Known = dict[tuple[str, str], set[int]]  # name and digest of a source → lines that the set-aside file holds already


class Span(NamedTuple):
    """The bytes of one row in its source."""

    line: int
    start: int
    end: int


def set_aside(
    readings: Sequence[Reading], findings: Sequence[Finding], *, folder: Path, target: Path
) -> dict[str, int]:
    """Move every row that a stop-finding names, itself or as related, from its source to `target`; count them by file.

    What an interrupted attempt had written to `target`, but not yet taken out of an unchanged source, is taken out,
    too. The names of the readings are paths below `folder`. Raises DataError, with nothing moved, where a source is
    no longer what was read.
    """
    reasons = _reasons(findings)
    old = target.open("rb").readlines() if target.exists() else []
    known = _known(old)
    spans: dict[str, list[Span]] = {}
    entries: list[bytes] = []
    for reading in readings:
        written = known.get((reading.name, reading.sha256), set())
        lines = written | set(reasons[reading.name])
        if lines:
            spans[reading.name] = _find(folder / reading.name, reading, lines)
            new = [span for span in spans[reading.name] if span.line not in written]
            entries += _entries(folder / reading.name, new, reading, reasons[reading.name])
    if entries:
        _add(target, old, entries)
    for name, rows in spans.items():
        _take_out(folder / name, rows)
    return {name: len(rows) for name, rows in spans.items()}


def take_out(reading: Reading, lines: set[int], folder: Path) -> None:
    """Take the rows that begin on `lines` out of their source for good; every other byte stays.

    Raises DataError, with nothing changed, where the source is no longer what was read.
    """
    path = folder / reading.name
    _take_out(path, _find(path, reading, lines))


def refuse_packed(name: str) -> None:
    """Raise DataError where the rows of a source have no bytes of their own, which could be taken out."""
    if is_packed(Path(name)):
        raise DataError(
            f"Rows of {name} cannot be taken out one by one: only files of lines (.jsonl, .csv, .tsv) are changed. "
            "Correct the rows there, or convert it with `tunesmith import` and name the new file."
        )


def emptied(path: Path, name: str, target: Path) -> bool:
    """Whether the source `path` holds no row any more because all of them were moved to `target`."""
    with path.open("rb") as file:
        rows = (row for row in split_rows(file, delimiter_of(path)) if not row.blank)
        if sum(1 for _ in islice(rows, 2)) > is_csv(path):  # a CSV keeps its header
            return False
    old = target.open("rb").readlines() if target.exists() else []
    return any(file == name for file, _ in _known(old))


def faults_of_form(rows: Mapping[str, int], stopped: Mapping[str, Collection[int]]) -> list[str]:
    """In words, each source of which so many rows would be moved that not the rows are wrong.

    More than half of a source with at least a few rows to move; or everything there is. `rows`: how many each source
    has, broken ones included; `stopped`: the lines of those that would move.
    """
    words, moving, total = [], 0, 0
    for name, number in rows.items():
        lines = len(stopped.get(name, ()))
        moving, total = moving + lines, total + number
        if lines >= SYSTEMATIC and lines > number / 2:
            words.append(f"{lines:,} of {count(number, 'row')} of {name}")
    if not words and 0 < total == moving:
        return [f"all {count(total, 'row')} of {', '.join(rows)}"]
    return words


def _reasons(findings: Sequence[Finding]) -> defaultdict[str, Reasons]:
    reasons: defaultdict[str, Reasons] = defaultdict(dict)
    for finding in findings:
        if finding.severity == "stop" and finding.line:
            for origin in (finding.origin, *finding.related):
                file, line = place(origin)
                reasons[file].setdefault(line, []).append(finding.message)
    return reasons


def _known(lines: Sequence[bytes]) -> Known:
    known: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for line in lines:
        try:
            row = json.loads(line)
            file, number = place(row["origin"])
            known[file, row["source"]].add(number)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue  # a line that someone edited is kept as it is
    return known


def _find(path: Path, reading: Reading, lines: set[int]) -> list[Span]:
    refuse_packed(reading.name)
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        rows = split_rows(file, delimiter_of(path), hasher=hasher)
        spans = [Span(row.line, row.start, row.end) for row in rows if row.line in lines]
    if hasher.hexdigest() != reading.sha256 or len(spans) < len(lines):
        raise DataError(f"{reading.name} has changed since it was checked; nothing was moved. Run the check again.")
    return spans


def _entries(path: Path, spans: Sequence[Span], reading: Reading, reasons: Reasons) -> Iterator[bytes]:
    with path.open("rb") as source:
        for span in spans:
            source.seek(span.start)
            # Bytes that are not UTF-8 stand as the escapes \udc80 to \udcff, from which they can be made again.
            raw = source.read(span.end - span.start).decode("utf-8", "surrogateescape")
            row = {
                "reason": " ".join(reasons[span.line]),
                "origin": f"{reading.name}:{span.line}",
                "source": reading.sha256,
                "raw": raw,
            }
            yield json.dumps(row, ensure_ascii=bool(SURROGATE.search(raw))).encode() + b"\n"


def _add(target: Path, old: Sequence[bytes], entries: Sequence[bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as file:
        for line in old:
            file.write(line if line.endswith(b"\n") else line + b"\n")
        file.writelines(entries)


def _take_out(path: Path, spans: Sequence[Span]) -> None:
    with path.open("rb") as source, replacing(path) as file:
        position = 0
        for span in spans:
            _copy(source, file, span.start - position)
            source.seek(span.end)
            position = span.end
        shutil.copyfileobj(source, file, CHUNK)


def _copy(source: BinaryIO, target: IO[bytes], length: int) -> None:
    while length > 0:
        piece = source.read(min(length, CHUNK))
        target.write(piece)
        length -= len(piece)

"""Documents → passages: stretches of a text with the place where they stand, so that an answer can be looked up.

A folder's Markdown and text files, and the rows of its CSV files. A text is cut into lines, a long line into pieces at
the ends of its sentences. A passage is as many pieces as fit into LONGEST words; the next one begins with the last of
them, at most OVERLAP words, so that what stands across a cut is whole in one of the two.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.digests import digest
from tunesmith.core.errors import DataError
from tunesmith.core.record import Record
from tunesmith.core.units import count
from tunesmith.data.containers.base import Placed
from tunesmith.data.containers.documents import documents
from tunesmith.data.containers.text import table
from tunesmith.data.finding import Finding
from tunesmith.data.lines import refuse_unreadable

LONGEST, OVERLAP, PIECE = 120, 30, 40  # words
MOST = 20_000  # passages: all of them are compared with each request
TABLES = (".csv", ".tsv")
SENTENCE = re.compile(r"(?<=[.!?。！？])\s+")


class Passage(Record):
    """`place` is "file:line-line" as the user knows the file, or "file:line" where it is one line."""

    place: str
    text: str


class Piece(NamedTuple):
    line: int
    text: str
    words: int


def read(folder: Path, name: str) -> list[Passage]:
    """All passages of the documents in `folder`, which messages call `name`, by file and place.

    Raises DataError for a file that cannot be read, and where there is nothing in it or too much.
    """
    found: list[Passage] = []
    for file, pieces in _documents(folder, name):
        found += [_passage(file, stretch) for stretch in _stretches(pieces)]
        if len(found) > MOST:
            raise DataError(
                f"{name} holds more than {count(MOST, 'passage')} of {LONGEST} words, which are too many to compare "
                "with every request. Take out what no answer needs."
            )
    if not found:
        raise DataError(f"{name} holds no text. Put documents there: .md, .txt or .csv, in UTF-8.")
    return found


def passages_digest(passages: Sequence[Passage]) -> str:
    return digest("passages", 1, passages=[[each.place, each.text] for each in passages])


def files_of(folder: Path) -> list[Path]:
    """The files of a folder that may hold documents, in order; hidden ones are none."""
    kinds = (".md", ".txt", *TABLES)
    found = (path for path in folder.rglob("*") if path.suffix.lower() in kinds and path.is_file())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _documents(folder: Path, name: str) -> Iterator[tuple[str, list[Piece]]]:
    """Each document's file and pieces. The cells of a row go on over as many lines of the file as they have."""
    for item in documents(folder, name):
        placed = _read(item)
        yield placed.file, list(_pieces(placed.row["input"], placed.line))
    for path in files_of(folder):
        if path.suffix.lower() in TABLES:
            file = f"{name}/{path.relative_to(folder).as_posix()}"
            refuse_unreadable(path, file, "Take it out of the documents, or correct it.")
            for item in table(path, file):
                placed = _read(item)
                pieces: list[Piece] = []
                line = placed.line
                for key, value in placed.row.items():
                    pieces += _pieces(f"{key}: {value}" if value.strip() else "", line)
                    line += value.count("\n")
                yield file, pieces


def _read(item: Placed | Finding) -> Placed:
    if isinstance(item, Finding):
        raise DataError(f"{item.file}:{item.line}: {item.message} Correct it, or take it out of the documents.")
    return item


def _pieces(text: str, first: int) -> Iterator[Piece]:
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=first):
        words = line.split()
        if len(words) <= PIECE:
            yield Piece(number, line.rstrip(), len(words))
            continue
        for sentence in SENTENCE.split(line):
            words = sentence.split()
            for begin in range(0, len(words), PIECE):
                part = words[begin : begin + PIECE]
                yield Piece(number, " ".join(part), len(part))


def _stretches(pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
    """Runs of pieces of at most LONGEST words, each beginning within the end of the one before it."""
    begin = 0
    while begin < len(pieces):
        end, words = begin, 0
        while end < len(pieces) and words + pieces[end].words <= LONGEST:
            words += pieces[end].words
            end += 1
        if words:
            yield pieces[begin:end]
        if end == len(pieces):
            return
        repeated, begin = 0, end
        while repeated + pieces[begin - 1].words <= OVERLAP:
            begin -= 1
            repeated += pieces[begin].words


def _passage(file: str, pieces: Sequence[Piece]) -> Passage:
    said = [piece for piece in pieces if piece.text]
    first, last = said[0].line, said[-1].line
    lines = f"{first}-{last}" if last > first else f"{first}"
    return Passage(place=f"{file}:{lines}", text="\n".join(piece.text for piece in pieces).strip())

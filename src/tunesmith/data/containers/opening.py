"""What a source is, and its rows: a file by its ending (and its first bytes), a folder by what lies in it.

A folder with data files is a data set as the Hugging Face hub has them; the part that a file belongs to (train,
validation, test) stands in its path. A folder with texts alone is a folder of documents.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.errors import DataError
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.data.containers import text
from tunesmith.data.containers.array import json_array
from tunesmith.data.containers.base import Items
from tunesmith.data.containers.documents import documents, is_document
from tunesmith.data.containers.excel import workbook
from tunesmith.data.containers.parquet import arrow, parquet
from tunesmith.data.containers.tests_file import tests
from tunesmith.data.fields import SURROGATE
from tunesmith.data.lines import HEAD
from tunesmith.data.rows import listed

Opened = Callable[[Path, str], Items]

LINES, ARRAY, YAML, FOLDER = "JSON Lines", "a JSON array", "YAML", "a folder of documents"
KINDS: dict[str, Opened] = {
    LINES: text.json_lines,
    ARRAY: json_array,
    "CSV": text.table,
    "TSV": lambda path, name: text.table(path, name, b"\t"),
    "an Excel workbook": workbook,
    "Parquet": parquet,
    "Arrow": arrow,
    YAML: tests,
    FOLDER: documents,
}
SUFFIXES = {
    ".jsonl": LINES,
    ".ndjson": LINES,
    ".json": ARRAY,
    ".csv": "CSV",
    ".tsv": "TSV",
    ".xlsx": "an Excel workbook",
    ".xlsm": "an Excel workbook",
    ".parquet": "Parquet",
    ".arrow": "Arrow",
    ".yaml": YAML,
    ".yml": YAML,
}
DATA = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow")  # what a data set consists of
BESIDE = {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"}  # what it says of itself
MOST_FILES = 10_000
PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}


class Source(NamedTuple):
    """`name` is what origins call it; `kind` a key of KINDS."""

    path: Path
    name: str
    kind: str
    part: str = ""

    def rows(self) -> Items:
        return KINDS[self.kind](self.path, self.name)


def sources(path: Path, name: str, part: str | None = None) -> list[Source]:
    """What there is to read under `path`; of a data set with several parts, the one that is named.

    Raises DataError where there is nothing, or where which part is meant is not clear.
    """
    if SURROGATE.search(name):
        raise DataError(f"The name of the file {shown(name)} is not UTF-8. Rename it.")
    if not path.is_dir():
        if part is not None:
            raise DataError(f"{name} is one file, which has no parts; leave --split out.")
        return [Source(path, name, kind_of(path, name))]
    files = _data_files(path)
    if not files:
        if any(is_document(each) for each in path.rglob("*")):
            return [Source(path, name, FOLDER)]
        raise DataError(f"{name} holds neither data files ({', '.join(DATA)}) nor documents (.txt, .md).")
    found = [Source(each, f"{name}/{_within(each, path)}", "", _part(each.relative_to(path))) for each in files]
    chosen = _chosen(found, name, part)
    return [source._replace(kind=kind_of(source.path, source.name)) for source in chosen]


def kind_of(path: Path, name: str) -> str:
    """Raises DataError where the file is missing, or of no kind that is read."""
    try:
        if not path.is_file():
            raise DataError(f"{name} {'is not a file' if path.exists() else 'does not exist'}. Check the name.")
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror}. Check the name.") from None
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        kind = "Parquet" if head.startswith(b"PAR1") else None
    if kind is None:
        raise DataError(f"{name}: expected a folder, or a file that ends in {listed(list(SUFFIXES))}.")
    return _of_json(path, head) if kind == ARRAY else kind


def _of_json(path: Path, head: bytes) -> str:
    """A `.json` file may be an array, JSON Lines, or promptfoo's configuration."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] == b"[":
        return ARRAY
    first = start.split(b"\n", 1)[0].rstrip()
    whole = first.endswith(b"}") and len(first) > 1
    cut = len(start) == len(first) and len(head) == HEAD  # the first line goes on behind what was looked at
    if re.search(rb'"tests"\s*:', head) and path.name.lower().startswith("promptfoo"):
        return YAML
    return LINES if whole or cut else YAML if re.search(rb'"tests"\s*:', head) else LINES


def _data_files(folder: Path) -> list[Path]:
    found = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.suffix.lower() in DATA and path.name not in BESIDE and not any(each.startswith(".") for each in parts):
            found.append(path)
        if len(found) > MOST_FILES:
            raise DataError(f"{folder} has more than {MOST_FILES:,} data files. Name one of its folders.")
    return [path for path in found if path.is_file()]


def _within(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _part(path: Path) -> str:
    """The part that a path names, by the last word of it that does."""
    words = re.split(r"[^a-z]+", path.with_suffix("").as_posix().lower())
    return next((PARTS[word] for word in reversed(words) if word in PARTS), "")


def _chosen(found: Sequence[Source], name: str, part: str | None) -> list[Source]:
    parts = list(dict.fromkeys(source.part for source in found))
    if part == "all" or (part is None and len(parts) == 1):
        return list(found)
    words = ", ".join(
        f"{each or 'without a name'} ({count(sum(s.part == each for s in found), 'file')})" for each in parts
    )
    if part is None:
        raise DataError(
            f"{name} has several parts: {words}. Say which is meant with --split NAME, or take them together with "
            "--split all."
        )
    chosen = [source for source in found if source.part == PARTS.get(part, part)]
    if not chosen:
        raise DataError(f"{name} has no part '{shown(part)}'; there are: {words}.")
    return chosen

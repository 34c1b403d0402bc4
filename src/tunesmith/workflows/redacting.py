"""`tunesmith redact`: copies of the sources in which placeholders stand for personal data and secrets, or the way back.

Nothing is changed in place. The copies are written under temporary names and take their own together at the end; the
key, which is as sensitive as the data, before them, so that no placeholder is ever without its value.
"""

import csv
import json
import os
import shlex
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.core.errors import DataError
from tunesmith.core.files import private, temporary_name
from tunesmith.core.progress import Console
from tunesmith.core.units import count
from tunesmith.data.fields import SURROGATE, RowError
from tunesmith.data.lines import (
    RawRow,
    decoded,
    delimiter_of,
    is_csv,
    join_cells,
    refuse_unreadable,
    split_cells,
    split_rows,
)
from tunesmith.data.reading import SUFFIXES
from tunesmith.data.rows import listed, parse_json
from tunesmith.data.sensitive.finder import open_finder
from tunesmith.data.sensitive.hit import WORDS, counted
from tunesmith.data.sensitive.redaction import PLACEHOLDER, Placeholders
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.status import command

KEY_SCHEMA = 1
KEY_LIMIT = 1 << 30
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class RedactOutcome(Outcome):
    files: tuple[str, ...]
    rows: int
    replaced: dict[str, int]  # kind → how many values; with `restore`, "restored"
    key: str | None
    unknown: str | None  # what was not looked for, and why


class Pair(NamedTuple):
    source: Path
    target: Path


def redact(
    project: Project | None,
    console: Console,
    sources: Sequence[Path],
    folder: Path,
    *,
    key: Path | None = None,
    keep: Sequence[str] = (),
    restore: bool = False,
) -> RedactOutcome:
    """Write a copy of each source below `folder`; without `sources`, of the project's and its eval set.

    Raises DataError before anything is written where a row cannot be read, or a file or the key is in the way.
    """
    if unknown := next((kind for kind in keep if kind not in WORDS), None):
        raise DataError(f"--keep {unknown}: there is no such kind. There are {', '.join(WORDS)}.")
    if restore and key is None:
        raise DataError("--restore needs the key that the redaction wrote: --key FILE.")
    pairs = _pairs(project, sources, folder)
    with _locked(key, pairs, project):
        table = _read_key(key, must=restore)
        finder = None if restore else open_finder()
        placeholders = Placeholders(finder.find if finder else lambda text: [], keep, table)
        if not restore:
            _reserve(pairs, placeholders)
        rows = _write(pairs, placeholders, key, console, restore=restore)
    replaced = dict(placeholders.replaced.most_common())
    _tell(console, pairs, rows, replaced, key, finder.unknown if finder else None)
    return RedactOutcome(
        files=tuple(str(pair.target) for pair in pairs),
        rows=rows,
        replaced=replaced,
        key=None if key is None else str(key),
        unknown=finder.unknown if finder else None,
        next=_next(project, pairs, folder),
    )


def _next(project: Project | None, pairs: Sequence[Pair], folder: Path) -> str:
    if project is None:
        return f"tunesmith init NAME --from {shlex.quote(str(pairs[0].target))}"
    return f"{command(project, 'check')}  # once [data] files names the copies in {folder}"


def _pairs(project: Project | None, sources: Sequence[Path], folder: Path) -> list[Pair]:
    """Each source with the name of its copy: of a project, its place there; else its name alone."""
    named = list(sources)
    if not named and project is not None:
        named = [*project.sources(), *([project.eval_file] if project.eval_file.exists() else [])]
    if not named:
        raise DataError("There is nothing to redact: name files, or run it in a project that has sources.")
    pairs: dict[Path, Pair] = {}
    for source in named:
        if source.suffix.lower() not in SUFFIXES:
            raise DataError(
                f"{source}: expected a file of lines ({', '.join(SUFFIXES)}). `tunesmith import` converts others."
            )
        refuse_unreadable(source, str(source), "Check the path.")
        inside = project is not None and source.resolve().is_relative_to(project.folder)
        target = folder / (source.resolve().relative_to(project.folder) if inside and project else source.name)
        if target in pairs:
            raise DataError(f"{source} and {pairs[target].source} would both be copied to {target}. Rename one.")
        if target.exists():
            raise DataError(f"{target} exists already, and nothing is replaced. Name another folder with -o.")
        if project is not None and (what := project.reserved(target)):
            raise DataError(f"{target} would be {what}. Name another folder with -o, such as -o redacted.")
        pairs[target] = Pair(source, target)
    return list(pairs.values())


@contextmanager
def _locked(key: Path | None, pairs: Sequence[Pair], project: Project | None) -> Iterator[None]:
    """Refuse a key that lies with the data, and hold the key so that two runs do not number the same value twice."""
    if key is None:
        yield
        return
    from filelock import FileLock, Timeout

    folders = {path.resolve().parent for pair in pairs for path in pair}
    folders |= {project.folder} if project is not None else set()
    if near := next((folder for folder in sorted(folders) if key.resolve().is_relative_to(folder)), None):
        raise DataError(
            f"The key {key} would lie with the data, in {near}: who gets the data would get the key. Name a file "
            "elsewhere, for example --key ~/keys/tickets.json."
        )
    if not key.parent.is_dir():
        raise DataError(f"The folder of the key, {key.parent}, does not exist. Make it first.")
    try:
        with FileLock(f"{key}.lock", timeout=0, mode=0o600):
            yield
    except Timeout:
        raise DataError(f"Another tunesmith command is using the key {key}. Wait until it ends.") from None


def _read_key(key: Path | None, *, must: bool) -> dict[str, str]:
    if key is None or not (key.exists() or must):
        return {}
    try:
        facts = key.stat()
        text = key.read_bytes() if facts.st_size <= KEY_LIMIT else b""
    except OSError as error:
        raise DataError(f"The key {key} cannot be read: {error.strerror}.") from None
    if os.name != "nt" and facts.st_mode & OTHERS:
        raise DataError(f"Others may read the key {key}. Close it first: chmod 600 {shlex.quote(str(key))}")
    try:
        kept = json.loads(text)
    except (ValueError, RecursionError):
        kept = None
    table = kept.get("placeholders") if isinstance(kept, dict) and kept.get("schema_version") == KEY_SCHEMA else None
    whole = isinstance(table, dict) and all(
        PLACEHOLDER.fullmatch(name) and isinstance(value, str) for name, value in table.items()
    )
    if not whole:
        raise DataError(
            f"{key} is no key of `tunesmith redact`. Name the file that an earlier --key wrote, or a new one."
        )
    assert isinstance(table, dict)
    return table


def _write_key(key: Path, table: dict[str, str]) -> None:
    """Replace the key, readable by its owner alone from the first byte."""
    temporary = temporary_name(key)
    try:
        with open(temporary, "x", encoding="ascii", opener=private) as file:
            json.dump({"schema_version": KEY_SCHEMA, "placeholders": table}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, key)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _reserve(pairs: Sequence[Pair], placeholders: Placeholders) -> None:
    """Read everything once: no row is refused when half of the work is done."""
    for pair in pairs:
        for _, cells in _rows(pair.source):
            placeholders.reserve(json.dumps(cells, ensure_ascii=False))


def _write(
    pairs: Sequence[Pair], placeholders: Placeholders, key: Path | None, console: Console, *, restore: bool
) -> int:
    """All copies under temporary names, then the key, then the copies by their own. Returns the rows."""
    change = partial(_restored if restore else _redacted, placeholders)
    total = sum(pair.source.stat().st_size for pair in pairs)
    progress = console.progress("Restoring" if restore else "Redacting")
    done, rows = 0, 0
    with ExitStack() as stack:
        made: list[tuple[Path, Path]] = []
        for pair in pairs:
            pair.target.parent.mkdir(parents=True, exist_ok=True)
            temporary = temporary_name(pair.target)
            stack.callback(temporary.unlink, missing_ok=True)
            with open(temporary, "xb", opener=private) as file:
                names: list[str] | None = [] if is_csv(pair.source) else None
                for raw, cells in _rows(pair.source):
                    if names == []:
                        names = cells  # the header stays as it is, and is no row
                    else:
                        cells = change(cells, names)
                        rows += 1
                    file.write(_line(pair.source, cells))
                    progress(done + raw.end, total)
                file.flush()
                os.fsync(file.fileno())
            done += pair.source.stat().st_size
            made.append((temporary, pair.target))
        if key is not None and not restore:
            _write_key(key, placeholders.table)
        for temporary, target in made:
            os.chmod(temporary, 0o600 if restore else 0o644)
            os.replace(temporary, target)
    return rows


def _redacted(placeholders: Placeholders, cells: Any, names: list[str] | None) -> Any:
    """The cells of a row of CSV under their columns' `names`, or an object of JSON Lines."""
    if names is None:
        return placeholders.redact_json(cells)
    return [placeholders.redact(cell, name) for cell, name in zip_longest(cells, names[: len(cells)], fillvalue="")]


def _restored(placeholders: Placeholders, value: Any, names: list[str] | None) -> Any:
    if isinstance(value, str):
        placeholders.replaced["restored"] += sum(name in placeholders.table for name in PLACEHOLDER.findall(value))
        return placeholders.restore(value)
    if isinstance(value, list):
        return [_restored(placeholders, each, names) for each in value]
    if isinstance(value, dict):
        return {key: _restored(placeholders, each, names) for key, each in value.items()}
    return value


def _rows(path: Path) -> Iterator[tuple[RawRow, Any]]:
    """The rows of a file: an object of JSON Lines, or the cells of CSV, its header among them."""
    with path.open("rb") as file:
        for raw in split_rows(file, delimiter_of(path)):
            if not raw.blank:
                yield raw, _cells(path, raw)


def _cells(path: Path, raw: RawRow) -> Any:
    try:
        text, delimiter = decoded(raw), delimiter_of(path)
        return split_cells(text, delimiter) if delimiter else parse_json(text)
    except RowError as fault:
        message = fault.message
    except csv.Error as error:
        message = f"Not valid CSV: {error}."
    raise DataError(
        f"{path}:{raw.line}: {message} A row that cannot be read cannot be redacted; correct it, or take it out."
    )


def _line(path: Path, cells: Any) -> bytes:
    if delimiter := delimiter_of(path):
        return join_cells(cells, delimiter).encode() + b"\n"
    text = json.dumps(cells, ensure_ascii=False)
    return (json.dumps(cells) if SURROGATE.search(text) else text).encode() + b"\n"


def _tell(
    console: Console, pairs: Sequence[Pair], rows: int, replaced: dict[str, int], key: Path | None, unknown: str | None
) -> None:
    for pair in pairs:
        console.say(f"Wrote {pair.target}.")
    if "restored" in replaced:
        words = f"{count(replaced['restored'], 'placeholder')} became values again"
    else:
        words = f"replaced {listed([counted(*each) for each in replaced.items()]) or 'nothing'}"
    console.say(f"{count(rows, 'row')}: {words}.")
    if key is not None:
        console.say(f"The key is {key}. Keep it apart from the data; whoever has both has the values.")
    if unknown:
        console.say(unknown)

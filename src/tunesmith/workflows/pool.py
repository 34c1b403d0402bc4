"""Requests to choose from: a file of rows without answers, and the file of the chosen ones, ready to be labelled.

What the project's rows say already, the sealed ones among them, is passed over, and so is what the file says twice.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, question
from tunesmith.core.files import write_jsonl, write_text
from tunesmith.core.units import count, size
from tunesmith.data.draw import Draw
from tunesmith.data.fields import SURROGATE
from tunesmith.data.normal import normalise
from tunesmith.data.requests import read_requests
from tunesmith.workflows.evidence import Divided
from tunesmith.workflows.predict import asked_by, cell, each_row
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import read_eval

ASKED = 1_000  # requests that are asked, drawn by chance where there are more
ROWS, LINES = (".csv", ".jsonl"), (".ndjson", ".txt")
LARGEST = 256 << 20  # bytes of a file of lines, which is read whole
WHY = "why"


class Pool(NamedTuple):
    """The requests that may be labelled, what stood in their rows, and how many were passed over."""

    examples: list[Example]
    cells: list[dict[str, Any]]
    passed: int
    of: int


def check_target(project: Project, target: Path) -> None:
    """Raise DataError where rows to label cannot go to `target`, before anything is asked."""
    if target.suffix.lower() not in ROWS:
        raise DataError(f"{target}: expected a file that ends in .csv or .jsonl.")
    if what := project.reserved(target):
        raise DataError(f"{target} is {what}; rows without labels do not go there. Name another file.")
    if target.exists():
        raise DataError(f"{target} exists already, and may hold labels. Name another file.")


def read_pool(project: Project, rows: Divided, path: Path) -> Pool:
    """The requests of a file that the project does not have yet, at most ASKED of them, drawn by chance."""
    own = (*rows.train, *rows.validation, *read_eval(project).examples)
    known = {_said(row) for row in own}
    draw, kept = Draw(ASKED), dict[int, tuple[int, Example, dict[str, Any]]]()
    new = read = 0
    for example, cells in _each(project, path):
        read += 1
        text = _said(example)
        if text in known:
            continue
        known.add(text)
        new += 1
        if (at := draw.place()) is not None:
            kept[at] = (read, example, cells)
    if not kept:
        raise DataError(f"All {count(read, 'request')} of {path} stand among the project's rows already.")
    chosen = [kept[at] for at in sorted(kept, key=lambda at: kept[at][0])]
    return Pool([example for _, example, _ in chosen], [cells for _, _, cells in chosen], read - new, read)


def _said(example: Example) -> bytes:
    """What tells whether two requests say the same: short, since that of every row of the pool is kept."""
    return blake2b(normalise(example.text).encode(), digest_size=16).digest()


def _each(project: Project, path: Path) -> Iterator[tuple[Example, dict[str, Any]]]:
    """The requests one after the other, each with what stood in its row. Raises DataError where nothing is asked."""
    if path.suffix.lower() in LINES:
        if path.is_file() and path.stat().st_size > LARGEST:
            raise DataError(
                f"{path} has {size(path.stat().st_size)}; of such lines at most {size(LARGEST)} are read. Draw some of "
                "them, or write them as .jsonl or .csv rows."
            )
        found, _ = read_requests(path, str(path), project.config.data.input)
        for each in found:
            if SURROGATE.search(each.text):
                raise DataError(f"{each.origin}: half of a surrogate pair, which no file can carry. Take it out.")
            yield question(each.text).model_copy(update={"origin": each.origin}), {project.config.data.input: each.text}
        return
    why = ""
    some = False
    for row in each_row(path):
        asked = asked_by(row, project)
        if isinstance(asked, Example):
            some = True
            yield asked, row.cells
        elif not why:
            why = f"{row.place}: {asked}"
    if not some:
        raise DataError(why)


def refuse_taken(pool: Pool, path: Path) -> None:
    """Raise DataError where a column of the pool's own has the name of the reason's, before anything is asked."""
    if any(WHY in row for row in pool.cells):
        raise DataError(f"{path} has a column {WHY!r} already, where the reasons are to stand. Rename it.")


def write_rows(project: Project, path: Path, cells: Sequence[dict[str, Any]], whys: Sequence[str]) -> None:
    """The rows as they stood, with an empty label and the reason: ready to be labelled."""
    output = project.config.data.output
    rows = [{output: "", **row, WHY: why} for row, why in zip(cells, whys, strict=True)]
    if path.suffix.lower() == ".jsonl":
        write_jsonl(path, rows)
        return
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)))
    writer.writeheader()
    writer.writerows({key: cell(value) for key, value in row.items()} for row in rows)
    write_text(path, text.getvalue())

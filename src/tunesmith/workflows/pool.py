"""Requests to choose from: a file of rows without answers, and the file of the chosen ones, ready to be labelled.

What the project's rows say already, the sealed ones among them, is passed over, and so is what the file says twice.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, question
from tunesmith.core.files import write_jsonl, write_text
from tunesmith.core.units import count
from tunesmith.data.draw import Draw
from tunesmith.data.normal import normalise
from tunesmith.data.requests import read_requests
from tunesmith.workflows.evidence import Divided
from tunesmith.workflows.predict import Row, questions, read_rows
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import read_eval

ASKED = 1_000  # requests that are asked, drawn by chance where there are more
ROWS, LINES = (".csv", ".jsonl"), (".ndjson", ".txt")
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
    if path.suffix.lower() in LINES:
        found, _ = read_requests(path, str(path), project.config.data.input)
        read = [question(each.text).model_copy(update={"origin": each.origin}) for each in found]
        cells = [{project.config.data.input: each.text} for each in found]
    else:
        raw: Sequence[Row] = read_rows(path)
        asked = questions(raw, project)
        read = [each for each in asked if isinstance(each, Example)]
        cells = [row.cells for row, each in zip(raw, asked, strict=True) if isinstance(each, Example)]
    own = (*rows.train, *rows.validation, *read_eval(project).examples)
    known = {normalise(row.text) for row in own}
    draw, kept = Draw(ASKED), dict[int, int]()
    new = 0
    for place, example in enumerate(read):
        text = normalise(example.text)
        if text in known:
            continue
        known.add(text)
        new += 1
        if (at := draw.place()) is not None:
            kept[at] = place
    if not kept:
        raise DataError(f"All {count(len(read), 'request')} of {path} stand among the project's rows already.")
    chosen = sorted(kept.values())
    return Pool([read[place] for place in chosen], [cells[place] for place in chosen], len(read) - new, len(read))


def write_rows(project: Project, path: Path, cells: Sequence[dict[str, Any]], whys: Sequence[str]) -> None:
    """The rows as they stood, with an empty label and the reason: ready to be labelled."""
    output = project.config.data.output
    rows = [
        {output: "", **{key: value for key, value in row.items() if key != WHY}, WHY: why}
        for row, why in zip(cells, whys, strict=True)
    ]
    if path.suffix.lower() == ".jsonl":
        write_jsonl(path, rows)
        return
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)))
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())

"""A file of recorded answers: CSV or JSON Lines, one answer a row, as people or a system in production gave them.

What `tunesmith predict` writes is such a file. The answer stands in the column `answer`, else in that of [data]
output; the row it answers is named by `id`, else by its message, as in any file of requests. `state` (refused, failed),
`confidence`, `seconds` and `cost` may stand beside it.
"""

import json
import math
from typing import Any

from tunesmith.candidates.recorded import Given, key_of
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example
from tunesmith.workflows.predict import Row, questions, read_rows
from tunesmith.workflows.project import Project

NUMBERS = {"confidence": 1.0, "seconds": math.inf, "cost": math.inf}  # and the largest that each may be


def read_answers(project: Project, file: str) -> list[Given]:
    """Rows without an answer are left out: nobody answered them. Raises DataError with file and line."""
    path = project.folder / file
    if not path.is_file():
        raise DataError(
            f"The recorded answers {file} ([baselines] recorded) do not exist. Put the file there, or take it out."
        )
    rows = [row._replace(place=row.place.replace(str(path), file, 1)) for row in read_rows(path)]
    column = _answer_column(rows, project, file)
    by_id = all(row.cells.get("id") for row in rows)
    asked = [] if by_id else questions(rows, project)
    found = []
    for number, row in enumerate(rows):
        refused = row.cells.get("state") == "refused"
        text = _text(row, column)
        if not refused and (text is None or row.cells.get("state") == "failed"):
            continue
        whose = {"id": str(row.cells["id"])} if by_id else {"key": _key(asked[number], row)}
        figures = {name: _number(row, name) for name in NUMBERS}
        found.append(Given(text=None if refused else text, **whose, **figures))
    return found


def _answer_column(rows: list[Row], project: Project, file: str) -> str:
    columns = dict.fromkeys(name for row in rows for name in row.cells)
    wanted = ("answer", project.config.data.output)
    for name in wanted:
        if name in columns:
            return name
    raise DataError(
        f"{file} has no column with the answers: expected {' or '.join(map(repr, wanted))}, found "
        f"{', '.join(list(columns)[:8])}. Rename the column."
    )


def _key(asked: Example | str, row: Row) -> str:
    if isinstance(asked, str):
        raise DataError(f"{row.place}: {asked} A recorded answer needs its message, or the row's id in a column 'id'.")
    return key_of(asked.text)


def _text(row: Row, column: str) -> str | None:
    value = row.cells.get(column)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        raise DataError(f"{row.place}: the column {column!r} holds {str(value)[:30]!r}; expected text, or an object.")
    return value


def _number(row: Row, name: str) -> float | None:
    value: Any = row.cells.get(name)
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not 0 <= number <= NUMBERS[name] or math.isinf(number):
        raise DataError(f"{row.place}: {name} is {str(value)[:30]!r}; expected a number that is not negative.")
    return number

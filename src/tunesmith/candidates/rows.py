"""Training rows as candidates are made from them: some, with known labels where there are labels, in an order of their
own.

The order is by what a row says, not by where it stands, so that a candidate and its digest do not depend on the
order of the files.
"""

from collections.abc import Iterable, Sequence

from tunesmith.core.digests import digest
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example
from tunesmith.tasks.label_sets import members
from tunesmith.tasks.spec import Task


def ordered(examples: Iterable[Example], task: Task, purpose: str = "training") -> list[Example]:
    """`examples` by id. Raises DataError where there are none, or where one expects what is no label of `task`."""
    rows = sorted(examples, key=lambda example: (example.id, example.weight))
    if not rows:
        raise DataError(f"There are no {purpose} rows to make this candidate from. Add data, then `tunesmith split`.")
    known = set(task.labels)
    for row in rows if known else ():
        said = members(row.expected) if task.family == "multi_label" else (row.expected,)
        if unknown := next((label for label in said if label not in known), None):
            raise DataError(
                f"{where(row)} expects {unknown[:60]!r}, which is none of the {len(known)} labels of the task. "
                "Correct the row, or add the label under [task] labels."
            )
    return rows


def rows_digest(rows: Sequence[Example]) -> str:
    return digest("rows", 1, ids=[row.id for row in rows], weights=[row.weight for row in rows])


def where(example: Example) -> str:
    """The row as a message names it: its file and line, else its id."""
    return example.origin or f"Row {example.id}"

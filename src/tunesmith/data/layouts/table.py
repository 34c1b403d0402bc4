"""A plain table: one column is asked, another is the answer. Columns are named by the user, or are a known pair."""

from collections.abc import Iterable, Mapping
from typing import Any

from tunesmith.core.texts import shown
from tunesmith.data.fields import RowError
from tunesmith.data.layouts.base import COLUMNS, Columns, Layout, Row
from tunesmith.data.layouts.turns import said
from tunesmith.data.rows import found_columns

KNOWN = (
    *(("input", "output"), ("question", "answer"), ("text", "label"), ("text", "category"), ("text", "intent")),
    *(("query", "response"), ("query", "answer"), ("input", "label"), ("sentence", "label"), ("utterance", "intent")),
)


def pairs_of(keys: Iterable[str]) -> list[tuple[str, str]]:
    """The known pairs of columns among `keys`."""
    keys = set(keys)
    return [pair for pair in KNOWN if keys.issuperset(pair)]


def table(columns: Columns) -> Layout:
    """The table with these columns, else `input` and `output`."""
    asked, answered = columns.input or "input", columns.label or "output"

    def read(row: Mapping[str, Any]) -> Row:
        if missing := [name for name in (asked, answered) if name not in row]:
            names = " and ".join(f"'{shown(name)}'" for name in missing)
            raise RowError("columns", f"The row has no column {names}. Columns found: {found_columns(tuple(row))}.")
        return {"messages": [said("user", row[asked], asked), said("assistant", row[answered], answered)]}

    return Layout(
        name="table",
        what="a table: one column asked, one answered (--input, --label)",
        fits=lambda row: row.keys() >= {asked, answered},
        read=read,
        write=lambda row: {asked: row["messages"][0]["content"], answered: row["messages"][1]["content"]},
        keys=frozenset({asked, answered}),
        carries=COLUMNS,
    )

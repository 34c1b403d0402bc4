"""A folder of documents with their answers: name.txt or name.md, and beside it name.answer.txt, .md or .json.

The container reads the files; a row is {"document": name, "input": text, "output": the text of the answer}. A
document without an answer is a request.
"""

from collections.abc import Mapping
from typing import Any

from tunesmith.data.layouts.base import COLUMNS, Layout, Row
from tunesmith.data.layouts.turns import said


def _read(row: Mapping[str, Any]) -> Row:
    turns = [said("user", row["input"], "input")]
    return {"messages": turns + ([said("assistant", row["output"], "output")] if "output" in row else [])}


def _write(row: Row) -> Row:
    return dict(zip(("input", "output"), (turn["content"] for turn in row["messages"]), strict=False))


DOCUMENTS = Layout(
    name="documents",
    what="a folder: name.txt or name.md, and name.answer.txt beside it",
    fits=lambda row: row.keys() >= {"document", "input"},
    read=_read,
    write=_write,
    keys=frozenset({"input", "output"}),
    carries=COLUMNS | {"request"},
    over=frozenset({"table"}),
)

"""The majority baseline of records: each field's most frequent value in the training rows, whatever the request says.

That a value is absent counts as a value. The confidence is the share of the training rows whose record it is.
"""

from collections.abc import Sequence
from pathlib import Path

from tunesmith.candidates.base import Card, keep
from tunesmith.candidates.majority import Majority
from tunesmith.candidates.record_form import learned
from tunesmith.candidates.rows import ordered, rows_digest
from tunesmith.core.example import Example
from tunesmith.engines.base import Engines
from tunesmith.tasks.comparing import same
from tunesmith.tasks.records import parsed, value_at
from tunesmith.tasks.spec import Task

KIND = "usual-record"
NAME = "majority"


def make(artifacts: Path, task: Task, train: Sequence[Example]) -> str:
    """Raises DataError where no record can be put together from the values of single fields."""
    assert task.output_schema is not None
    rows = ordered(train, task)
    records = [parsed(row.expected) for row in rows]
    form = learned(records, task.fields, task.output_schema)
    text, _ = form.text(form.usual, task.output_schema)
    usual, counted = parsed(text), [field for field in task.fields if field.how != "apart"]
    hits = sum(
        all(same(value_at(record, field.path), value_at(usual, field.path), field.how) for field in counted)
        for record in records
    )
    config = {"record": text, "share": hits / len(records)}
    return keep(artifacts, Card(kind=KIND, name=NAME, task=task, config=config, inputs={"train": rows_digest(rows)}))


def open_candidate(folder: Path, card: Card, engines: Engines) -> Majority:
    return Majority(card=card, digest=folder.name, answer=card.config["record"])

"""The classical baseline of records: a small model for each field, by what its training values are.

Values that the schema lists, or that repeat, are chosen among (`fields.chosen`; of lists, each item is ticked or not,
`fields.ticked`); those that stand in the message are copied from it (`fields.copied`); of the others the value of the
most similar training row is taken (`fields.nearest`). The record is put together so that it satisfies the schema
(`record_form`). The confidence is the product of the fields' probabilities, as if none depended on another; fields
"apart" do not count, and it is not stated where a field has none, or where the schema did not take a value.
"""

import json
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tunesmith.candidates import record_form
from tunesmith.candidates.base import Card, keep
from tunesmith.candidates.chunks import Said, in_chunks
from tunesmith.candidates.record_form import Form, value_of
from tunesmith.candidates.rows import ordered, rows_digest
from tunesmith.core.errors import MissingExtraError
from tunesmith.core.example import Example
from tunesmith.core.files import write_json
from tunesmith.core.prediction import Prediction
from tunesmith.engines.base import Engines
from tunesmith.tasks.records import Field, choices_of, parsed, schema_at, schema_of
from tunesmith.tasks.spec import Task

try:
    from scipy.sparse import load_npz, save_npz

    from tunesmith.candidates.fields import chosen, copied, nearest, ticked
    from tunesmith.candidates.fields.base import Answer, Arrays, FieldModel, Looks, Messages, Rows
    from tunesmith.candidates.fields.readings import Reading, reading_of
    from tunesmith.candidates.fields.stretches import Wanted, any_of, wanted
    from tunesmith.candidates.tfidf import VOCABULARY, TfIdf
except ImportError:
    raise MissingExtraError(
        "The classical baseline needs scikit-learn. Install it with `pip install 'tunesmith[evidence]'`, or take "
        '"classical" out of [baselines] which.'
    ) from None

KIND = "classical-record"
NAME = "classical"
FIELDS = "fields.json"
WEIGHTS = "weights.npz"
ROWS = "rows.npz"  # TF-IDF of the training rows, where a field looks for the nearest
COPIED = 0.5  # of the values stand in their message
REPEATS = 5  # rows to each value, on average: then the field chooses among them
FITS: dict[str, Callable[[Rows, Rows], FieldModel]] = {
    chosen.KIND: chosen.fit,
    ticked.KIND: ticked.fit,
    nearest.KIND: nearest.fit,
}
OPENED: dict[str, Callable[[Mapping[str, Any], Arrays], FieldModel]] = {
    chosen.KIND: chosen.opened,
    ticked.KIND: ticked.opened,
    copied.KIND: copied.opened,
    nearest.KIND: nearest.opened,
}


class Plan(NamedTuple):
    """Of which kind the model of a field is; of a copied one, how its stretches are read, and which are wanted."""

    kind: str
    reading: Reading | None = None
    wanted: Wanted = Wanted()


def make(artifacts: Path, task: Task, train: Sequence[Example], validation: Sequence[Example]) -> str:
    """Raises DataError where no record can be put together from the values of single fields."""
    assert task.output_schema is not None
    rows, checks = ordered(train, task), ordered(validation, task, "validation")
    records = [[parsed(row.expected) for row in part] for part in (rows, checks)]
    form = record_form.learned(records[0], task.fields, task.output_schema)
    texts = [row.text for row in rows]
    columns = {field: [[value_of(record, field.path) for record in part] for part in records] for field in task.fields}
    schema = schema_of(task.output_schema)
    plans = {field: _plan(schema_at(schema, field.path), texts, values) for field, (values, _) in columns.items()}
    kinds = {plan.kind for plan in plans.values()}
    tfidf = TfIdf.fit(texts) if kinds != {copied.KIND} else None
    like = tfidf.matrix(texts) if tfidf and nearest.KIND in kinds else None
    looks = Looks(tfidf, any_of([plan.wanted for plan in plans.values()]), like)
    seen = [Messages([row.text for row in part], looks) for part in (rows, checks)]
    weights = [[row.weight for row in part] for part in (rows, checks)]
    models = {
        field: _fit(field, plans[field], *(Rows(*part) for part in zip(seen, values, weights, strict=True)))
        for field, values in columns.items()
    }
    config = {"fields": {field.name: plans[field].kind for field in task.fields}}
    inputs = {"train": rows_digest(rows), "validation": rows_digest(checks)}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _save(folder, form, looks, [(plans[field].kind, model) for field, model in models.items()])
        return keep(artifacts, Card(kind=KIND, name=NAME, task=task, config=config, inputs=inputs), folder)


def _plan(part: Mapping[str, Any], texts: Sequence[str], values: Sequence[Any]) -> Plan:
    """How the field of the schema `part` is answered."""
    known = [(value, text) for value, text in zip(values, texts, strict=True) if value is not None]
    if choices_of(part) is not None or not known:
        return Plan(chosen.KIND)
    if reading := reading_of(part, [value for value, _ in known]):
        written = [found for value, text in known if (found := reading.written(value, text))]
        if len(written) >= COPIED * len(known):
            return Plan(copied.KIND, reading, wanted(written))
    if all(isinstance(value, list) for value, _ in known):
        return Plan(ticked.KIND if _repeat([each for value, _ in known for each in value]) else nearest.KIND)
    if _repeat([value for value, _ in known]):
        return Plan(chosen.KIND)
    return Plan(nearest.KIND)


def _repeat(values: Sequence[Any]) -> bool:
    return REPEATS * len({json.dumps(value, sort_keys=True) for value in values}) <= len(values)


def _fit(field: Field, plan: Plan, rows: Rows, checks: Rows) -> FieldModel:
    if plan.kind == copied.KIND:
        assert plan.reading is not None
        how = "exact" if field.how == "apart" else field.how
        return copied.fit(rows, checks, reading=plan.reading, wanted=plan.wanted, how=how)
    return FITS[plan.kind](rows, checks)


@dataclass(frozen=True)
class ClassicalRecord:
    card: Card
    digest: str
    form: Form
    looks: Looks
    models: Sequence[FieldModel]  # of the fields of the task

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        return in_chunks(examples, self._answers, alone=alone)

    def _answers(self, texts: Sequence[str]) -> list[Said]:
        messages = Messages(texts, self.looks)
        answers = zip(*(model.answers(messages) for model in self.models), strict=True)
        return [self._record(answer) for answer in answers]

    def _record(self, answers: Sequence[Answer]) -> Said:
        task = self.card.task
        assert task.output_schema is not None
        pairs = list(zip(task.fields, answers, strict=True))
        text, whole = self.form.text({field.path: answer.value for field, answer in pairs}, task.output_schema)
        counted = [answer.probability for field, answer in pairs if field.how != "apart"]
        stated = [probability for probability in counted if probability is not None]
        return text, math.prod(stated) if whole and len(stated) == len(counted) else None


def _save(folder: Path, form: Form, looks: Looks, models: Sequence[tuple[str, FieldModel]]) -> None:
    fields: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    for place, (kind, model) in enumerate(models):
        saved, own = model.saved()
        fields.append({"kind": kind, **saved})
        arrays |= {f"{place}/{name}": array for name, array in own.items()}
    write_json(folder / FIELDS, {"form": form.as_json(), "fields": fields})
    np.savez(folder / WEIGHTS, **arrays)
    if looks.tfidf is not None:
        looks.tfidf.save(folder)
    if looks.rows is not None:
        save_npz(folder / ROWS, looks.rows, compressed=False)


def open_candidate(folder: Path, card: Card, engines: Engines) -> ClassicalRecord:
    kept = json.loads((folder / FIELDS).read_text(encoding="utf-8"))
    with np.load(folder / WEIGHTS, allow_pickle=False) as file:
        arrays = dict(file)
    models = []
    for place, saved in enumerate(kept["fields"]):
        own = {name.split("/", 1)[1]: array for name, array in arrays.items() if name.startswith(f"{place}/")}
        models.append(OPENED[saved["kind"]](saved, own))
    tfidf = TfIdf.open(folder) if (folder / VOCABULARY).exists() else None
    rows = load_npz(folder / ROWS) if (folder / ROWS).exists() else None
    looks = Looks(tfidf, any_of([model.wanted for model in models if isinstance(model, copied.Copied)]), rows)
    return ClassicalRecord(
        card=card, digest=folder.name, form=record_form.opened(kept["form"]), looks=looks, models=models
    )

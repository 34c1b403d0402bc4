"""The classical baseline of sets of labels: for each label, whether it belongs to the answer (logistic regression over
TF-IDF), by a threshold of its own.

How strongly the weights of a label are held back is chosen on the validation rows, and so is its threshold: the one
with the best F1 there, the nearest to one half of equals; one half for a label that no validation row expects. The
confidence is the probability of all decisions together, as if none depended on another.
"""

import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tunesmith.candidates.base import Card, keep
from tunesmith.candidates.chunks import Said, in_chunks
from tunesmith.candidates.rows import ordered, rows_digest
from tunesmith.core.errors import MissingExtraError
from tunesmith.core.example import Example
from tunesmith.core.files import write_json
from tunesmith.core.prediction import Prediction
from tunesmith.engines.base import Engines
from tunesmith.tasks.intervals import Booleans, Floats
from tunesmith.tasks.label_sets import members, text_of
from tunesmith.tasks.spec import Task

try:
    from tunesmith.candidates.fields import ticked
    from tunesmith.candidates.fields.base import Looks, Messages, Rows
    from tunesmith.candidates.fields.stretches import Wanted
    from tunesmith.candidates.fields.ticked import Ticked
    from tunesmith.candidates.tfidf import TfIdf
except ImportError:
    raise MissingExtraError(
        "The classical baseline needs scikit-learn. Install it with `pip install 'tunesmith[evidence]'`, or take "
        '"classical" out of [baselines] which.'
    ) from None

KIND = "classical-sets"
NAME = "classical"
TICKS, WEIGHTS = "labels.json", "weights.npz"


def make(artifacts: Path, task: Task, train: Sequence[Example], validation: Sequence[Example]) -> str:
    """Raises DataError where there are no rows to fit or to choose on."""
    parts = ordered(train, task), ordered(validation, task, "validation")
    looks = Looks(TfIdf.fit([row.text for row in parts[0]]), Wanted())
    rows, checks = (
        Rows(
            Messages([row.text for row in part], looks),
            [list(members(row.expected)) for row in part],
            [row.weight for row in part],
        )
        for part in parts
    )
    model = ticked.fit(rows, checks)
    chances_NK = model.chances(checks.messages)
    wanted_NK = np.array([[label in said for label in model.choices] for said in checks.values], np.bool_)
    thresholds = [
        _threshold(*column) for column in zip(chances_NK.T, wanted_NK.reshape(chances_NK.shape).T, strict=True)
    ]
    config = {"thresholds": dict(zip(model.choices, thresholds, strict=True))}
    inputs = {"train": rows_digest(parts[0]), "validation": rows_digest(parts[1])}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        saved, arrays = model.saved()
        write_json(folder / TICKS, saved)
        np.savez(folder / WEIGHTS, **arrays)
        assert looks.tfidf
        looks.tfidf.save(folder)
        return keep(artifacts, Card(kind=KIND, name=NAME, task=task, config=config, inputs=inputs), folder)


def _threshold(chances: Floats, wanted: Booleans) -> float:
    """From which probability on the label belongs to the answer: half way between two that were seen, so that the last
    bits of neither decide."""
    if not wanted.any():
        return 0.5
    seen = np.unique(np.append(chances, [0.0, 1.0]))
    between = [0.5, *((seen[:-1] + seen[1:]) / 2)]

    def f1(threshold: float) -> float:
        given = chances > threshold
        return 2 * float((given & wanted).sum()) / float(given.sum() + wanted.sum())

    best = max(between, key=lambda threshold: (round(f1(threshold), 9), -abs(threshold - 0.5)))
    return round(float(best), 6)


@dataclass(frozen=True)
class ClassicalSets:
    card: Card
    digest: str
    looks: Looks
    model: Ticked

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        return in_chunks(examples, self._answers, alone=alone)

    def _answers(self, texts: Sequence[str]) -> list[Said]:
        return [self._set(row) for row in self.model.chances(Messages(texts, self.looks)).tolist()]

    def _set(self, chances: Sequence[float]) -> Said:
        pairs = list(zip(self.model.choices, chances, strict=True))
        chosen = [label for label, chance in pairs if chance > self.card.config["thresholds"][label]]
        return text_of(chosen, self.card.task.labels), math.prod(
            chance if label in chosen else 1 - chance for label, chance in pairs
        )


def open_candidate(folder: Path, card: Card, engines: Engines) -> ClassicalSets:
    with np.load(folder / WEIGHTS, allow_pickle=False) as file:
        arrays = dict(file)
    model = ticked.opened(json.loads((folder / TICKS).read_text(encoding="utf-8")), arrays)
    return ClassicalSets(card=card, digest=folder.name, looks=Looks(TfIdf.open(folder), Wanted()), model=model)

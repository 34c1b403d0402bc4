"""The majority baseline: the most frequent label, or set of labels, of the training rows, whatever the request says."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.candidates.base import Card, keep
from tunesmith.candidates.chunks import in_chunks
from tunesmith.candidates.rows import ordered, rows_digest
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.engines.base import Engines
from tunesmith.tasks.spec import Task

KIND = "majority"


def make(artifacts: Path, task: Task, train: Sequence[Example]) -> str:
    """Of labels that are equally frequent, the first in the task's order; of sets, in the alphabet's. The confidence is
    the answer's share."""
    rows = ordered(train, task)
    counts = Counter(row.expected for row in rows)
    answers = sorted(counts) if task.family == "multi_label" else task.labels
    label = max(answers, key=lambda answer: counts[answer])
    config = {"label": label, "share": counts[label] / len(rows)}
    return keep(artifacts, Card(kind=KIND, name=KIND, task=task, config=config, inputs={"train": rows_digest(rows)}))


@dataclass(frozen=True)
class Majority:
    """Always the same answer: a label, or a record."""

    card: Card
    digest: str
    answer: str

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        share = self.card.config["share"]
        return in_chunks(examples, lambda texts: [(self.answer, share)] * len(texts), alone=alone)


def open_candidate(folder: Path, card: Card, engines: Engines) -> Majority:
    return Majority(card=card, digest=folder.name, answer=card.config["label"])

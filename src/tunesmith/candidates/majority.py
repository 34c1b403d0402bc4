"""The majority baseline: the most frequent label, or set of labels, of the training rows, whatever the request says."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.candidates.base import Card, keep
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
        for example in examples:
            start = time.perf_counter()
            answer, share = self.answer, self.card.config["share"]
            seconds = time.perf_counter() - start
            yield Prediction(
                example=example.id,
                state="ok",
                output=answer,
                text=answer,
                confidence=share,
                seconds=seconds,
                latency=seconds if alone else None,
            )


def open_candidate(folder: Path, card: Card, engines: Engines) -> Majority:
    return Majority(card=card, digest=folder.name, answer=card.config["label"])

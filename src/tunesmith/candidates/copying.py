"""The copy baseline: the message unchanged. What a rewriting has to beat that changes too much, or too little."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.candidates.base import Card, keep
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.engines.base import Engines
from tunesmith.tasks import generation
from tunesmith.tasks.spec import Task

KIND = "copy"


def make(artifacts: Path, task: Task) -> str:
    return keep(artifacts, Card(kind=KIND, name=KIND, task=task))


@dataclass(frozen=True)
class Copy:
    card: Card
    digest: str

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        """The last message of each row: of several turns, the one that is to be answered."""
        for example in examples:
            start = time.perf_counter()
            text = example.messages[-1].content
            output, fault = generation.parse(text, self.card.task)
            seconds = time.perf_counter() - start
            yield Prediction(
                example=example.id,
                state="invalid" if output is None else "ok",
                output=output,
                text=text,
                error=fault,
                seconds=seconds,
                latency=seconds if alone else None,
            )


def open_candidate(folder: Path, card: Card, engines: Engines) -> Copy:
    return Copy(card=card, digest=folder.name)

"""Answering from texts alone, many at a time: what the majority and the classical models have in common."""

import time
from collections.abc import Callable, Iterator, Sequence

from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction

CHUNK = 256  # rows answered at a time

Said = tuple[str, float | None]  # an answer and its confidence


def in_chunks(
    examples: Sequence[Example], answers: Callable[[Sequence[str]], Sequence[Said]], *, alone: bool
) -> Iterator[Prediction]:
    """`answers` gives that of each text. A row's time is its share of its chunk's."""
    size = 1 if alone else CHUNK
    for first in range(0, len(examples), size):
        chunk = examples[first : first + size]
        start = time.perf_counter()
        said = answers([row.text for row in chunk])
        seconds = (time.perf_counter() - start) / len(chunk)
        for row, (text, confidence) in zip(chunk, said, strict=True):
            yield Prediction(
                example=row.id,
                state="ok",
                output=text,
                text=text,
                confidence=confidence,
                seconds=seconds,
                latency=seconds if alone else None,
            )

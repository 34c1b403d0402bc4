"""The user's own metrics and validators: functions of a Python file in the project, run apart (`core.foreign`).

A metric says how good an answer is, from 0 to 1, given the message, the expected output and the answer; a row without a
valid answer scores 0, unasked (`own_scores`). A validator says what is wrong with an answer, or None (`validating`).

A function that fails ends the measuring: a score that is missing is none of 0. What was asked once is remembered, by
the text of the file.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.core.foreign import Process, Wanted, sentence
from tunesmith.core.prediction import Prediction
from tunesmith.core.record import Record

PREFIX = "metrics."  # of a metric's name wherever metrics are named, so that it is never taken for one of Tunesmith's
KEPT = 1 << 16  # replies that are remembered
GIVEN = {"score": ("message", "expected", "answer"), "fault": ("message", "answer")}
SIGNATURES = {
    "score": "def {name}(message: str, expected: str, answer: str) -> float",
    "fault": "def {name}(message: str, answer: str) -> str | None",
}


class Own(Record):
    """Functions by name, the text of their file, what messages call it, and how long one call may take."""

    kind: str
    names: tuple[str, ...]
    source: str
    file: str
    seconds: float = Field(gt=0)

    @property
    def wanted(self) -> Wanted:
        signature = SIGNATURES[self.kind].format(name=self.names[0])
        return Wanted(
            kind=self.kind,
            functions=dict.fromkeys(self.names, GIVEN[self.kind]),
            needs=f"The file is loaded alone, in a process of its own; it needs `{signature}`"
            f"{' and the others that tunesmith.toml names' if len(self.names) > 1 else ''}.",
        )

    def check(self) -> None:
        """Raise UserError where the file cannot be loaded, or lacks a function."""
        with Calls(self) as calls:
            calls.start()


class Calls:
    """Calls of the functions of one file; the process begins with the first that is not remembered."""

    def __init__(self, own: Own):
        self._own = own
        self._stack = ExitStack()
        self._process: Process | None = None

    def __enter__(self) -> "Calls":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def start(self) -> Process:
        if self._process is None:
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
            file = folder / Path(self._own.file).name
            file.write_text(self._own.source, encoding="utf-8")
            made = Process(file, self._own.file, self._own.seconds, self._own.wanted)
            self._process = self._stack.enter_context(made)
            self._process.start()
        return self._process

    def reply(self, row: int, name: str, *given: str) -> Any:
        """What the function returns. Raises UserError where it fails."""
        known = _remembered(self._own.source, name, given)
        if not known:
            found = self.start().ask(row, name, *given)
            if "error" in found:
                raise UserError(
                    f"{sentence(self._own.file, found)}. {name}() must return for every answer; given were "
                    f"{', '.join(repr(text[:60]) for text in given)}. Correct the file, then run the command again."
                )
            known.append(found["answer"])
        return known[0]


@lru_cache(maxsize=KEPT)
def _remembered(source: str, name: str, given: tuple[str, ...]) -> list[Any]:
    """Where the one reply to these arguments is kept; empty before it is known."""
    return []


class Pair(NamedTuple):
    example: Example
    output: str | None  # None: no valid answer


def pairs(examples: Sequence[Example], predictions: Sequence[Prediction]) -> list[Pair]:
    outputs = (each.output if each.state == "ok" else None for each in predictions)
    return [Pair(*each) for each in zip(examples, outputs, strict=True)]


def scores(own: Own, answered: Iterable[Pair]) -> Mapping[str, list[float]]:
    """Metric (with its prefix) → the score of every row. Raises UserError where a function fails."""
    found: dict[str, list[float]] = {PREFIX + name: [] for name in own.names}
    with Calls(own) as calls:
        for row, (example, output) in enumerate(answered):
            for name in own.names:
                score = 0.0 if output is None else calls.reply(row, name, example.text, example.expected, output)
                found[PREFIX + name].append(score)
    return found

"""The rules baseline: the user's own `answer(message)`, kept in the artifact and run apart.

The file runs in one process per call of `predict` (`core.foreign`), with a limit on memory and on the time of each
answer. A row that hangs, dies or raises is `failed` with the reason. None is `refused`; what is no answer of the task
(no label, no record, or empty) is `invalid`. A record or a call may be returned as a dict, several calls as a list of
them, a set of labels as a list or a set.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.candidates.base import Card, keep
from tunesmith.candidates.section import SIGNATURES
from tunesmith.core import foreign_child
from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.core.foreign import Process, Wanted, clean, sentence
from tunesmith.core.prediction import Prediction
from tunesmith.engines.base import Engines
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.spec import FamilyName, Task

KIND = "rules"
FILE, FUNCTION = "rules.py", "answer"


def make(artifacts: Path, task: Task, source: Path, *, seconds: float) -> str:
    """Keep a copy of the rules in `source`. Raises UserError, with file and line, where they cannot be loaded."""
    try:
        content = source.read_bytes()
    except OSError as error:
        raise UserError(
            f"{source} cannot be read ({error.strerror}). Write `{SIGNATURES[task.family]}` into it, or take "
            '"rules" out of [baselines] which.'
        ) from None
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary, FILE)
        copy.write_bytes(content)
        # The copy: what loads must be what is kept.
        with Process(copy, str(source), seconds, _wanted(task.family)) as process:
            process.start()
        return keep(artifacts, Card(kind=KIND, name=KIND, task=task, config={"seconds": seconds}), Path(temporary))


@dataclass(frozen=True)
class Rules:
    card: Card
    digest: str
    path: Path

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        wanted = _wanted(self.card.task.family)
        with Process(self.path, FILE, self.card.config["seconds"], wanted) as process:
            for number, example in enumerate(examples):
                process.start()
                start = time.perf_counter()
                reply = process.ask(number, FUNCTION, example.text)
                seconds = time.perf_counter() - start
                yield Prediction(
                    example=example.id,
                    seconds=seconds,
                    latency=seconds if alone else None,
                    **_judge(reply, self.card.task, example.tools),
                )


def open_candidate(folder: Path, card: Card, engines: Engines) -> Rules:
    return Rules(card=card, digest=folder.name, path=folder / FILE)


def _wanted(family: FamilyName) -> Wanted:
    return Wanted(
        kind=family,
        functions={FUNCTION: ("the message",)},
        needs="The rules file is loaded alone, in a process of its own; it needs "
        f"`{SIGNATURES[family]}` and may import the standard library and installed packages.",
    )


def _judge(reply: dict[str, Any], task: Task, tools: Sequence[str]) -> dict[str, Any]:
    """The fields of a prediction that the reply decides."""
    if "error" in reply:
        return {"state": "failed", "error": sentence(FILE, reply)}
    if reply["answer"] is None:
        return {"state": "refused"}
    text = clean(reply["answer"])
    if reply["length"] > len(reply["answer"]):
        kept = foreign_child.LONGEST_ANSWER
        return {"state": "invalid", "text": text, "error": f"{reply['length']:,} characters; the first {kept:,} kept"}
    output, fault = FAMILIES[task.family].parse(text, task, tools=tools)
    return {"state": "invalid" if output is None else "ok", "output": output, "text": text, "error": fault}

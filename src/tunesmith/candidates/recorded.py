"""Answers that were given elsewhere: by people, or by the system in production. Nothing is asked, they are looked up.

A row is found by its id, else by what its message says (case, punctuation and spaces aside). A row that nobody answered
is `failed`, "not recorded": no answer is not a wrong one, and a verdict that such rows could overturn is held. An
answer is parsed as any other is. What the record says of cost and seconds is taken over; where it says nothing,
neither is known.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tunesmith.candidates.base import Card, keep
from tunesmith.core.digests import sha256_text
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example
from tunesmith.core.files import read_jsonl, write_jsonl
from tunesmith.core.prediction import Prediction
from tunesmith.core.record import Record
from tunesmith.data.normal import normalise
from tunesmith.engines.base import Engines
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.spec import Task

KIND = "recorded"
ANSWERS = "answers.jsonl"
MISSING = "not recorded"


class Given(Record):
    """One answer, to the row `id` or to a message, whose digest `key` is; a `text` of None is a refusal to answer."""

    id: str = ""
    key: str = ""
    text: str | None
    confidence: float | None = None
    seconds: float | None = None
    cost: float | None = None


def key_of(message: str) -> str:
    """What a message is found by; its text is not kept."""
    return sha256_text(normalise(message))


def make(artifacts: Path, task: Task, answers: Sequence[Given], *, name: str) -> str:
    """Of several answers to one row the last counts. Raises DataError where there are none."""
    if not answers:
        raise DataError(f"The recorded answers of {name!r} are none: the file holds no row with an answer.")
    kept = sorted({(each.id, each.key): each for each in answers}.values(), key=lambda each: (each.id, each.key))
    config = {"answers": len(kept), "repeated": len(answers) - len(kept)}
    with tempfile.TemporaryDirectory() as temporary:
        write_jsonl(Path(temporary, ANSWERS), [each.model_dump(mode="json", exclude_defaults=True) for each in kept])
        return keep(artifacts, Card(kind=KIND, name=name, task=task, config=config), Path(temporary))


class Recorded:
    timed = True  # by the record: how long looking up takes says nothing

    def __init__(self, folder: Path, card: Card, answers: Sequence[Given]):
        self.card = card
        self.digest = folder.name
        self._by_id = {each.id: each for each in answers if each.id}
        self._by_key = {each.key: each for each in answers if each.key}

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        for example in examples:
            found = self._by_id.get(example.id) or self._by_key.get(key_of(example.text))
            if found is None:
                yield Prediction(example=example.id, state="failed", error=MISSING)
                continue
            said = self._said(found, example.tools) | {"confidence": found.confidence, "seconds": found.seconds or 0.0}
            yield Prediction(example=example.id, latency=found.seconds, paid=found.cost, **said)

    def _said(self, given: Given, tools: Sequence[str]) -> dict[str, object]:
        if given.text is None:
            return {"state": "refused"}
        task = self.card.task
        output, fault = FAMILIES[task.family].parse(given.text, task, tools=tools)
        return {"state": "invalid" if output is None else "ok", "output": output, "text": given.text, "error": fault}


def open_candidate(folder: Path, card: Card, engines: Engines) -> Recorded:
    return Recorded(folder, card, [Given.model_validate_json(line) for line in read_jsonl(folder / ANSWERS)])

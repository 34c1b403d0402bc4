"""A cascade: one candidate answers where it is sure enough, another one the rest.

The threshold comes with a guarantee (`evaluation.threshold`); without one, everything goes to the second. What an
answer took is what both took: who passes a request on was asked, too.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tunesmith.candidates.base import Candidate, Card, keep
from tunesmith.candidates.load import load
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.engines.base import Engines
from tunesmith.tasks.spec import Task

KIND = NAME = "cascade"


def make(artifacts: Path, task: Task, config: dict[str, Any], inputs: dict[str, str]) -> str:
    """`config` names the digests `first` and `then`, their names, and the threshold with what it promises; `inputs`
    the calibration rows."""
    return keep(artifacts, Card(kind=KIND, name=NAME, task=task, config=config, inputs=inputs))


def accepts(prediction: Prediction, threshold: float | None) -> bool:
    """Whether an answer of the first stands."""
    sure = prediction.confidence
    return threshold is not None and prediction.state == "ok" and sure is not None and sure >= threshold


def joined(first: Prediction, then: Prediction | None, names: tuple[str, str]) -> Prediction:
    """The cascade's answer: that of the second, where it was asked, with what both took."""
    if then is None:
        return first.model_copy(update={"by": names[0]})
    both = (first.latency, then.latency)
    took: dict[str, Any] = {
        name: getattr(first, name) + getattr(then, name) for name in ("seconds", "tokens_in", "tokens_out", "cost")
    }
    paid = [each.paid for each in (first, then) if each.paid is not None]
    took |= {"paid": sum(paid) if paid else None, "by": names[1]}
    latency = None if both[0] is None or both[1] is None else both[0] + both[1]
    return then.model_copy(update=took | {"latency": latency})


class Cascade:
    """Both are opened when they are asked, so that two models need not be held."""

    def __init__(self, folder: Path, card: Card, engines: Engines):
        self.card = card
        self.digest = folder.name
        self._artifacts = folder.parent
        self._engines = engines
        self._names = (card.config["first_name"], card.config["then_name"])

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        threshold = self.card.config["threshold"]
        said = list(self._open("first").predict(examples, alone=alone))
        passed_on = [place for place, each in enumerate(said) if not accepts(each, threshold)]
        rest = [examples[place] for place in passed_on]
        seconds = dict(zip(passed_on, self._open("then").predict(rest, alone=alone) if rest else (), strict=True))
        for place, first in enumerate(said):
            yield joined(first, seconds.get(place), self._names)

    def _open(self, which: str) -> Candidate:
        return load(self._artifacts, self.card.config[which], self._engines)


def open_candidate(folder: Path, card: Card, engines: Engines) -> Cascade:
    return Cascade(folder, card, engines)

"""Rows, a task, and engines whose language model is a small honest stand-in: no weights, but real tokens.

The stand-in is a bag of words over the tokens it is given: a label scores by how often its tokens occur in the
prompt, so that what the prompt says decides the answer, and solved examples pull it their way. Renderer and
embedder are the real ones.
"""

import json
import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tunesmith.core.digests import digest, sha256_folder
from tunesmith.core.example import Example, Message
from tunesmith.engines.base import Constraint, Embedder, Engine, LabelAnswer, TextAnswer, Tokens
from tunesmith.models.renderer import Renderer
from tunesmith.models.store import open_model
from tunesmith.tasks.spec import Task

MODEL = "smollm2-135m-instruct"
DATA = Path(os.environ.get("TUNESMITH_DATA", Path(__file__).parents[3] / "shared" / "data"))


class BagOfWords:
    """Implements `engines.base.Engine`; `calls` keeps the prompts of every call.

    Like the local engine it remembers one prefix, so a call must have answered all its prompts before the next begins.
    """

    def __init__(self, identity: str):
        self.digest = identity
        self.calls: list[list[list[int]]] = []
        self._waiting = 0

    def score_labels(
        self, prompts: Sequence[Tokens], labels: Sequence[Tokens], *, confidence: bool = True, exact: bool = False
    ) -> Iterator[LabelAnswer]:
        assert not self._waiting, "a second call began before the first was done"
        self.calls.append([list(prompt) for prompt in prompts])
        self._waiting = len(prompts)
        for prompt in prompts:
            self._waiting -= 1
            counts = Counter(prompt)
            scores = [sum(counts[token] for token in label[:-1]) / len(label) for label in labels]
            best = max(range(len(labels)), key=lambda place: scores[place])
            total = sum(math.exp(score) for score in scores)
            yield LabelAnswer(
                label=best,
                confidence=math.exp(scores[best]) / total if confidence else None,
                probabilities=tuple(math.exp(score) / total for score in scores) if exact else None,
                seconds=0.001,
                tokens_in=len(prompt),
                tokens_out=len(labels[best]),
            )

    def generate(
        self,
        prompts: Sequence[Tokens],
        *,
        max_new_tokens: int,
        stop: Sequence[int],
        constraint: Constraint | None = None,
    ) -> Iterator[TextAnswer]:
        """Says the tokens between the last two ends of a turn, which are those of the request with its header."""
        assert not self._waiting, "a second call began before the first was done"
        self.calls.append([list(prompt) for prompt in prompts])
        self._waiting = len(prompts)
        for prompt in prompts:
            self._waiting -= 1
            ends = [place for place, token in enumerate(prompt) if token in stop]
            said = prompt[ends[-2] + 1 : ends[-1]][4:][:max_new_tokens]  # behind "\n", the mark, the role and "\n"
            yield TextAnswer(
                tokens=tuple(said),
                logprob=-0.5 * (len(said) + 1),
                ended=len(said) < max_new_tokens,
                seconds=0.001,
                tokens_in=len(prompt),
                tokens_out=len(said),
            )


class StandInEngines:
    """Implements `engines.base.Engines`."""

    def __init__(self, embedder: Embedder | None = None, version: str = "1"):
        self.version = version
        self.opened: dict[str, BagOfWords] = {}
        self._embedder = embedder
        self._renderer: Renderer | None = None

    def language(self, model: str, adapter: Path | None = None) -> Engine:
        files = sha256_folder(adapter) if adapter else {}
        identity = digest("stand-in", 1, model=model, version=self.version, adapter=files)
        return self.opened.setdefault(identity, BagOfWords(identity))

    def renderer(self, model: str) -> Renderer:
        if self._renderer is None:
            self._renderer = Renderer(open_model(model).folder)
        return self._renderer

    def embedder(self) -> Embedder:
        assert self._embedder, "this test's engines have no embedder"
        return self._embedder


@pytest.fixture(scope="session")
def minilm() -> Embedder:
    from tunesmith.engines.embedding import MiniLM

    return MiniLM()


@pytest.fixture
def model() -> str:
    return MODEL


@pytest.fixture
def engines() -> StandInEngines:
    return StandInEngines()


@pytest.fixture
def newer_engines() -> StandInEngines:
    """The same model under the same name, with other weights."""
    return StandInEngines(version="2")


@pytest.fixture
def embedding_engines(minilm: Embedder) -> StandInEngines:
    return StandInEngines(minilm)


@pytest.fixture
def task() -> Task:
    prompt = "Say what the message is about: weather, food or travel. Answer with one word."
    return Task(family="classification", prompt=prompt, labels=("weather", "food", "travel"))


def example(text: str, expected: str = "", **fields: object) -> Example:
    return Example(messages=(Message(role="user", content=text),), expected=expected, **fields)


@pytest.fixture
def train() -> list[Example]:
    texts = {
        "weather": ["It rains again", "Heavy snow tonight", "Sunny with some clouds", "A storm is coming", "Cold wind"],
        "food": ["The soup was salty", "I baked bread", "Dinner with pasta", "A ripe tomato", "Breakfast is ready"],
        "travel": ["My flight is late", "We took the night train", "Booked a hotel", "Lost my passport"],
    }
    return [example(text, label, origin=f"rows:{label}") for label, group in texts.items() for text in group]


@pytest.fixture
def validation() -> list[Example]:
    texts = {
        "weather": ["Rain and wind all day", "Will it snow?"],
        "food": ["Pasta for dinner again", "Fresh bread and soup"],
        "travel": ["The train to the hotel", "Is the flight on time?"],
    }
    return [example(text, label) for label, group in texts.items() for text in group]


@pytest.fixture(scope="session")
def naughty() -> list[str]:
    path = DATA / "naughty_strings" / "blns.json"
    if not path.exists():
        pytest.skip("the data set naughty_strings is not here")
    return [text for text in json.loads(path.read_text(encoding="utf-8")) if text]


@pytest.fixture(scope="session")
def data() -> Path:
    return DATA

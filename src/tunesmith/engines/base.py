"""What candidates ask of an engine, and the register that opens each model once."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol

from tunesmith.core.example import Message
from tunesmith.core.record import Record
from tunesmith.models.renderer import Renderer

Tokens = Sequence[int]


class LabelAnswer(Record):
    """The greedy answer under the labels. `confidence` is None where it was not asked for, `probabilities` (of all
    labels) where they were not asked for exactly."""

    label: int
    confidence: float | None
    probabilities: tuple[float, ...] | None = None
    seconds: float
    tokens_in: int
    tokens_out: int


class Constraint(Record):
    """What every answer must be: an instance of a JSON Schema, or a text of a grammar in llguidance's Lark."""

    kind: Literal["json_schema", "grammar"]
    text: str


class TextAnswer(Record):
    """`ended` where the model ended its turn, or the constraint left nothing more to say; else the limit of tokens did,
    or, with a `fault`, the constraint could not be followed further. `logprob` is that of the tokens among those
    allowed."""

    tokens: tuple[int, ...]
    logprob: float
    ended: bool
    fault: str | None = None
    seconds: float
    tokens_in: int
    tokens_out: int


class ChatAnswer(Record):
    """What a provider answered. `logprob` is that of `text`, over `scored` tokens; None where the server does not state
    it. `cut` where the limit of tokens ended it; `kept` where it was given to the same request before, in the
    `seconds` of then."""

    text: str
    refused: bool = False
    cut: bool = False
    logprob: float | None = None
    scored: int = 0
    seconds: float
    tokens_in: int
    tokens_out: int
    kept: bool = False


class RequestFailedError(Exception):
    """One request was not answered. `lost`: the line or the server is at fault, not what was asked."""

    def __init__(self, why: str, *, lost: bool):
        super().__init__(why)
        self.lost = lost


class ChatEngine(Protocol):
    """A model behind a server, asked with messages; `at_once` requests may be under way together."""

    at_once: int

    def answer(
        self,
        turns: Sequence[Message],
        *,
        max_tokens: int,
        tools: Sequence[str] = (),
        constraint: Constraint | None = None,
        anew: bool = False,
    ) -> ChatAnswer:
        """What was answered to the same request before is taken, unless it is to be asked `anew`.

        Raises RequestFailedError for this request alone, ProviderError where no other could succeed either,
        ConfigError for a constraint that is no JSON Schema."""


class Engine(Protocol):
    """A causal language model. Tokens that all prompts of a call begin with are computed once."""

    digest: str

    def score_labels(
        self, prompts: Sequence[Tokens], labels: Sequence[Tokens], *, confidence: bool = True, exact: bool = False
    ) -> Iterator[LabelAnswer]:
        """One answer per prompt, in order. `labels` are token ids that end with the end of the turn."""

    def generate(
        self,
        prompts: Sequence[Tokens],
        *,
        max_new_tokens: int,
        stop: Sequence[int],
        constraint: Constraint | Sequence[Constraint] | None = None,
    ) -> Iterator[TextAnswer]:
        """Greedy continuations, in order; `stop` token ids end an answer and are not part of it.

        Under a `constraint`, one for all or one for each, an answer that ended is valid. Where each has its own, one
        that cannot be enforced is a fault of its answer; else raises ConfigError for one that cannot be enforced.
        """

    def log_likelihoods(self, prompts: Sequence[Tokens], answers: Sequence[Tokens]) -> Iterator[float]:
        """The sum of log p of each answer's tokens behind its prompt, in order; nothing is masked."""


class Embedder(Protocol):
    digest: str

    def embed(self, texts: Sequence[str]) -> "list[list[float]]":
        """One unit vector per text."""


class Engines(Protocol):
    """Opens engines on demand, each once; candidates never load a model themselves."""

    def language(self, model: str, adapter: Path | None = None) -> Engine: ...

    def renderer(self, model: str) -> Renderer: ...

    def chat(self, model: str) -> ChatEngine: ...

    def embedder(self) -> Embedder: ...

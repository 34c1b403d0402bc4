"""Opens each model once and keeps it: the engines of a project."""

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from tunesmith.core.digests import digest, sha256_folder
from tunesmith.core.errors import MissingExtraError
from tunesmith.engines.base import ChatEngine, Embedder, Engine
from tunesmith.engines.hosted.kept import KeptAnswers
from tunesmith.engines.hosted.provider import Providers, missing, provider
from tunesmith.models.names import parse
from tunesmith.models.renderer import TOKENIZER, Renderer
from tunesmith.models.store import ModelFiles, open_model

if TYPE_CHECKING:
    from tunesmith.engines.local.engine import LocalEngine


class LocalEngines:
    """`folder` is what relative model paths are relative to. One language model is held at a time.

    `providers` are the servers that hosted models are asked at; those that are built in need no entry. `answers` is
    the file in which what they answer is kept; None: nowhere.
    """

    def __init__(
        self, folder: Path | None = None, providers: Providers = MappingProxyType({}), answers: Path | None = None
    ):
        self._folder = folder
        self._providers = providers
        self._answers = answers
        self._kept: KeptAnswers | None = None
        self._chats: dict[str, ChatEngine] = {}
        self._files: dict[str, ModelFiles] = {}
        self._renderers: dict[str, Renderer] = {}
        self._embedder: Embedder | None = None
        self._language: tuple[tuple[str, Path | None], LocalEngine] | None = None

    def files(self, model: str) -> ModelFiles:
        """Fetched and converted at the first call."""
        if model not in self._files:
            self._files[model] = open_model(model, self._folder)
        return self._files[model]

    def renderer(self, model: str) -> Renderer:
        if model not in self._renderers:
            self._renderers[model] = Renderer(self.files(model).folder)
        return self._renderers[model]

    def language(self, model: str, adapter: Path | None = None) -> Engine:
        """The engine of `model`, or of what training made of it: folder `adapter`, a PEFT adapter or a whole model."""
        key = (model, adapter)
        if self._language is None or self._language[0] != key:
            self._language = None  # free the old model before the new one is loaded
            self._language = (key, self._open(model, adapter))
        return self._language[1]

    def chat(self, model: str) -> ChatEngine:
        """The model `PROVIDER:name`. Raises ConfigError where the provider or its key is not known."""
        if model not in self._chats:
            name = parse(model, self._folder)
            assert name.provider, f"{model} is not hosted"
            assert name.model, f"{model} is not hosted"
            at = provider(name.provider, self._providers)
            at.key()  # what is missing is said before the SDK is loaded
            try:
                from tunesmith.engines.hosted.chat import HostedChat  # a backend loaded on demand
            except ImportError as error:
                raise missing(error) from None
            self._chats[model] = HostedChat(at, name.model, self._kept_answers() if at.keep else None)
        return self._chats[model]

    @property
    def answers_used(self) -> int:
        """How many answers of providers were found among the kept ones."""
        return self._kept.used if self._kept else 0

    def _kept_answers(self) -> KeptAnswers | None:
        if self._kept is None and self._answers is not None:
            self._kept = KeptAnswers(self._answers)
        return self._kept

    def embedder(self) -> Embedder:
        if self._embedder is None:
            try:
                from tunesmith.engines.embedding import MiniLM  # a backend loaded on demand
            except ImportError as error:
                raise MissingExtraError(
                    f"{error}. Sentence vectors need the extra 'train': pip install 'tunesmith[train]'. Or do without "
                    'them: take classical out of [baselines] which, and set few_shot = "seeded".'
                ) from None
            self._embedder = MiniLM()
        return self._embedder

    def _open(self, model: str, adapter: Path | None) -> "LocalEngine":
        try:
            from tunesmith.engines.local.adapters import open_tuned  # a backend loaded on demand
            from tunesmith.engines.local.engine import LocalEngine
            from tunesmith.engines.local.loading import load
        except ImportError as error:
            raise _missing(error) from None
        files = self.files(model)
        tokenizer = files.folder / TOKENIZER
        if adapter is None:
            return LocalEngine(load(files.folder), files.digest, tokenizer=tokenizer)
        identity = digest("engine", 1, model=files.digest, adapter=sha256_folder(adapter))
        tuned = open_tuned(files.folder, adapter)
        return LocalEngine(tuned.model, identity, tuned.virtual, tokenizer=tokenizer)


def _missing(error: ImportError) -> MissingExtraError:
    return MissingExtraError(
        f"{error}. Running a language model needs the extra 'train': pip install 'tunesmith[train]'."
    )

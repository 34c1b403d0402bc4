"""Where the model of a prompted candidate answers, here or at a provider, and what must hold before it is made."""

from pathlib import Path
from typing import NamedTuple

from tunesmith.candidates import prompting
from tunesmith.candidates.base import Card
from tunesmith.candidates.hosted import Hosted
from tunesmith.candidates.prompting import Contexts, no_context
from tunesmith.core.example import question
from tunesmith.engines.base import Engines
from tunesmith.models.names import is_hosted
from tunesmith.tasks.spec import Task


class Asked(NamedTuple):
    """Which model a candidate asks, how long a row may be, and what opens it."""

    model: str
    max_tokens: int
    engines: Engines

    @property
    def config(self) -> dict[str, object]:
        return config(self.model, self.max_tokens)


def config(model: str, max_tokens: int) -> dict[str, object]:
    """What a card must say of its model. A provider has its own limit of tokens."""
    return {"model": model} if is_hosted(model) else prompting.config(model, max_tokens)


def made_with(engines: Engines, model: str, task: Task) -> dict[str, str]:
    """The digest of the model, as an input of the card; a provider shows none.

    Raises ModelError where the labels cannot be answers of `model`, DataError where its prompt cannot be asked,
    ConfigError where the provider or its key is not known.
    """
    if is_hosted(model):
        engines.chat(model)
        return {}
    renderer = engines.renderer(model)
    prompting.way_of(renderer, task)
    renderer.prompt(prompting.conversation(task, question("?")))
    return {"engine": engines.language(model).digest}


Opened = prompting.Prompted | Hosted


def opened(folder: Path, card: Card, engines: Engines, contexts: Contexts = no_context) -> Opened:
    if is_hosted(card.config["model"]):
        return Hosted(folder, card, engines, contexts=contexts)
    return prompting.Prompted(folder, card, engines, contexts=contexts)

"""The prompt baseline: the base model with the task's prompt, and nothing else."""

from pathlib import Path

from tunesmith.candidates import asking
from tunesmith.candidates.base import Candidate, Card, keep
from tunesmith.engines.base import Engines
from tunesmith.tasks.spec import Task

KIND = "prompt"


def make(artifacts: Path, task: Task, *, model: str, max_tokens: int, engines: Engines, name: str = KIND) -> str:
    """`name` where it is not [model] base that is asked.

    Raises ModelError where the labels cannot be answers of `model`, DataError where its prompt cannot be asked."""
    inputs = asking.made_with(engines, model, task)
    config = asking.config(model, max_tokens)
    return keep(artifacts, Card(kind=KIND, name=name, task=task, config=config, inputs=inputs))


def open_candidate(folder: Path, card: Card, engines: Engines) -> Candidate:
    return asking.opened(folder, card, engines)

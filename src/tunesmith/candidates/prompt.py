"""The prompt baseline: the base model with the task's prompt, and nothing else."""

from pathlib import Path

from tunesmith.candidates import asking
from tunesmith.candidates.base import Candidate, Card, keep
from tunesmith.engines.base import Engines
from tunesmith.tasks.spec import Task

KIND = "prompt"


def make(artifacts: Path, task: Task, *, model: str, max_tokens: int, engines: Engines) -> str:
    """Raises ModelError where the labels cannot be answers of `model`, DataError where its prompt cannot be asked."""
    inputs = asking.made_with(engines, model, task)
    return keep(
        artifacts, Card(kind=KIND, name=KIND, task=task, config=asking.config(model, max_tokens), inputs=inputs)
    )


def open_candidate(folder: Path, card: Card, engines: Engines) -> Candidate:
    return asking.opened(folder, card, engines)

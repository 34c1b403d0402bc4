"""The prompt baseline: the base model with the task's prompt, and nothing else."""

from pathlib import Path

from tunesmith.candidates import prompting
from tunesmith.candidates.base import Card, keep
from tunesmith.core.example import question
from tunesmith.engines.base import Engines
from tunesmith.tasks.spec import Task

KIND = "prompt"


def make(artifacts: Path, task: Task, *, model: str, max_tokens: int, engines: Engines) -> str:
    """Raises ModelError where the labels cannot be answers of `model`, DataError where its prompt cannot be asked."""
    renderer = engines.renderer(model)
    prompting.label_tokens(renderer, task.labels)
    renderer.prompt(prompting.conversation(task, question("?")))
    inputs = {"engine": engines.language(model).digest}
    return keep(
        artifacts, Card(kind=KIND, name=KIND, task=task, config=prompting.config(model, max_tokens), inputs=inputs)
    )


def open_candidate(folder: Path, card: Card, engines: Engines) -> prompting.Prompted:
    return prompting.Prompted(folder, card, engines)

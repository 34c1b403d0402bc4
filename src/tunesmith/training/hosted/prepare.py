"""The folder of a run at a provider: the two uploads, then the state that says that they are whole."""

from collections.abc import Sequence
from pathlib import Path

from tunesmith.core.example import Example
from tunesmith.tasks.spec import Task
from tunesmith.training.hosted import rows
from tunesmith.training.hosted.recipe import hyperparameters
from tunesmith.training.hosted.state import TRAIN, VALIDATION, HostedState, new_tag, write_state
from tunesmith.training.section import TrainSection


def prepare(
    folder: Path,
    task: Task,
    recipe: TrainSection,
    train: Sequence[Example],
    validation: Sequence[Example],
    *,
    provider: str,
    model: str,
) -> None:
    """Raises DataError or ConfigError where a provider's job cannot carry the rows or the recipe."""
    chosen = hyperparameters(recipe)
    rows.write(folder / TRAIN, task, train)
    rows.write(folder / VALIDATION, task, validation)
    state = HostedState(
        provider=provider,
        model=model,
        tag=new_tag(),
        rows=len(train),
        validation_rows=len(validation),
        hyperparameters=chosen,
    )
    write_state(folder, state)

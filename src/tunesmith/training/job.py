"""What a training run is given: a folder with `job.json`, `train.jsonl` and `validation.jsonl`.

The child process reads them and writes `events.jsonl`, `checkpoint/` and, at the end, `adapter/` beside them, or
`model/` where every weight was trained.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tunesmith.core.example import Example
from tunesmith.core.files import write_json, write_jsonl
from tunesmith.core.record import Record
from tunesmith.tasks.spec import Task
from tunesmith.training.section import TrainSection

JOB, TRAIN, VALIDATION, EVENTS = "job.json", "train.jsonl", "validation.jsonl", "events.jsonl"
CHECKPOINT, ADAPTER, MODEL, LOCK, PID, LOG = "checkpoint", "adapter", "model", "run.lock", "run.pid", "child.log"


class Job(Record):
    """`model` is the name that the adapter's config states; `model_folder` is where its files lie here."""

    schema_version: Literal[1] = 1
    model: str
    model_folder: str
    model_digest: str
    max_tokens: int
    task: Task
    recipe: TrainSection
    primary: str = "accuracy"


def prepare(folder: Path, job: Job, train: Sequence[Example], validation: Sequence[Example]) -> None:
    """Write a run's folder. Existing files are replaced; a checkpoint in it would be resumed."""
    folder.mkdir(parents=True, exist_ok=True)
    write_jsonl(folder / TRAIN, (example.model_dump(mode="json") for example in train))
    write_jsonl(folder / VALIDATION, (example.model_dump(mode="json") for example in validation))
    write_json(folder / JOB, job.model_dump(mode="json"))


def kept_as(recipe: TrainSection) -> str:
    """The name of the folder that holds what was trained."""
    return MODEL if recipe.method == "full" else ADAPTER


def read_job(folder: Path) -> Job:
    return Job.model_validate_json((folder / JOB).read_text(encoding="utf-8"))


def read_rows(path: Path) -> list[Example]:
    with path.open(encoding="utf-8") as file:
        return [Example.model_validate_json(line) for line in file]

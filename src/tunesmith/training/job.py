"""What a training run is given: a folder with `job.json`, `train.jsonl` and `validation.jsonl`, and `general.jsonl`
where the user has general rows of their own for rehearsal, `preferences.jsonl` where pairs of answers are learnt from.

The child process reads them and writes `events.jsonl`, `checkpoint/` and, at the end, `adapter/` beside them, or
`model/` where every weight was trained.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Preference
from tunesmith.core.files import write_json, write_jsonl
from tunesmith.core.record import Record
from tunesmith.tasks.spec import Task
from tunesmith.training.section import TrainSection

JOB, EVENTS = "job.json", "events.jsonl"
TRAIN, VALIDATION = "train.jsonl", "validation.jsonl"
GENERAL, PREFERENCES = "general.jsonl", "preferences.jsonl"
CHECKPOINT, ADAPTER, MODEL, LOCK, PID, LOG = "checkpoint", "adapter", "model", "run.lock", "run.pid", "child.log"
AGAIN = "Run `tunesmith train`: it writes the files of a run from the project."


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
    start: str | None = None  # where the adapter to start from lies here
    start_digest: str | None = None  # of its weights


def prepare(
    folder: Path,
    job: Job,
    train: Sequence[Example],
    validation: Sequence[Example],
    general: Sequence[Example] = (),
    pairs: Sequence[Preference] = (),
) -> None:
    """Write a run's folder. Existing files are replaced; a checkpoint in it would be resumed."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, Sequence[Example | Preference]] = {TRAIN: train, VALIDATION: validation}
    files |= {name: rows for name, rows in ((GENERAL, general), (PREFERENCES, pairs)) if rows}
    for name, rows in files.items():
        write_jsonl(folder / name, (row.model_dump(mode="json") for row in rows))
    write_json(folder / JOB, job.model_dump(mode="json"))


def kept_as(recipe: TrainSection) -> str:
    """The name of the folder that holds what was trained."""
    return MODEL if recipe.method == "full" else ADAPTER


def read_job(folder: Path) -> Job:
    try:
        return Job.model_validate_json(_text(folder / JOB))
    except ValidationError:
        raise DataError(f"{folder / JOB} is not what was written there. {AGAIN}") from None


def read_rows(path: Path) -> list[Example]:
    """The rows of a run. Raises DataError where the file is gone, broken or empty, or a row has no weight."""
    try:
        rows = [Example.model_validate_json(line) for line in _text(path).split("\n") if line]
    except ValidationError:
        raise DataError(f"{path} is not what was written there. {AGAIN}") from None
    if not rows:
        raise DataError(f"{path} has no rows. {AGAIN}")
    refuse_weights(rows, path)
    return rows


def read_general(folder: Path) -> list[Example]:
    """The user's own rows for rehearsal; empty where the run has none."""
    return read_rows(folder / GENERAL) if (folder / GENERAL).exists() else []


def read_pairs(folder: Path) -> list[Preference]:
    """The pairs of answers; empty where the run learns from rows."""
    path = folder / PREFERENCES
    lines = _text(path).split("\n") if path.exists() else []
    try:
        return [Preference.model_validate_json(line) for line in lines if line]
    except ValidationError:
        raise DataError(f"{path} is not what was written there. {AGAIN}") from None


def refuse_weights(rows: Sequence[Example], path: Path) -> None:
    """A row without weight teaches nothing, and a batch of such rows has no mean: both are refused, not skipped."""
    idle = [row for row in rows if not 0 < row.weight < math.inf]
    if idle:
        said = ", ".join(f"{row.origin or row.id} ({row.weight:g})" for row in idle[:5])
        more = f" and {len(idle) - 5:,} more" if len(idle) > 5 else ""
        what = "every row has" if len(idle) == len(rows) else f"{len(idle):,} of {len(rows):,} rows have"
        raise DataError(
            f"{path.name}: {what} a weight that is not a number above 0: {said}{more}. Nothing can be learnt from "
            "them. Give them a weight, or take them out of the data."
        )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"{path} is gone. {AGAIN}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text. {AGAIN}") from None

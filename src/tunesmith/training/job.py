"""What a training run is given: a folder with `job.json`, `train.jsonl` and `validation.jsonl`, and `general.jsonl`
where the user has general rows of their own for rehearsal, `preferences.jsonl` where pairs of answers are learnt from.

The child process reads them and writes `events.jsonl`, `checkpoint/` and, at the end, `adapter/` beside them, or
`model/` where every weight was trained.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

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
FILES, NEEDED = (TRAIN, VALIDATION, GENERAL, PREFERENCES), (TRAIN, VALIDATION)  # as `Given` has them
CHECKPOINT, ADAPTER, MODEL, LOCK, PID, LOG = "checkpoint", "adapter", "model", "run.lock", "run.pid", "child.log"
AGAIN = "Run `tunesmith train`: it writes the files of a run from the project."

Kind = TypeVar("Kind", Example, Preference)


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


class Given(NamedTuple):
    """The rows of a run: `general` ones of the user's own for rehearsal, and `pairs` of answers to learn from."""

    train: Sequence[Example]
    validation: Sequence[Example]
    general: Sequence[Example] = ()
    pairs: Sequence[Preference] = ()


def prepare(folder: Path, job: Job, given: Given) -> None:
    """Write a run's folder. Existing files are replaced; a checkpoint in it would be resumed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in zip(FILES, given, strict=True):
        if rows or name in NEEDED:
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


def read_given(folder: Path) -> Given:
    """The rows of a run. Raises DataError where a file is gone, broken or empty, or a row has no weight."""
    return Given(
        train=read_rows(folder / TRAIN),
        validation=read_rows(folder / VALIDATION),
        general=read_rows(folder / GENERAL) if (folder / GENERAL).exists() else (),
        pairs=_read(folder / PREFERENCES, Preference) if (folder / PREFERENCES).exists() else (),
    )


def read_rows(path: Path) -> list[Example]:
    rows = _read(path, Example)
    refuse_weights(rows, path)
    return rows


def _read(path: Path, kind: type[Kind]) -> list[Kind]:
    try:
        rows = [kind.model_validate_json(line) for line in _text(path).split("\n") if line]
    except ValidationError:
        raise DataError(f"{path} is not what was written there. {AGAIN}") from None
    if not rows:
        raise DataError(f"{path} has no rows. {AGAIN}")
    return rows


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

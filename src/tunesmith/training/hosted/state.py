"""`hosted.json` in a run's folder: what was asked of the provider, written before anything is waited for.

Each request that costs something is named here before it is sent, and its id after it. Between the two the process
may die: then the id is looked for at the provider instead of asking a second time.
"""

import secrets
from pathlib import Path
from typing import Literal

from tunesmith.core.files import write_json
from tunesmith.core.record import Record
from tunesmith.training.hosted.base import Status
from tunesmith.training.hosted.recipe import Hyperparameters

FILE = "hosted.json"
TRAIN, VALIDATION = "upload/train.jsonl", "upload/validation.jsonl"
Step = Literal["training_file", "validation_file", "job"]


class HostedState(Record):
    """`tag` is this run's alone: the files are called after it, and the job carries it."""

    schema_version: Literal[1] = 1
    provider: str
    model: str
    tag: str
    rows: int
    validation_rows: int
    hyperparameters: Hyperparameters
    asked: tuple[Step, ...] = ()
    training_file: str | None = None
    validation_file: str | None = None
    job: str | None = None
    status: Status = "waiting"
    fine_tuned_model: str | None = None

    @property
    def over(self) -> bool:
        """Whether the job has ended without a model, so that training again means another job."""
        return self.status in ("failed", "cancelled")

    @property
    def goes_on(self) -> bool:
        """Whether a job that was started is not known to have ended."""
        return self.job is not None and self.status in ("waiting", "running")


def new_tag() -> str:
    return f"tunesmith-{secrets.token_hex(4)}"  # 18 letters: the longest suffix of a model's name that all servers take


def read_state(folder: Path) -> HostedState | None:
    """The state of the run in `folder`; None where nothing was prepared yet, or where it is a local run."""
    path = folder / FILE
    return HostedState.model_validate_json(path.read_text(encoding="utf-8")) if path.is_file() else None


def write_state(folder: Path, state: HostedState) -> None:
    write_json(folder / FILE, state.model_dump(mode="json"))

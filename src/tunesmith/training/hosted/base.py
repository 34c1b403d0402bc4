"""The seam where providers fit: what a provider of fine-tuning must be able to do. `openai_jobs` is one.

A call raises `LostError` where it got no answer, so that it may or may not have been carried out, and ProviderError
where the provider said no.
"""

from pathlib import Path
from typing import Any, Literal, Protocol

from tunesmith.core.record import Record
from tunesmith.training.hosted.recipe import Hyperparameters

Status = Literal["waiting", "running", "succeeded", "failed", "cancelled"]
ENDED = ("succeeded", "failed", "cancelled")


class LostError(Exception):
    """No answer came; the same call may succeed a little later."""


class Order(Record):
    """A job as it is asked for. `tag` is this run's own: it stands on the job, which is found by it again."""

    model: str
    tag: str
    training_file: str
    validation_file: str | None
    hyperparameters: Hyperparameters


class JobState(Record):
    """A job as the provider tells of it. `model` is the name of what it made; times are seconds since 1970."""

    id: str
    status: Status
    words: str = ""  # the provider's own word for the status
    model: str | None = None
    error: str | None = None
    created: float | None = None
    finished: float | None = None
    trained_tokens: int | None = None


class JobEvent(Record):
    id: str
    created: float
    message: str
    data: dict[str, Any] = {}


class FineTuning(Protocol):
    name: str  # of the provider
    address: str  # where it is asked

    def upload(self, path: Path, name: str) -> str:
        """Upload a file under `name`; its id."""

    def find_file(self, name: str) -> str | None:
        """The id of the file that was uploaded under `name`."""

    def create(self, order: Order) -> JobState:
        """Start a job; it costs money from here on."""

    def find_job(self, order: Order) -> JobState | None:
        """The job that was started by `order`, found by its tag or its training file."""

    def job(self, identity: str) -> JobState: ...

    def events(self, identity: str, known: set[str]) -> list[JobEvent]:
        """The events whose ids are not `known`, oldest first."""

    def cancel(self, identity: str) -> JobState: ...

"""OpenAI's fine-tuning API through the official SDK: OpenAI itself, and any server that speaks it.

The SDK must not ask again by itself here: it would send an upload or a job a second time when only the answer was
lost. Whoever calls looks first whether it arrived.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai

from tunesmith.core.errors import ProviderError
from tunesmith.engines.hosted import failures
from tunesmith.engines.hosted.provider import Provider, client
from tunesmith.training.hosted.base import JobEvent, JobState, LostError, Order, Status
from tunesmith.training.hosted.closed import refusal

if TYPE_CHECKING:
    from openai.types.fine_tuning import FineTuningJob

UPLOAD = 600.0  # seconds that an upload may take
PAGE, SEARCHED = 100, 1000  # jobs and files a page, and looked through at most, the newest first
WORDS: tuple[Status, ...] = ("succeeded", "failed", "cancelled", "running")  # all others mean waiting
CLOSED = (403, 404, 405, 501)
NO_SUCH_MODEL = ("model_not_found", "model_not_available", "invalid_model")


class OpenAIJobs:
    """Implements `training.hosted.base.FineTuning`."""

    def __init__(self, provider: Provider):
        self.name = provider.name
        self._provider = provider
        self._client = client(provider, retries=0)
        self.address = str(self._client.base_url)

    def upload(self, path: Path, name: str) -> str:
        with self._calls("the file was not taken", offer=True), path.open("rb") as file:
            sent = self._client.files.create(file=(name, file), purpose="fine-tune", timeout=UPLOAD)
            return self._identity(sent)

    def find_file(self, name: str) -> str | None:
        with self._calls("its files cannot be listed"):
            files = self._client.files.list(purpose="fine-tune", limit=PAGE, order="desc")
            found = (file.id for file in itertools.islice(files, SEARCHED) if file.filename == name)
            return next(found, None)

    def create(self, order: Order) -> JobState:
        given = order.hyperparameters
        chosen = {"n_epochs": given.epochs, "batch_size": given.batch_size}
        chosen["learning_rate_multiplier"] = given.learning_rate_multiplier  # type: ignore[assignment]
        chosen = {name: value for name, value in chosen.items() if value is not None}
        more: dict[str, Any] = {}
        if chosen:
            more["method"] = {"type": "supervised", "supervised": {"hyperparameters": chosen}}
        if order.validation_file:
            more["validation_file"] = order.validation_file
        if given.seed is not None:
            more["seed"] = given.seed
        with self._calls(f"it does not fine-tune {order.model!r}", offer=True):
            job = self._client.fine_tuning.jobs.create(
                model=order.model,
                training_file=order.training_file,
                suffix=order.tag,
                metadata={"tunesmith": order.tag},
                **more,
            )
            return self._state(job)

    def find_job(self, order: Order) -> JobState | None:
        with self._calls("its jobs cannot be listed"):
            jobs = itertools.islice(self._client.fine_tuning.jobs.list(limit=PAGE), SEARCHED)
            return next((self._state(job) for job in jobs if _is_of(job, order)), None)

    def job(self, identity: str) -> JobState:
        with self._calls(f"the job {identity} cannot be seen"):
            return self._state(self._client.fine_tuning.jobs.retrieve(identity))

    def events(self, identity: str, known: set[str]) -> list[JobEvent]:
        try:
            with self._calls("its events cannot be listed"):
                pages = self._client.fine_tuning.jobs.list_events(identity, limit=PAGE)
                new = itertools.takewhile(lambda event: _name(event) not in known, pages)  # the newest come first
                found = [self._event(event) for event in new]
        except ProviderError:  # a server without events still tells how the job stands
            return []
        return found[::-1]

    def cancel(self, identity: str) -> JobState:
        with self._calls(f"the job {identity} was not cancelled"):
            return self._state(self._client.fine_tuning.jobs.cancel(identity))

    def _state(self, job: "FineTuningJob") -> JobState:
        error = job.error.message if job.error and job.error.message else None
        return JobState(
            id=self._identity(job),
            status=next((word for word in WORDS if word == job.status), "waiting"),
            words=failures.clean(str(job.status), self._provider),
            model=job.fine_tuned_model,
            error=failures.clean(error, self._provider) if error else None,
            created=job.created_at,
            finished=job.finished_at,
            trained_tokens=job.trained_tokens,
        )

    def _event(self, event: Any) -> JobEvent:
        data = event.data if isinstance(event.data, dict) else {}
        message = failures.clean(event.message or "", self._provider)
        return JobEvent(id=_name(event), created=event.created_at or 0, message=message, data=data)

    def _identity(self, answer: Any) -> str:
        """The id in an answer; a page of HTML, from a wrong address, has none."""
        identity = getattr(answer, "id", None)
        if not isinstance(identity, str) or not identity:
            raise ProviderError(f"{self.name} sent something that is no answer of this API. Check base_url.")
        return identity

    @contextmanager
    def _calls(self, refused: str, *, offer: bool = False) -> Iterator[None]:
        """Turn the SDK's errors into LostError and ProviderError.

        `refused` says what a refusal means; with `offer`, that of the whole API means that there is no fine-tuning.
        """
        try:
            yield
        except openai.OpenAIError as error:
            raise self._said(error, refused, offer) from None

    def _said(self, error: openai.OpenAIError, refused: str, offer: bool) -> Exception:
        words = failures.said(error, self._provider)
        if of_account := failures.of_account(error, self._provider):
            return of_account
        if failures.is_lost(error):
            return LostError(words)
        code = getattr(error, "status_code", None)
        if offer and code in CLOSED and getattr(error, "code", None) not in NO_SUCH_MODEL:
            return refusal(self.name, self.address, words)
        return ProviderError(f"{self.name}: {refused} ({words}).")


def _name(event: Any) -> str:
    """The event's id; a server without ids repeats no moment and message."""
    return event.id or f"{event.created_at} {event.message}"


def _is_of(job: "FineTuningJob", order: Order) -> bool:
    tagged = (job.metadata or {}).get("tunesmith") == order.tag
    return tagged or job.training_file == order.training_file

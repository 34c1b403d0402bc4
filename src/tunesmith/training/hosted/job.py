"""A run at a provider: upload, start, follow, until the job has ended. Whatever was begun before is gone on with.

The run's folder says how far it came (`hosted.json`), so that a process that dies at any moment is continued by the
next one: nothing is uploaded and no job is started a second time. Where an answer was lost, or the process died
before it was written down, the file is looked for by its name and the job by its tag and its training file.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tunesmith.core.errors import ProviderError, TrainingError
from tunesmith.core.record import Record
from tunesmith.training.events import Event, EventLog, read_events
from tunesmith.training.hosted import news
from tunesmith.training.hosted.base import ENDED, FineTuning, JobState, LostError, Order
from tunesmith.training.hosted.closed import INSTEAD
from tunesmith.training.hosted.state import TRAIN, VALIDATION, Step, read_state, write_state
from tunesmith.training.job import EVENTS

PATIENCE = 900.0  # seconds for which a lost connection is tried again
FIRST_DELAY, LONGEST_DELAY = 1.0, 60.0  # between two tries; each is twice the one before
FIRST_LOOK, LONGEST_LOOK = 0.5, 15.0  # between two looks at a job; the first again as soon as there is news
EVERYTHING = 2**62  # no step is later: a resumed run keeps all that was said

Found = TypeVar("Found")


class HostedDone(Record):
    model: str  # the provider's name of what was trained
    job: str
    steps: int
    seconds: float
    trained_tokens: int | None


class HostedRun:
    """One folder, prepared: `state.write_state` and the two uploads have been written."""

    def __init__(self, folder: Path, provider: FineTuning, on_event: Callable[[Event], None]):
        state = read_state(folder)
        assert state is not None, f"{folder} was not prepared"
        self.state = state
        self._folder = folder
        self._provider = provider
        self._on_event = on_event
        self._log = EventLog(folder / EVENTS, resume_at=EVERYTHING)
        earlier = read_events(folder / EVENTS)
        self._begun = any(event["event"] == "start" for event in earlier)
        self._known = {event["id"] for event in earlier if "id" in event}  # the provider's events that are written down
        self._last_step = max((event["step"] for event in earlier if event["event"] == "step"), default=0)

    def carry_out(self) -> HostedDone:
        """Raises TrainingError where the job ended without a model, ProviderError where the provider refuses."""
        try:
            self._start()
            job = self._follow()
        except KeyboardInterrupt:
            self._write("interrupted", step=self._last_step)
            raise
        except (ProviderError, TrainingError) as error:
            self._write("error", message=str(error), exit_code=error.exit_code)
            raise
        return self._end(job)

    def _start(self) -> None:
        """Up to a job whose id is written down."""
        if self.state.job is None:
            self._upload("training_file", TRAIN)
            if self.state.validation_rows:
                self._upload("validation_file", VALIDATION)
            assert self.state.training_file is not None
            order = Order(
                model=self.state.model,
                tag=self.state.tag,
                training_file=self.state.training_file,
                validation_file=self.state.validation_file,
                hyperparameters=self.state.hyperparameters,
            )
            job = self._once("job", lambda: self._provider.find_job(order), lambda: self._provider.create(order))
            self._save(job=job.id, status=job.status)
        start: dict[str, Any] = {"rows": self.state.rows, "validation_rows": self.state.validation_rows}
        start |= {"steps": 0, "tokens": 0, "shared_tokens": 0, "resumed_from": self._last_step}
        start |= {"provider": self._provider.name, "model": self.state.model, "job": self.state.job}
        if self._begun:
            self._on_event({"event": "start", "time": time.time(), **start})
        else:
            self._write("start", **start)

    def _upload(self, step: Step, file: str) -> None:
        if getattr(self.state, step) is None:
            name = f"{self.state.tag}-{Path(file).name}"
            found = self._once(
                step,
                lambda: self._provider.find_file(name),
                lambda: self._provider.upload(self._folder / file, name),
            )
            self._save(**{step: found})

    def _once(self, step: Step, find: Callable[[], Found | None], make: Callable[[], Found]) -> Found:
        """`make`, unless it was asked before: then what `find` finds, and `make` only where that is nothing."""

        def attempt() -> Found:
            if step in self.state.asked:
                found = self._found(find)
                if found is not None:
                    return found
            else:
                self._save(asked=(*self.state.asked, step))
            try:
                return make()
            except ProviderError:  # a refusal is an answer: nothing was made
                self._save(asked=tuple(each for each in self.state.asked if each != step))
                raise

        return self._patiently(attempt)

    def _found(self, find: Callable[[], Found | None]) -> Found | None:
        try:
            return find()
        except ProviderError as error:
            raise ProviderError(
                f"{error} So it is not known whether what was asked for before arrived there ({self.state.tag}). Look "
                f"at {self._provider.name} yourself; to begin anew, whatever became of it, delete {self._folder}."
            ) from None

    def _follow(self) -> JobState:
        """Write down what the provider tells, until the job has ended."""
        assert self.state.job is not None
        identity = self.state.job
        wait, words = FIRST_LOOK, ""
        while True:
            job = self._patiently(lambda: self._provider.job(identity))
            heard = self._hear(identity)  # after the job was looked at: what it said before its end is then read
            if job.status in ENDED:
                return job
            self._save(status=job.status)
            if job.words != words and job.words.startswith("paus"):
                self._write("note", message=f"The job is {job.words} at {self._provider.name}.")
            wait = FIRST_LOOK if heard or job.words != words else min(wait * 2, LONGEST_LOOK)
            words = job.words
            time.sleep(wait)

    def _hear(self, identity: str) -> bool:
        """Pass on the provider's events that are not in events.jsonl yet; whether there were any."""
        events = self._patiently(lambda: self._provider.events(identity, self._known))
        for event in events:
            for kind, fields in news.translated(event):
                if kind == "note":
                    fields["message"] = f"{self._provider.name}: {fields['message']}"
                self._write(kind, id=event.id, created=event.created, **fields)
                if kind == "step":
                    self._last_step = max(self._last_step, fields["step"])
            self._known.add(event.id)
        return bool(events)

    def _end(self, job: JobState) -> HostedDone:
        name = self._provider.name
        if job.status == "succeeded" and job.model:
            self._save(status="succeeded", fine_tuned_model=job.model)
            steps = self._last_step
            seconds = max(0.0, job.finished - job.created) if job.finished and job.created else 0.0
            self._write(
                "done",
                steps=steps,
                seconds=seconds,
                examples_per_second=None,
                memory=None,
                stopped_early=False,
                best={},
            )
            return HostedDone(
                model=job.model, job=job.id, steps=steps, seconds=seconds, trained_tokens=job.trained_tokens
            )
        self._save(status="cancelled" if job.status == "cancelled" else "failed")
        if job.status == "cancelled":
            message = f"The job {job.id} was cancelled at {name}. `tunesmith train` starts another one."
        else:
            why = job.error or "it gave no reason"
            message = (
                f"The job {job.id} failed at {name}: {why} Correct what it names, then run `tunesmith train` again, "
                f"which starts another job. {INSTEAD}"
            )
        self._write("error", message=message, exit_code=TrainingError.exit_code)
        raise TrainingError(message)

    def _patiently(self, call: Callable[[], Found]) -> Found:
        """`call`, again and again while its answer is lost, at growing distances, not for ever."""
        delay, waited = FIRST_DELAY, 0.0
        while True:
            try:
                return call()
            except LostError as lost:
                if waited >= PATIENCE:
                    raise ProviderError(
                        f"{self._provider.name} has not answered for {waited / 60:.0f} minutes ({lost}). "
                        f"{self.after()} Run `tunesmith train` again to go on."
                    ) from None
                if not waited:
                    self._write("note", message=f"{self._provider.name}: {lost}. Trying again.")
                time.sleep(delay)
                waited += delay
                delay = min(2 * delay, LONGEST_DELAY)

    def after(self) -> str:
        """What goes on at the provider when nobody follows."""
        if self.state.job:
            return f"The job {self.state.job} goes on there."
        return (
            "Whether a job was started is looked up first." if "job" in self.state.asked else "No job was started yet."
        )

    def _save(self, **changes: Any) -> None:
        changed = self.state.model_copy(update=changes)
        if changed != self.state:
            self.state = changed
            write_state(self._folder, changed)

    def _write(self, event: str, **fields: Any) -> None:
        self._log.write(event, **fields)
        self._on_event({"event": event, "time": time.time(), **fields})

"""`tunesmith train` where the base model is a provider's: the run, the candidate, and cancelling.

The job lives at the provider, so a run that was stopped, however, is followed again rather than begun again, also by
a newer version of the program. Only a job that failed or was cancelled there is followed by another one.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from tunesmith.candidates import fine_tuned
from tunesmith.core.digests import digest
from tunesmith.core.errors import UserError
from tunesmith.core.files import remove
from tunesmith.core.progress import Console
from tunesmith.core.run import Artifact, Run
from tunesmith.engines.hosted.provider import missing, provider
from tunesmith.evaluation.seal import rows_digest
from tunesmith.models.names import ModelName, parse
from tunesmith.training.events import Event
from tunesmith.training.hosted.base import FineTuning
from tunesmith.training.hosted.closed import refuse_closed
from tunesmith.training.hosted.job import HostedDone, HostedRun
from tunesmith.training.hosted.prepare import prepare
from tunesmith.training.hosted.recipe import hyperparameters
from tunesmith.training.hosted.state import HostedState, read_state, write_state
from tunesmith.workflows import candidates, inputs, runs
from tunesmith.workflows.guards import Ready
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.status import command, next_command


class CancelOutcome(Outcome):
    run: str
    provider: str
    job: str
    status: str


def train(project: Project, state: Ready, console: Console, on_event: Callable[[Event], None], name: str) -> Run:
    """The finished run whose fine-tune is `name`. Raises ConfigError or ProviderError before anything is sent."""
    base = parse(project.config.model.base)
    hyperparameters(project.config.train)
    wanted = inputs.of_train(project) | {"base": digest("hosted-model", 1, model=base.text)}
    earlier = runs.with_inputs(project, "train", wanted)
    if earlier and earlier.state == "done":
        _make_again(project, state, earlier, console, name)
        console.say(f"Nothing has changed since run {earlier.id}: its fine-tune stands.")
        return earlier
    at = _fine_tuning(project, base.provider or "")
    begun = read_state(project.runs / earlier.id) if earlier else None
    resume = earlier.id if earlier and not (begun and begun.over) else None
    if resume is None or not (begun and begun.asked):
        refuse_closed(at.address, date.today())
    if resume is None:
        _tell_of_others(project, console)
    folder = project.runs / resume if resume else None
    try:
        with runs.record(project, "train", wanted | {"seal": state.seal.sha256}, resume=resume) as recording:
            folder = recording.folder
            if read_state(folder) is None:
                _prepare(project, state, folder, base)
            done = HostedRun(folder, at, on_event).carry_out()
            address = _keep(project, state, base, done.model, name)
            recording.ledger.add_artifact(
                Artifact(digest=address, kind=fine_tuned.KIND, name=name, run=recording.id, created=runs.now())
            )
            recording.result = _result(done, base, address, name, resumed=resume is not None)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_stopped(project, folder)) from None
    return recording.run


def cancel(project: Project, console: Console) -> CancelOutcome:
    """Cancel the newest job that is not known to have ended. Raises UserError where there is none."""
    with project.locked("train --cancel"):
        going = _going_on(project)
        if not going:
            raise UserError("No job of this project goes on at a provider, so there is nothing to cancel.")
        folder, state = going[-1]
        assert state.job is not None
        job = _fine_tuning(project, state.provider).cancel(state.job)
        write_state(folder, state.model_copy(update={"status": "cancelled"}))
    console.say(f"Cancelled the job {job.id} at {state.provider} (it is now {job.words or job.status}).")
    return CancelOutcome(
        run=folder.name, provider=state.provider, job=job.id, status=job.words, next=next_command(project)
    )


def _fine_tuning(project: Project, name: str) -> FineTuning:
    """The provider's fine-tuning. Others than OpenAI's API get their own class here, by the provider's settings."""
    at = provider(name, project.config.providers)
    at.key()  # what is missing is said before the SDK is loaded
    try:
        from tunesmith.training.hosted.openai_jobs import OpenAIJobs  # a backend loaded on demand
    except ImportError as error:
        raise missing(error) from None
    return OpenAIJobs(at)


def _prepare(project: Project, state: Ready, folder: Path, base: ModelName) -> None:
    assert base.provider
    assert base.model
    recipe = project.config.train
    prepare(folder, state.task, recipe, state.train, state.validation, provider=base.provider, model=base.model)


def _keep(project: Project, state: Ready, base: ModelName, model: str, name: str) -> str:
    made_from = {
        "recipe": inputs.of_train(project)["recipe"],
        "train": rows_digest(state.train),
        "validation": rows_digest(state.validation),
    }
    answering = f"{base.provider}:{model}"
    return fine_tuned.make_hosted(project.artifacts, state.task, name=name, model=answering, inputs=made_from)


def _make_again(project: Project, state: Ready, earlier: Run, console: Console, name: str) -> None:
    """Where the candidate's file is gone or changed, write it again: the model itself is the provider's."""
    address = earlier.result["digest"]
    if found := candidates.fault(project, address):
        console.say(f"The file of the fine-tune of run {earlier.id} is {found}; it is written again.")
        remove(project.artifacts / address)
        base = parse(project.config.model.base)
        _keep(project, state, base, earlier.result["model"].partition(":")[2], name)


def _result(done: HostedDone, base: ModelName, address: str, name: str, *, resumed: bool) -> dict[str, object]:
    return {
        "candidate": name,
        "digest": address,
        "adapter": None,
        "model": f"{base.provider}:{done.model}",
        "job": done.job,
        "steps": done.steps,
        "seconds": done.seconds,
        "examples_per_second": None,
        "stopped_early": False,
        "resumed": resumed,
        "best": {},
        "trained_tokens": done.trained_tokens,
    }


def _going_on(project: Project) -> list[tuple[Path, HostedState]]:
    """The runs whose job is not known to have ended, oldest first."""
    folders = [project.runs / run.id for run in runs.read_runs(project, "train") if run.state != "done"]
    states = [(folder, read_state(folder)) for folder in folders]
    return [(folder, state) for folder, state in states if state and state.goes_on]


def _tell_of_others(project: Project, console: Console) -> None:
    for folder, state in _going_on(project):
        console.say(
            f"The job {state.job} of the earlier run {folder.name}, with other data or settings, may still go on at "
            f"{state.provider} and cost money. `{command(project, 'train --cancel')}` cancels the newest job; cancel "
            "an older one at the provider."
        )


def _stopped(project: Project, folder: Path | None) -> str:
    again = command(project, "train")
    state = read_state(folder) if folder else None
    if state is None or not state.asked:
        return f"Stopped before anything was sent. `{again}` begins."
    if state.job is None:
        return (
            f"Stopped before a job was known to be started at {state.provider}. `{again}` goes on from there; what "
            "was uploaded is not uploaded again."
        )
    if not state.goes_on:
        return f"Stopped. The job {state.job} has ended at {state.provider}. `{again}` keeps what it made."
    return (
        f"Stopped following. The job {state.job} goes on at {state.provider}. `{again}` follows it again, "
        f"`{command(project, 'train --cancel')}` cancels it."
    )

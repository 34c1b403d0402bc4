"""`tunesmith train`: a run in a child process, from the guarded split to a candidate on disk.

A run that was stopped goes on where it was when everything that went into it is the same; otherwise a new one begins,
or `--resume` refuses. A finished run with the same inputs is not done again.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.candidates import fine_tuned
from tunesmith.core import units
from tunesmith.core.digests import sha256_file
from tunesmith.core.errors import UserError
from tunesmith.core.files import remove
from tunesmith.core.progress import Console
from tunesmith.core.run import Artifact, Run
from tunesmith.core.units import count
from tunesmith.engines.registry import LocalEngines
from tunesmith.evaluation.seal import rows_digest
from tunesmith.models.names import ADAPTER_WEIGHTS, is_hosted
from tunesmith.models.store import ModelFiles, open_model
from tunesmith.tasks.families import SPARED
from tunesmith.training import child, defaults
from tunesmith.training.hosted.recipe import refuse_hosted_keys
from tunesmith.training.identity import identity
from tunesmith.training.job import CHECKPOINT, EVENTS, Given, Job, prepare
from tunesmith.training.launch import Launch
from tunesmith.training.section import TrainSection
from tunesmith.workflows import candidates, hosted, inputs, resuming, runs
from tunesmith.workflows.guards import Ready, ready, say_unlooked
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.recipe_rows import general_rows, pairs, refuse_missing_start
from tunesmith.workflows.runs import Recording
from tunesmith.workflows.status import next_command
from tunesmith.workflows.watching import Watcher

NAME = "fine-tune"


class TrainOutcome(Outcome):
    run: str
    candidate: str  # name
    digest: str
    adapter: str | None  # None: the model is a provider's
    model: str | None = None  # PROVIDER:name of the fine-tuned model
    job: str | None = None  # the provider's
    trained_tokens: int | None = None
    steps: int
    seconds: float
    examples_per_second: float | None
    stopped_early: bool
    resumed: bool
    best: dict[str, Any]
    general_before: float | None = None  # loss on general text before training; `best` has that of the fine-tune
    general_score_before: float | None = None  # likewise of the items of the general suite that are looked at


class PlanOutcome(Outcome):
    objective: str
    rows: int
    rehearsed: int
    unrendered: int
    steps: int
    batch_size: int
    trainable: int
    tokens: dict[str, Any]
    masks: list[dict[str, Any]]
    chosen: dict[str, str]  # keys of [train] that nobody set → why they are what they are
    sharing: str
    end_of_turn: str
    dtype: str
    device: str
    memory: int
    available: int | None
    seconds: float


PLANNED = PlanOutcome.model_fields.keys() - Outcome.model_fields.keys() - {"chosen"}


class Work(NamedTuple):
    """What a run works on; `job` and `given` are all that its process is told. The recipe of the job is whole: what
    the project's leaves open was `chosen`."""

    project: Project
    state: Ready
    given: Given
    model: ModelFiles
    job: Job
    chosen: list[defaults.Choice]

    def by(self, recipe: TrainSection) -> "Work":
        """The same by another recipe of the project's."""
        whole, chosen = _whole(recipe, self.project, self.model, self.given)
        job = self.job.model_copy(update={"recipe": whole})
        return self._replace(project=self.project.with_recipe(recipe), job=job, chosen=chosen)


def train(
    project: Project, console: Console, *, resume: bool = False, shown: int = 1, launch: Launch | None = None
) -> TrainOutcome:
    """Train, going on with the run that was stopped; `resume` refuses to begin a new one. `shown` rows of the
    pre-flight are shown token by token. `launch` starts several processes, of which this machine has the main one.

    Raises SealError, DataError, LeakError or UserError before anything is trained; KeyboardInterrupt after an orderly
    stop.
    """
    with project.locked("train"):
        if is_hosted(project.config.model.base):
            for option, given in (("--launch", launch), ("--resume", resume)):
                if given:
                    refuse_hosted(project, option)
            say_unlooked(console)
            state = ready(project, "train")
            return _outcome(project, hosted.train(project, state, console, Watcher(console), NAME), console)
        done = _train(opened(project, console), console, resume=resume, shown=shown, launch=launch)
    return _outcome(project, done, console)


def opened(project: Project, console: Console) -> Work:
    """Rows that may be trained on, and the model that is trained here. Raises as `train` does."""
    refuse_hosted_keys(project.config.train)
    say_unlooked(console)
    state = ready(project, "train")
    refuse_missing_start(project)
    beside = general_rows(project, state.sealed), pairs(project, state.sealed)
    opening = console.progress(f"opening {project.config.model.base}")
    opening(0, 1)
    model = open_model(project.config.model.base, project.folder)
    opening(1, 1)
    given = Given(state.train, state.validation, *beside)
    recipe, chosen = _whole(project.config.train, project, model, given)
    job = Job(
        model=model.name,
        model_folder=str(model.folder),
        model_digest=model.digest,
        max_tokens=project.config.model.max_tokens,
        task=state.task.model_copy(update={"prompt": project.train_prompt}),
        recipe=recipe,
        primary=SPARED.get(project.config.rules.primary, project.config.rules.primary),  # higher is better
        start=str(project.start) if project.start else None,
        start_digest=sha256_file(project.start / ADAPTER_WEIGHTS) if project.start else None,
    )
    return Work(project, state, given, model, job, chosen)


def _whole(
    asked: TrainSection, project: Project, model: ModelFiles, given: Given
) -> tuple[TrainSection, list[defaults.Choice]]:
    rows = len(given.pairs if asked.objective == "dpo" else given.train)
    return defaults.choose(asked, defaults.facts(model.folder, rows, project.family.LABELLED))


def refuse_hosted(project: Project, option: str) -> None:
    """Raise UserError where the base model is a provider's: `option` is about a training of our own."""
    base = project.config.model.base
    if is_hosted(base):
        raise UserError(f"[model] base = {base!r} is trained by its provider: leave out {option}.")


def carry_on(work: Work, recipe: TrainSection, begun: Path, console: Console) -> TrainOutcome:
    """Finish by `recipe`, in a run of its own, what was begun in the folder `begun`; the project must be held."""
    ours = work.by(recipe)
    return _outcome(ours.project, _train(ours, console, begun=begun, shown=0), console)


def plan(project: Project, console: Console, *, shown: int = 1) -> PlanOutcome:
    """What `train` would do, and what it would need: nothing is trained and nothing is recorded."""
    refuse_hosted(project, "--plan")
    with project.locked("train"):
        work = opened(project, console)
        say_chosen(work, console)
        with tempfile.TemporaryDirectory(prefix="tunesmith-plan-") as folder:
            prepare(Path(folder), work.job, work.given)
            found = child.plan(Path(folder), _watcher(project, console), shown=shown)
    chosen = {choice.key: choice.reason for choice in work.chosen}
    return PlanOutcome(next=next_command(project), chosen=chosen, **{name: found[name] for name in PLANNED})


def say_chosen(work: Work, console: Console) -> None:
    """What nobody set, with its reason."""
    if work.chosen:
        console.say("Chosen for this model and these rows, where [train] says nothing:")
    for key, value, reason in work.chosen:
        console.say(f"  {key} = {value:g} ({reason})")


def wanted(work: Work) -> dict[str, str]:
    """What goes into the run, by which an earlier one is known to be the same."""
    return inputs.of_train(work.project) | {"base": work.model.digest}


def _train(
    work: Work,
    console: Console,
    *,
    resume: bool = False,
    shown: int,
    begun: Path | None = None,
    launch: Launch | None = None,
) -> Run:
    earlier = runs.with_inputs(work.project, "train", wanted(work))
    if earlier and _stands(work.project, earlier, console):
        if resume:
            raise UserError(f"Run {earlier.id} has come through with the same inputs: there is nothing to resume.")
        console.say(f"Nothing has changed since run {earlier.id}: its fine-tune stands.")
        return earlier
    choice = resuming.choose(work.project, wanted(work), identity(work.job, work.given))
    if resume:
        resuming.require(choice)
    if said := resuming.say(work.project, choice):
        console.say(said)
    say_chosen(work, console)

    def execute(folder: Path) -> child.Done:
        # Of a run that goes on, too: its files are equal, and one that was lost or damaged stands again.
        prepare(folder, work.job, work.given)
        if begun and resuming.checkpoint_of(folder) is None:
            _take_over(begun, folder)
        return child.run(folder, _watcher(work.project, console), shown=shown, launch=launch)

    return _record(work, choice.run, execute)


def _watcher(project: Project, console: Console) -> Watcher:
    prices = project.config.prices
    return Watcher(console, prices.per_hour, prices.currency)


def _outcome(project: Project, run: Run, console: Console) -> TrainOutcome:
    adapter = run.result["adapter"]
    result = run.result | {"adapter": adapter and str(project.folder / adapter)}
    outcome = TrainOutcome(run=run.id, next=next_command(project), **result)
    _tell(outcome, console)
    return outcome


def _stands(project: Project, earlier: Run, console: Console) -> bool:
    """Whether the fine-tune of a finished run is still what it made; changed files are removed, to be made again."""
    if earlier.state != "done":
        return False
    digest = earlier.result["digest"]
    found = candidates.fault(project, digest)
    if found:
        console.say(f"The files of the fine-tune of run {earlier.id} are {found}; it is trained again.")
        remove(project.artifacts / digest)
    return found is None


def _record(work: Work, stopped: Run | None, execute: Callable[[Path], child.Done]) -> Run:
    """A new run, or the `stopped` one from its checkpoint; its fine-tune is kept."""
    project, name = work.project, stopped.id if stopped else None
    went_in = wanted(work) | {"seal": work.state.seal.sha256}
    try:
        with runs.record(project, "train", went_in, resume=name) as recording:
            name = recording.id
            done = execute(recording.folder)
            address = _keep(work, done, recording)
            recording.result = {
                "candidate": NAME,
                "digest": address,
                "adapter": project.name(fine_tuned.trained_folder(project.artifacts / address)),
                "steps": done.steps,
                "seconds": done.seconds,
                "examples_per_second": done.examples_per_second,
                "stopped_early": done.stopped_early,
                "resumed": stopped is not None,
                "best": done.best,
                "general_before": done.general_before,
                "general_score_before": done.general_score_before,
            }
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_stopped(project.runs / name if name else None)) from None
    return recording.run


def _take_over(begun: Path, run: Path) -> None:
    """The checkpoint and the events of a sweep's winner: the run goes on from them."""
    remove(run / CHECKPOINT)
    shutil.copytree(begun / CHECKPOINT, run / CHECKPOINT)
    shutil.copyfile(begun / EVENTS, run / EVENTS)


def _stopped(run: Path | None) -> str:
    """What is left of a stopped run."""
    if run and resuming.checkpoint_of(run) is not None:
        return f"Stopped. The checkpoint of run {run.name} is kept; run the same command again to go on from it."
    return "Stopped. There is no checkpoint yet; run the same command again to begin from the first step."


def _keep(work: Work, done: child.Done, recording: Recording) -> str:
    settings = work.project.config
    address = fine_tuned.make(
        work.project.artifacts,
        work.job.task,
        name=NAME,
        model=settings.model.base,
        adapter=done.adapter,
        max_tokens=settings.model.max_tokens,
        engines=LocalEngines(work.project.folder, settings.providers),
        inputs={
            "model": work.model.digest,
            "recipe": settings.train.digest,
            "train": rows_digest(work.state.train),
            "validation": rows_digest(work.state.validation),
        },
    )
    recording.ledger.add_artifact(
        Artifact(digest=address, kind=fine_tuned.KIND, name=NAME, run=recording.id, created=runs.now())
    )
    return address


def _tell(outcome: TrainOutcome, console: Console) -> None:
    if outcome.model:
        steps = f" in {count(outcome.steps, 'step')}" if outcome.steps else ""
        console.say(f"The provider trained {outcome.model}{steps} ({units.seconds(outcome.seconds)} with its queue).")
        return
    early = ", stopped early" if outcome.stopped_early else ""
    what = Path(outcome.adapter or "").name  # adapter, or model
    console.say(
        f"Trained {count(outcome.steps, 'step')} in {units.seconds(outcome.seconds)}{early} "
        f"({outcome.examples_per_second or 0:.1f} rows a second). The {what} is {outcome.adapter}."
    )
    before, after = outcome.general_before, outcome.best.get("general_loss")
    if before is not None and after is not None:
        console.say(f"General text beside the task: loss {before:.3f} before training, {after:.3f} with the fine-tune.")
    known, kept = outcome.general_score_before, outcome.best.get("general_score")
    if known is not None and kept is not None:
        console.say(
            f"General questions beside the task: {units.share(known)} right before training, {units.share(kept)} with "
            "the fine-tune; `tunesmith diagnose` asks more of them."
        )

"""Which stopped run a `train` goes on with, and in words why it is none.

Inputs that are recorded with the run say whether it is the same work; its checkpoint says it once more, key by key,
because labels and versions of libraries do not stand among the inputs.
"""

from pathlib import Path
from typing import NamedTuple

from tunesmith import __version__
from tunesmith.core.errors import UserError
from tunesmith.core.run import Run
from tunesmith.training import saved
from tunesmith.training.identity import Identity, differences, of_folder
from tunesmith.workflows import runs
from tunesmith.workflows.project import Project
from tunesmith.workflows.status import changed_words


class Choice(NamedTuple):
    """`run` is gone on with, from `step` where it has a whole checkpoint. `stopped` is the run that was looked at."""

    run: Run | None
    step: int | None
    stopped: Run | None
    differences: tuple[str, ...]
    unusable: tuple[saved.Unusable, ...]


def choose(project: Project, wanted: dict[str, str], now: Identity) -> Choice:
    """The newest stopped run into which the same went; where there is none, the newest stopped one and what differs."""
    stopped = [run for run in reversed(runs.read_runs(project, "train")) if run.state != "done"]
    same = [run for run in stopped if wanted.items() <= run.inputs.items()]
    for run in same:
        choice = _look(project, run, wanted, now)
        if choice.run:
            return choice
    return _look(project, stopped[0], wanted, now) if stopped else Choice(None, None, None, (), ())


def require(choice: Choice) -> None:
    """What `--resume` asks for. Raises UserError where there is no checkpoint to go on from, with the reason."""
    onward = "`tunesmith train` without --resume begins"
    if choice.stopped is None:
        raise UserError(f"No training run was stopped, so there is nothing to resume. {onward} one.")
    name = f"Run {choice.stopped.id}"
    if choice.run is None:
        raise UserError(
            f"{name} cannot be resumed: {'; '.join(choice.differences)}. Put that back to go on with it; "
            f"{onward} a new run."
        )
    if choice.step is None:
        why = f"has no whole checkpoint ({_reasons(choice)})" if choice.unusable else "stopped before its checkpoint"
        raise UserError(f"{name} {why}, so there is nothing to resume. {onward} from the first step.")


def say(project: Project, choice: Choice) -> str | None:
    """What becomes of the last run, where it was stopped."""
    if choice.stopped is None or choice.stopped.id != runs.read_runs(project, "train")[-1].id:
        return None
    name = f"run {choice.stopped.id}"
    if choice.run is None:
        return f"A new run begins; {name}, which was stopped, differs: {'; '.join(choice.differences)}."
    if choice.step is None:
        return f"Going on with {name}, which has no whole checkpoint: from the first step."
    return f"Going on with {name}."


def checkpoint_of(run: Path | None) -> int | None:
    """The step of the newest whole checkpoint in a run's folder."""
    return saved.find(run).step if run else None


def _look(project: Project, run: Run, wanted: dict[str, str], now: Identity) -> Choice:
    folder = project.runs / run.id
    standing = saved.find(folder)
    changed = sorted(name for name, value in wanted.items() if run.inputs.get(name) != value)
    then = standing.checkpoint.made_from if standing.checkpoint else of_folder(folder) if changed else None
    found = differences(then, now) if then else []
    if run.inputs.get("code") != __version__:
        found.append(f"it was begun by Tunesmith {run.inputs.get('code')}, this is {__version__}")
    if changed and not found:
        found = [f"{changed_words(changed)} changed"]
    same = None if found else run
    return Choice(same, standing.step, run, tuple(found), standing.unusable)


def _reasons(choice: Choice) -> str:
    return "; ".join(f"step {step:,}: {reason}" for step, reason in choice.unusable)

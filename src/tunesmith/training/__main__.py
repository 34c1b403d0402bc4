"""`python -m tunesmith.training FOLDER [--plan] [--show-masks N] [--looks N]`: the child process of one run,
or one of several that train together.

Ends with 0 when the adapter stands, 130 when it was asked to stop and stands in its checkpoint, 1 otherwise. What went
wrong is an event, and the last line of standard error, because on a full disk only that can be written. With `--plan`
it ends with 0 behind the pre-flight, with `--looks` behind that many validations, standing in a checkpoint.
"""

import argparse
import contextlib
import errno
import json
import os
import platform
import re
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout
from safetensors import SafetensorError
from torch import OutOfMemoryError

from tunesmith.core import memory
from tunesmith.core.errors import ConfigError, DivergedError, TrainingError, TunesmithError
from tunesmith.core.files import new_folder, remove, write_text
from tunesmith.engines.local.loading import best_dtype
from tunesmith.models.renderer import Renderer
from tunesmith.training import general, preflight, saved
from tunesmith.training.batches import Extent
from tunesmith.training.checkpoint import Checkpoints
from tunesmith.training.epochs import Epochs
from tunesmith.training.events import EventLog, Silence
from tunesmith.training.identity import Identity, differences, identity
from tunesmith.training.job import EVENTS, LOCK, PID, Given, Job, kept_as, read_given, read_job
from tunesmith.training.launch import LAUNCHED
from tunesmith.training.loop import InterruptedRun, Loop
from tunesmith.training.methods import attach
from tunesmith.training.methods.virtual_tokens import refuse_beyond_context
from tunesmith.training.preference import held_out
from tunesmith.training.processes import Alone, LostProcessError, join
from tunesmith.training.rows import render, render_pairs
from tunesmith.training.section import TrainSection
from tunesmith.training.trackers import refuse_missing, tracking
from tunesmith.training.validation import Rows

FULL = {errno.ENOSPC, errno.EDQUOT}


class Expected(NamedTuple):
    """What is known of a run before its model is loaded: an epoch's tokens and packed rows, and bytes of memory."""

    tokens: preflight.Tokens
    packed: Sequence[Extent]
    memory: int


class Stop:
    """Whether the run was asked to end: by a signal, or because nobody waits for it any more.

    Between a process that was launched and the one that waits for it stands the launcher, which is watched as well.
    """

    def __init__(self) -> None:
        self._asked = False
        self._parent = os.getppid()
        self._waiting = int(os.environ.get(LAUNCHED, "0"))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: object) -> None:
        self._asked = True

    def __call__(self) -> bool:
        return self._asked or os.getppid() != self._parent or (self._waiting != 0 and not _lives(self._waiting))


def main(folder: Path, plan: bool = False, shown: int = 1, looks: int | None = None) -> int:
    stop = Stop()
    log = None
    try:
        with join() as processes, _held(folder, processes):
            standing = processes.ask(lambda: saved.find(folder))
            log = EventLog(folder / EVENTS, standing.step) if processes.leads else Silence()
            for step, reason in standing.unusable:
                log.write("unusable", checkpoint=step, reason=reason)
            loop, expected = processes.build(lambda: _loop(folder, read_job(folder), standing, processes))
            _refuse_unlike(processes, loop.checkpoints.made_from)
            loop.refer(log, first=plan)
            if standing.checkpoint is not None:
                loop.resume()
            seconds = loop.expected_seconds(expected.packed) if looks is None else None  # nobody waits for a contender
            _say_plan(log, loop, expected, shown, seconds)
            if not plan:
                listened = loop.recipe if processes.main and looks is None else TrainSection()
                with tracking(log, listened, folder, standing.step) as told:
                    _train(folder, loop, told, stop, standing, looks)
            return 0
    except InterruptedRun:
        return 130
    except Exception as error:
        return _fail(error, log, folder)


@contextlib.contextmanager
def _held(folder: Path, processes: Alone) -> Iterator[None]:
    """The run's folder is one process's: on each machine that of the process that leads."""
    if not processes.leads:
        yield
        return
    with FileLock(folder / LOCK, timeout=0):
        _clean(folder)
        write_text(folder / PID, str(os.getpid()))
        yield


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _clean(folder: Path) -> None:
    """Remove what a crash left under temporary names."""
    for path in folder.glob(".*"):
        remove(path) if path.is_dir() else path.unlink()


def _say_plan(log: EventLog, loop: Loop, expected: Expected, shown: int, seconds: float | None) -> None:
    rows, recipe, tokens = loop.rows.train, loop.recipe, expected.tokens
    log.write(
        "plan",
        **preflight.fields(
            tokens,
            preflight.masks(rows, loop.renderer, shown),
            sharing=preflight.sharing(tokens, recipe.sharing),
            rows=len(rows) // recipe.together,
            objective=recipe.objective,
            validation_rows=len(loop.rows.validation),
            rehearsed=loop.epochs.mixed,
            unrendered=loop.rows.general.left_out,
            steps=loop.steps,
            batch_size=recipe.batch_size,
            trainable=sum(parameter.numel() for parameter in loop.parameters),
            end_of_turn=loop.renderer.token(loop.renderer.end_of_turn),
            dtype=str(loop.model.dtype).removeprefix("torch."),
            device=str(loop.device),
            memory=expected.memory,
            available=memory.available(),
            seconds=seconds and round(seconds, 1),
        ),
    )


def _train(folder: Path, loop: Loop, log: EventLog, stop: Stop, standing: saved.Standing, looks: int | None) -> None:
    log.write(
        "start",
        steps=loop.steps,
        rows=len(loop.rows.train) // loop.recipe.together,
        validation_rows=len(loop.rows.validation),
        processes=loop.processes.count,
        machine=platform.node(),
        resumed_from=standing.step,
        unusable=len(standing.unusable),
    )
    for note in loop.model.notes:
        log.write("note", message=note)
    if loop.processes.main:
        loop.checkpoints.clean()
    try:
        loop.run(log, stop, looks)
    except InterruptedRun:
        log.write("interrupted", step=loop.progress.step)
        raise
    if looks is not None:
        log.write("paused", step=loop.progress.step, best=loop.progress.best)
        return
    if loop.processes.main:
        kept = folder / kept_as(loop.recipe)
        remove(kept)  # of an earlier execution that ended after it was written
        with new_folder(kept) as temporary:
            loop.model.save(loop.best, temporary)
    log.write("done", **loop.summary())
    if loop.processes.main:
        loop.checkpoints.drop()


def _loop(folder: Path, job: Job, standing: saved.Standing, processes: Alone) -> tuple[Loop, Expected]:
    recipe = job.recipe
    refuse_missing(recipe)
    given = read_given(folder)
    made_from = identity(job, given)
    _refuse_another(standing, made_from)
    renderer = Renderer(Path(job.model_folder))
    rows = _rendered(renderer, job, given)
    refuse_beyond_context([*rows.train, *rows.validation], recipe.virtual_tokens, renderer.context_length)
    expected = _expected(Path(job.model_folder), recipe, rows, processes)
    model = attach(processes.load(Path(job.model_folder), recipe), recipe, job.model)
    if job.start:
        model.load(Path(job.start))
    model = processes.spread(model)
    return Loop(job, rows, model, renderer, Checkpoints(folder, made_from, standing), processes), expected


def _rendered(renderer: Renderer, job: Job, given: Given) -> Rows:
    where = (renderer, job.task)
    learnt, looked_at = held_out(given.pairs)
    train = render_pairs(*where, learnt, job.max_tokens) if learnt else render(*where, given.train, job.max_tokens)
    return Rows(
        train=train,
        validation=render(*where, given.validation, job.max_tokens),
        examples=given.validation,
        general=general.rendered(renderer, given.general, train, job.recipe, job.max_tokens),
        pairs=render_pairs(*where, looked_at, job.max_tokens),
    )


def _expected(model: Path, recipe: TrainSection, rows: Rows, processes: Alone) -> Expected:
    device, free = processes.room()
    batches = Epochs(rows.train, rows.general.rehearsed, recipe).batches(0)
    packed = preflight.layout(batches, recipe)
    needed = preflight.memory(model, recipe, batches, best_dtype(device).itemsize, free, packed)
    return Expected(preflight.count([row for batch in batches for row in batch], packed), packed, needed)


def _refuse_another(standing: saved.Standing, made_from: Identity) -> None:
    """Weights that began under one recipe must not go on under another."""
    then = standing.checkpoint
    if then and (found := differences(then.made_from, made_from)):
        raise ConfigError(
            f"The checkpoint of step {then.step:,} is of another recipe than the run: {'; '.join(found)}. Put that "
            "back to go on from it; or run `tunesmith train`, which begins a new run."
        )


def _refuse_unlike(processes: Alone, made_from: Identity) -> None:
    """Machines that were given other rows, or have other libraries, would each train a little of another run."""
    theirs = processes.ask(lambda: made_from)

    def compare() -> None:
        if found := differences(theirs, made_from, "on the main machine", "here"):
            raise ConfigError(
                f"This machine ({platform.node()}) was given another run than the main machine: {'; '.join(found)}. "
                "Bring the project and the libraries to the same state on all machines, then run the same command."
            )

    processes.build(compare)


def _fail(error: Exception, log: EventLog | None, folder: Path) -> int:
    if isinstance(error, Timeout):
        message = "Another process is training in this run's folder. Wait until it ends, then run again."
    elif isinstance(error, TunesmithError):
        message = str(error)
    elif isinstance(error, (OSError, SafetensorError)):
        message = _of_files(error, folder)
    elif isinstance(error, (MemoryError, OutOfMemoryError)):
        message = (
            "Training stopped: out of memory. Lower [train] packed_tokens (fewer tokens at once, the same gradients), "
            "or choose a smaller model."
        )
    else:
        traceback.print_exc()
        message = f"Training stopped by a fault in Tunesmith: {type(error).__name__}: {error}"
    code = error.exit_code if isinstance(error, TunesmithError) else TrainingError.exit_code
    if log is not None:
        with contextlib.suppress(OSError):  # said once more below
            log.write("error", message=message, exit_code=code, diverged=isinstance(error, DivergedError))
    words = {"error": message, "exit_code": code} | ({"lost": True} if isinstance(error, LostProcessError) else {})
    sys.stderr.write(json.dumps(words) + "\n")  # in one piece: several processes may write there
    sys.stderr.flush()
    return code


def _of_files(error: OSError | SafetensorError, folder: Path) -> str:
    """safetensors says the system's words and number, but not which file it was."""
    words = str(getattr(error, "strerror", None) or error)
    where = getattr(error, "filename", None) or f"a file of weights of {folder}"
    numbers = [getattr(error, "errno", None), *map(int, re.findall(r"os error (\d+)", words))]
    full = not FULL.isdisjoint(numbers)
    cure = "Free some space where the project lies" if full else "Check that file and its folder"
    onward = "it goes on from the last checkpoint" if saved.find(folder).checkpoint else "it begins anew"
    return f"Training stopped at {where}: {words}. {cure}, then run `tunesmith train` again: {onward}."


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tunesmith.training", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plan", action="store_true")
    parser.add_argument("--show-masks", type=int, default=1, dest="shown")
    parser.add_argument("--looks", type=int)
    sys.exit(main(**vars(parser.parse_args())))

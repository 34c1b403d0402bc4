"""`python -m tunesmith.training FOLDER`: the child process of one run, or one of several that train together.

Ends with 0 when the adapter stands, 130 when it was asked to stop and stands in its checkpoint, 1 otherwise. What went
wrong is an event, and the last line of standard error, because on a full disk only that can be written.
"""

import contextlib
import errno
import json
import os
import platform
import re
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout
from safetensors import SafetensorError

from tunesmith.core.errors import ConfigError, TrainingError, TunesmithError
from tunesmith.core.files import new_folder, remove, write_text
from tunesmith.models.renderer import Renderer
from tunesmith.training import saved
from tunesmith.training.batches import render
from tunesmith.training.checkpoint import Checkpoints
from tunesmith.training.events import EventLog, Silence
from tunesmith.training.identity import Identity, differences, identity
from tunesmith.training.job import ADAPTER, EVENTS, LOCK, PID, TRAIN, VALIDATION, Job, read_job, read_rows
from tunesmith.training.launch import LAUNCHED
from tunesmith.training.loop import InterruptedRun, Loop, Rows
from tunesmith.training.methods import attach, save_adapter
from tunesmith.training.processes import Alone, LostProcessError, join

FULL = {errno.ENOSPC, errno.EDQUOT}


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


def main(folder: Path) -> int:
    stop = Stop()
    log = None
    try:
        with join() as processes, _held(folder, processes):
            standing = processes.ask(lambda: saved.find(folder))
            log = EventLog(folder / EVENTS, standing.step) if processes.leads else Silence()
            for step, reason in standing.unusable:
                log.write("unusable", checkpoint=step, reason=reason)
            _train(folder, log, stop, standing, processes)
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


def _train(folder: Path, log: EventLog, stop: Stop, standing: saved.Standing, processes: Alone) -> None:
    loop = processes.build(lambda: _loop(folder, read_job(folder), standing, processes))
    _refuse_unlike(processes, loop.checkpoints.made_from)
    if standing.checkpoint is not None:
        loop.resume()
    log.write(
        "start",
        steps=loop.steps,
        rows=len(loop.rows.train),
        validation_rows=len(loop.rows.validation),
        tokens=sum(len(row.tokens) for row in loop.rows.train),
        shared_tokens=loop.shared_tokens(),
        trainable=sum(parameter.numel() for parameter in loop.parameters),
        dtype=str(loop.model.dtype).removeprefix("torch."),
        device=str(loop.device),
        processes=processes.count,
        resumed_from=standing.step,
        unusable=len(standing.unusable),
    )
    if processes.main:
        loop.checkpoints.clean()
    try:
        loop.run(log, stop)
    except InterruptedRun:
        log.write("interrupted", step=loop.progress.step)
        raise
    if processes.main:
        remove(folder / ADAPTER)  # of an earlier execution that ended after it was written
        with new_folder(folder / ADAPTER) as temporary:
            save_adapter(loop.best, loop.model, temporary)
    log.write("done", **loop.summary())
    if processes.main:
        loop.checkpoints.drop()


def _loop(folder: Path, job: Job, standing: saved.Standing, processes: Alone) -> Loop:
    recipe = job.recipe
    train, validation = read_rows(folder / TRAIN), read_rows(folder / VALIDATION)
    made_from = identity(job, train, validation)
    _refuse_another(standing, made_from)
    renderer = Renderer(Path(job.model_folder))
    rows = Rows(
        train=render(renderer, job.task.prompt, train, job.max_tokens),
        validation=render(renderer, job.task.prompt, validation, job.max_tokens),
        examples=validation,
    )
    model = processes.spread(attach(processes.load(Path(job.model_folder)), recipe, job.model))
    checkpoints = Checkpoints(folder, made_from, standing)
    return Loop(checkpoints, model, renderer, job.task, recipe, rows, job.primary, processes)


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
    elif isinstance(error, MemoryError):
        message = "Training stopped: out of memory. Lower [train] batch_size, or choose a smaller model."
    else:
        traceback.print_exc()
        message = f"Training stopped by a fault in Tunesmith: {type(error).__name__}: {error}"
    code = error.exit_code if isinstance(error, TunesmithError) else TrainingError.exit_code
    if log is not None:
        with contextlib.suppress(OSError):  # said once more below
            log.write("error", message=message, exit_code=code)
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
    sys.exit(main(Path(sys.argv[1])))

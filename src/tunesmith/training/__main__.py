"""`python -m tunesmith.training FOLDER`: the child process of one run.

Ends with 0 when the adapter stands, 130 when it was asked to stop and stands in its checkpoint, 1 otherwise. What went
wrong is an event, and the last line of standard error, because on a full disk only that can be written.
"""

import contextlib
import errno
import json
import os
import re
import shutil
import signal
import sys
import traceback
from pathlib import Path

from filelock import FileLock, Timeout
from safetensors import SafetensorError

from tunesmith.core.errors import TrainingError, TunesmithError
from tunesmith.core.files import new_folder, write_text
from tunesmith.models.renderer import Renderer
from tunesmith.training import checkpoint
from tunesmith.training.batches import render
from tunesmith.training.events import EventLog
from tunesmith.training.job import CHECKPOINT, EVENTS, LOCK, PID, TRAIN, VALIDATION, Job, kept_as, read_job, read_rows
from tunesmith.training.loop import InterruptedRun, Loop, Rows
from tunesmith.training.methods import attach, load_base
from tunesmith.training.methods.virtual_tokens import refuse_beyond_context

FULL = {errno.ENOSPC, errno.EDQUOT}


class Stop:
    """Whether the run was asked to end: by a signal, or because nobody waits for it any more."""

    def __init__(self) -> None:
        self._asked = False
        self._parent = os.getppid()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: object) -> None:
        self._asked = True

    def __call__(self) -> bool:
        return self._asked or os.getppid() != self._parent


def main(folder: Path) -> int:
    stop = Stop()
    resume_at = checkpoint.saved_step(folder)
    log = None
    try:
        with FileLock(folder / LOCK, timeout=0):
            write_text(folder / PID, str(os.getpid()))
            log = EventLog(folder / EVENTS, resume_at)
            _train(folder, log, stop, resume_at)
            return 0
    except InterruptedRun:
        return 130
    except Exception as error:
        return _fail(error, log, folder)


def _train(folder: Path, log: EventLog, stop: Stop, resume_at: int | None) -> None:
    loop = _loop(folder, read_job(folder))
    if resume_at is not None:
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
        resumed_from=resume_at,
    )
    for note in loop.model.notes:
        log.write("note", message=note)
    try:
        loop.run(log, stop)
    except InterruptedRun:
        log.write("interrupted", step=loop.progress.step)
        raise
    kept = folder / kept_as(loop.recipe)
    shutil.rmtree(kept, ignore_errors=True)  # of an earlier execution that ended after it was written
    with new_folder(kept) as temporary:
        loop.model.save(loop.best, temporary)
    log.write("done", **loop.summary())
    shutil.rmtree(folder / CHECKPOINT, ignore_errors=True)


def _loop(folder: Path, job: Job) -> Loop:
    recipe = job.recipe
    renderer = Renderer(Path(job.model_folder))
    train, validation = read_rows(folder / TRAIN), read_rows(folder / VALIDATION)
    rows = Rows(
        train=render(renderer, job.task.prompt, train, job.max_tokens),
        validation=render(renderer, job.task.prompt, validation, job.max_tokens),
        examples=validation,
    )
    refuse_beyond_context([*rows.train, *rows.validation], recipe.virtual_tokens, renderer.context_length)
    model = attach(load_base(Path(job.model_folder), recipe), recipe, job.model)
    return Loop(folder, model, renderer, job.task, recipe, rows, job.primary)


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
    print(json.dumps({"error": message, "exit_code": code}), file=sys.stderr, flush=True)
    return code


def _of_files(error: OSError | SafetensorError, folder: Path) -> str:
    """safetensors says the system's words and number, but not which file it was."""
    words = str(getattr(error, "strerror", None) or error)
    where = getattr(error, "filename", None) or f"a file of weights of {folder}"
    numbers = [getattr(error, "errno", None), *map(int, re.findall(r"os error (\d+)", words))]
    full = not FULL.isdisjoint(numbers)
    cure = "Free some space where the project lies" if full else "Check that file and its folder"
    onward = "it goes on from the last checkpoint" if checkpoint.saved_step(folder) is not None else "it begins anew"
    return f"Training stopped at {where}: {words}. {cure}, then run `tunesmith train` again: {onward}."


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

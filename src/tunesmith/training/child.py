"""Runs a training job in a process of its own and follows its events. Without torch.

The child survives nothing that its parent does not: an interrupt is passed on and waited for, so that the last step
is in the checkpoint; a parent that is killed takes the child with it at the end of the step. Running the same folder
again goes on from the checkpoint.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DivergedError, TrainingError, TunesmithError, UserError
from tunesmith.core.files import write_text
from tunesmith.core.record import Record
from tunesmith.training.events import Event
from tunesmith.training.job import EVENTS, LOG, PID, kept_as, read_job
from tunesmith.training.launch import Launch

POLL = 0.1  # seconds between looks at the event file
GRACE = 120.0  # seconds that an interrupted child has to finish its step and write its checkpoint
LAST_WORDS = 64_000  # bytes of the child's standard error that are looked at
KILLED = re.compile(r"rank\s*: (\d+).*?\n\s*exitcode\s*: -(?!15\b)(\d+)")  # as torch's launcher reports it


class Done(Record):
    """`adapter` is the folder of what was trained: a PEFT adapter, or a whole model."""

    adapter: Path
    steps: int
    seconds: float
    examples_per_second: float
    memory: int
    stopped_early: bool
    best: dict[str, Any]
    general_before: float | None = None
    general_score_before: float | None = None


def run(folder: Path, on_event: Callable[[Event], None], *, shown: int = 1, launch: Launch | None = None) -> Done:
    """Train the job in `folder`, calling `on_event` for every event of this execution as it is written.

    `shown` rows stand in the pre-flight token by token. With `launch` several processes train, perhaps of several
    machines; those of this one are waited for. Raises TrainingError when the run had to stop, UserError when
    the fault is in the rows or the recipe, and KeyboardInterrupt after an orderly stop.
    """
    last = _execute(folder, on_event, f"--show-masks={shown}", ends_with="done", launch=launch)
    fields = {name: last[name] for name in Done.model_fields if name != "adapter"}
    return Done(adapter=folder / kept_as(read_job(folder).recipe), **fields)


def plan(folder: Path, on_event: Callable[[Event], None], *, shown: int = 1) -> Event:
    """The pre-flight alone: the `plan` event. Raises as `run` does."""
    return _execute(folder, on_event, "--plan", f"--show-masks={shown}", ends_with="plan")


def advance(folder: Path, on_event: Callable[[Event], None], looks: int) -> Event:
    """Train until `looks` validations were made: the `paused` event, with the best so far. Raises as `run` does."""
    return _execute(folder, on_event, f"--looks={looks}", "--show-masks=0", ends_with="paused")


def _execute(
    folder: Path, on_event: Callable[[Event], None], *options: str, ends_with: str, launch: Launch | None = None
) -> Event:
    """The last event of a child that came to its end."""
    with tempfile.TemporaryFile() as words:
        alone = [sys.executable, "-m", "tunesmith.training", str(folder), *options]
        command = launch.command(folder, *options) if launch else alone
        own = environment() | (launch.environment() if launch else {})
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True, env=own
        )
        last = _follow(child, folder, on_event, launch is not None)
        words.seek(0)
        said = words.read()[-LAST_WORDS:].decode("utf-8", "replace")
    if last.get("event") == ends_with and child.returncode == 0:
        return last
    if last.get("event") == "interrupted":
        raise KeyboardInterrupt
    if launch:
        raise _failure_of_several(last, child.returncode, said, folder / LOG)
    raise _failure(last, child.returncode, said, folder / LOG)


def environment() -> dict[str, str]:
    """Ours, and glibc asked for huge pages: thousands of small ones a step cost a tenth of it."""
    return {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", **os.environ}


def _follow(child: subprocess.Popen[bytes], folder: Path, on_event: Callable[[Event], None], launched: bool) -> Event:
    """Pass events on until the child has ended; the last one."""
    tail, started = _Tail(folder / EVENTS), time.time()
    last: Event = {}
    try:
        while True:
            ended = child.poll() is not None  # before reading: what was written before the end is then read
            for event in tail.read():
                last = event
                on_event(event)
            if ended:
                break
            time.sleep(POLL)
    except BaseException:
        _stop(child, _leader(folder, started) if launched else None)
        raise
    return last


def _stop(child: subprocess.Popen[bytes], leader: int | None) -> None:
    """Ask for an orderly stop; a second interrupt, or too long a wait, ends the child at once.

    Where a launcher stands between, the process that `leads` is asked: the launcher would give it half a minute.
    """
    if leader is None or not _signal(leader, signal.SIGTERM):
        child.terminate()
    try:
        child.wait(GRACE)
    except BaseException:
        child.kill()
        if leader is not None:
            _signal(leader, signal.SIGKILL)
        child.wait()


def _leader(folder: Path, started: float) -> int | None:
    """The process that writes this execution's events; None where it has not begun."""
    with contextlib.suppress(OSError, ValueError):
        if (folder / PID).stat().st_mtime >= started:
            return int((folder / PID).read_text(encoding="utf-8"))
    return None


def _signal(process: int, number: signal.Signals) -> bool:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return False
    return True


def _failure(last: Event, code: int, words: str, log: Path) -> TunesmithError:
    """What the child said of its end: as an event or, where none could be written, on standard error."""
    if last.get("event") == "error":
        return DivergedError(last["message"]) if last.get("diverged") else _said(last["message"], last["exit_code"])
    lines = words.strip().splitlines()
    if lines:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            said = json.loads(lines[-1])
            return _said(said["error"], said["exit_code"])
    write_text(log, words)
    cause = f"was killed by signal {-code} (out of memory?)" if code < 0 else f"ended with code {code}"
    return TrainingError(
        f"The training process {cause}. What it said stands in {log}. Run `tunesmith train` again: it goes on from "
        "the last checkpoint."
    )


def _failure_of_several(last: Event, code: int, words: str, log: Path) -> TunesmithError:
    """The message of the process that failed first, not of those that lost it."""
    said = [error for error in _errors(words) if not error.get("lost")]
    if said:
        return _said(said[0]["error"], said[0]["exit_code"])
    write_text(log, words)
    ended = next((f"Process {rank} was killed by signal {number}" for rank, number in KILLED.findall(words)), None)
    if ended is None and last.get("event") != "error":
        return _failure(last, code, "", log)
    cause = f"{ended} (out of memory?)" if ended else "A process on another machine ended, or the network did"
    return TrainingError(
        f"{cause}, and the others stopped. What they said stands in {log}. Run the same command again: it goes on "
        "from the last checkpoint."
    )


def _errors(words: str) -> Iterator[dict[str, Any]]:
    """What processes said of their end, in order, among all else that stands on standard error."""
    for line in words.splitlines():
        start = line.find('{"error": ')
        with contextlib.suppress(ValueError):
            if start >= 0:
                yield json.loads(line[start:])


def _said(message: str, exit_code: int) -> TunesmithError:
    return UserError(message) if exit_code == UserError.exit_code else TrainingError(message)


class _Tail:
    """Whole lines of a growing file; when the file is replaced (a resumed run), only what comes after."""

    def __init__(self, path: Path):
        self._path = path
        self._started = time.time()
        self._position = 0
        self._rest = b""
        self._file_id: int | None = None

    def read(self) -> list[Event]:
        try:
            with self._path.open("rb") as file:
                identity = self._path.stat().st_ino
                if identity != self._file_id:
                    self._file_id, self._position, self._rest = identity, 0, b""
                file.seek(self._position)
                data = file.read()
        except FileNotFoundError:
            return []
        self._position += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        events = [json.loads(line) for line in lines]
        return [event for event in events if event["time"] >= self._started]

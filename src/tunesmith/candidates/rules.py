"""The rules baseline: the user's own `answer(message)`, kept in the artifact and run apart.

The file runs in one child process per call of `predict`, isolated (`python -I`: no PYTHONPATH, no folder of the
project), in an empty temporary folder, with a limit on memory and on the time of each answer. Rows travel over pipes
as JSON lines, one at a time. A row that hangs, dies or raises is `failed` with the reason; the process is started
again where it has to be. None is `refused`; what is no answer of the task (no label, no record, or empty) is `invalid`.
A record or a call may be returned as a dict, several calls as a list of them.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tunesmith.candidates import rules_child
from tunesmith.candidates.base import Card, keep
from tunesmith.candidates.section import SIGNATURES
from tunesmith.core import units
from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.engines.base import Engines
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.spec import FamilyName, Task

Requests = queue.SimpleQueue[bytes | None]
Replies = queue.SimpleQueue[bytes]

KIND = "rules"
FILE = "rules.py"
MEMORY = 2 << 30  # bytes of address space: numpy loads, a runaway list does not take the machine
START_FACTOR = 10  # loading the file may take this many times the limit of one answer
LONGEST_LINE = 1 << 20  # bytes of one reply; the child's own bounds keep it far below


def make(artifacts: Path, task: Task, source: Path, *, seconds: float) -> str:
    """Keep a copy of the rules in `source`. Raises UserError, with file and line, where they cannot be loaded."""
    try:
        content = source.read_bytes()
    except OSError as error:
        raise UserError(
            f"{source} cannot be read ({error.strerror}). Write `{SIGNATURES[task.family]}` into it, or take "
            '"rules" out of [baselines] which.'
        ) from None
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary, FILE)
        copy.write_bytes(content)
        child = Child(copy, str(source), seconds, task.family)  # the copy: what loads must be what is kept
        try:
            child.start()
        finally:
            child.stop()
        return keep(artifacts, Card(kind=KIND, name=KIND, task=task, config={"seconds": seconds}), Path(temporary))


@dataclass(frozen=True)
class Rules:
    card: Card
    digest: str
    path: Path

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        child = Child(self.path, FILE, self.card.config["seconds"], self.card.task.family)
        try:
            for number, example in enumerate(examples):
                child.start()
                start = time.perf_counter()
                reply = child.ask(number, example.text)
                seconds = time.perf_counter() - start
                yield Prediction(
                    example=example.id,
                    seconds=seconds,
                    latency=seconds if alone else None,
                    **_judge(reply, self.card.task, example.tools),
                )
        finally:
            child.stop()


def open_candidate(folder: Path, card: Card, engines: Engines) -> Rules:
    return Rules(card=card, digest=folder.name, path=folder / FILE)


def _judge(reply: dict[str, Any], task: Task, tools: Sequence[str]) -> dict[str, Any]:
    """The fields of a prediction that the reply decides."""
    if "error" in reply:
        return {"state": "failed", "error": _sentence(FILE, reply)}
    if reply["answer"] is None:
        return {"state": "refused"}
    text = _clean(reply["answer"])
    if reply["length"] > len(reply["answer"]):
        kept = rules_child.LONGEST_ANSWER
        return {"state": "invalid", "text": text, "error": f"{reply['length']:,} characters; the first {kept:,} kept"}
    output, fault = FAMILIES[task.family].parse(text, task, tools=tools)
    return {"state": "invalid" if output is None else "ok", "output": output, "text": text, "error": fault}


def _sentence(shown: str, fault: dict[str, Any]) -> str:
    line = f":{fault['line']}" if fault.get("line") else ""
    return f"{shown}{line}: {_clean(fault['error'])}"


def _clean(text: str) -> str:
    """A lone surrogate has no UTF-8, so it could not be written down."""
    return text.encode("utf-8", "replace").decode()


class Child:
    """The process of one rules.py: started when needed, stopped when it hangs. `shown` names the file in messages.

    A thread of its own talks to the process, so that no write or read can block the caller beyond the limit.
    """

    def __init__(self, path: Path, shown: str, seconds: float, family: FamilyName):
        self._path = path
        self._family = family
        self._shown = shown
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run the file where it is not running. Raises UserError where it cannot be loaded."""
        if self._process:
            return
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", rules_child.__file__, str(self._path.resolve()), str(MEMORY), self._family],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            start_new_session=True,  # its own group, so that what it starts is stopped with it
        )
        self._requests: Requests = queue.SimpleQueue()
        self._replies: Replies = queue.SimpleQueue()
        talk = (self._process.stdin, self._process.stdout, self._requests, self._replies)
        threading.Thread(target=_talk, args=talk, daemon=True).start()
        fault = self._exchange(b"", START_FACTOR * self._seconds)
        if "error" in fault:
            self.stop()
            raise UserError(
                f"{_sentence(self._shown, fault)}. The rules file is loaded alone, in a process of its own; it needs "
                f"`{SIGNATURES[self._family]}` and may import the standard library and installed packages."
            )

    def ask(self, row: int, message: str) -> dict[str, Any]:
        """The reply for one row; `{"error": …}` where it hung or died, and then the process is stopped."""
        request = json.dumps({"row": row, "message": message}) + "\n"
        reply = self._exchange(request.encode("ascii"), self._seconds)
        if reply.get("row") != row:
            self.stop()
            return reply if "error" in reply else {"error": "the process wrote something else than its reply"}
        return reply

    def stop(self) -> None:
        if not self._process:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()
        self._requests.put(None)
        self._process = None
        self._folder.cleanup()

    def _exchange(self, request: bytes, limit: float) -> dict[str, Any]:
        self._requests.put(request)
        try:
            line = self._replies.get(timeout=limit)
        except queue.Empty:
            return {"error": f"not done within {units.seconds(limit)}, so it was stopped"}
        if not line:
            return {"error": self._ending()}
        try:
            reply: dict[str, Any] = json.loads(line)
        except ValueError:
            return {"error": "the process wrote something else than its reply"}
        return reply

    def _ending(self) -> str:
        """How the process ended, after it closed its pipe."""
        assert self._process
        try:
            code = self._process.wait(timeout=self._seconds)
        except subprocess.TimeoutExpired:
            return "the process closed its pipes"
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"the process ended before its reply ({how})"


def _talk(
    stdin: IO[bytes],
    stdout: IO[bytes],
    requests: "queue.SimpleQueue[bytes | None]",
    replies: "queue.SimpleQueue[bytes]",
) -> None:
    """Write each request, read one line for it; an empty line says that the process is gone."""
    with contextlib.suppress(OSError), stdin, stdout:
        for request in iter(requests.get, None):
            try:
                stdin.write(request)
                stdin.flush()
                replies.put(stdout.readline(LONGEST_LINE))
            except OSError:
                replies.put(b"")

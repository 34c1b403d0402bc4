"""Functions of a user's own Python file, run apart: in a process of their own, with limits on time and memory.

The file runs isolated (`python -I`: no PYTHONPATH, no folder of the project), in an empty temporary folder. Calls
travel over pipes as JSON lines, one at a time. A call that hangs or dies is answered with the reason, and the process
is started again for the next one. A thread of its own talks to the process, so that no write or read can block the
caller beyond the limit.
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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from tunesmith.core import foreign_child, units
from tunesmith.core.errors import UserError

Requests = queue.SimpleQueue[bytes | None]
Replies = queue.SimpleQueue[bytes]

MEMORY = 2 << 30  # bytes of address space: numpy loads, a runaway list does not take the machine
START_FACTOR = 10  # loading the file may take this many times the limit of one call
LONGEST_LINE = 1 << 20  # bytes of one reply; the child's own bounds keep it far below


class Wanted(NamedTuple):
    """What the file must hold: functions by name with what they are given, and what kind of value they return.

    `kind` is the family of a task where they answer; else "score" (a number from 0 to 1) or "fault" (a text, or None).
    `needs` says it to the user, who wrote a file without it.
    """

    kind: str
    functions: Mapping[str, Sequence[str]]
    needs: str


def sentence(shown: str, fault: Mapping[str, Any]) -> str:
    """A fault of the file `shown`, with its line."""
    line = f":{fault['line']}" if fault.get("line") else ""
    return f"{shown}{line}: {clean(fault['error'])}"


def clean(text: str) -> str:
    """A lone surrogate has no UTF-8, so it could not be written down."""
    return text.encode("utf-8", "replace").decode()


class Process:
    """The process of one file: started when needed, stopped when it hangs. `shown` names the file in messages."""

    def __init__(self, path: Path, shown: str, seconds: float, wanted: Wanted):
        self._path = path
        self._wanted = wanted
        self._shown = shown
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Run the file where it is not running. Raises UserError where it cannot be loaded."""
        if self._process:
            return
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        spec = json.dumps({"kind": self._wanted.kind, "functions": dict(self._wanted.functions)})
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", foreign_child.__file__, str(self._path.resolve()), str(MEMORY), spec],
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
            raise UserError(f"{sentence(self._shown, fault)}. {self._wanted.needs}")

    def ask(self, row: int, function: str, *given: str) -> dict[str, Any]:
        """The reply of one call; `{"error": …}` where it hung or died, and then the process is stopped."""
        self.start()
        request = json.dumps({"row": row, "function": function, "given": given}) + "\n"
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

"""`python -m tunesmith.training`, loaded once and forked into the processes of each run."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tunesmith.training.events import read_events
from tunesmith.training.job import EVENTS

FORKS = """
import json, os, sys
from pathlib import Path
import torch
from tunesmith.engines.local import loading
from tunesmith.training import together
from tunesmith.training.__main__ import main

# Figures are compared more closely than to bfloat16.
loading.best_dtype = together.best_dtype = lambda device: torch.float32

for line in sys.stdin:
    folders, shared = json.loads(line)
    forks = []
    for number, folder in enumerate(folders):
        fork = os.fork()
        if not fork:
            os.environ.update(shared, RANK=str(number), LOCAL_RANK="0" if folder != folders[0] else str(number))
            os._exit(main(Path(folder)))
        forks.append(fork)
    print(json.dumps(forks), flush=True)
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]) for fork in forks]), flush=True)
"""


class Together:
    """Processes on this machine that train one run through gloo."""

    def __init__(self, errors: Path):
        self._errors = errors
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors.open("w")}
        self._program = subprocess.Popen([sys.executable, "-c", FORKS], encoding="utf-8", **pipes)

    def run(
        self,
        *folders: Path,
        when: Callable[[dict[str, Any]], bool] | None = None,
        send: signal.Signals = signal.SIGKILL,
        to: int = 0,
        **environment: str,
    ) -> list[int]:
        """One process for each folder (a folder of its own: on a machine of its own); their exit codes.

        When an event of the first folder is one that `when` waits for, process number `to` is sent a signal.
        """
        assert self._program.stdin
        assert self._program.stdout
        begun = time.time()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        shared = {
            "TUNESMITH_LAUNCHED_BY": str(os.getpid()),
            "ACCELERATE_USE_CPU": "true",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
            "WORLD_SIZE": str(len(folders)),
            "LOCAL_WORLD_SIZE": str(len(folders)),
        }
        self._program.stdin.write(json.dumps([[str(folder) for folder in folders], shared | environment]) + "\n")
        self._program.stdin.flush()
        forks = json.loads(self._program.stdout.readline())
        if when is not None:
            while not any(event["time"] >= begun and when(event) for event in read_events(folders[0] / EVENTS)):
                time.sleep(0.01)
            os.kill(forks[to], send)
        codes: list[int] = json.loads(self._program.stdout.readline())
        return codes

    def said(self) -> list[dict[str, Any]]:
        """What processes said of their end so far."""
        lines = self._errors.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"error": ')]

    def close(self) -> None:
        assert self._program.stdin
        self._program.stdin.close()
        self._program.wait()

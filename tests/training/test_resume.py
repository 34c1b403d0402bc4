"""Killed at any moment, a run goes on to the bytes of the run that was never stopped; what is torn is passed over.

The program is loaded once and forked for each execution, so that dozens of kills cost seconds. A fork either gets a
SIGKILL from outside at a random time, or kills itself at the n-th time that it touches a file of its checkpoints.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith.training import saved
from tunesmith.training.events import read_events
from tunesmith.training.job import EVENTS, JOB, TRAIN, VALIDATION

WEIGHTS = "adapter/adapter_model.safetensors"
FORKS = """
import json, os, signal, sys
from pathlib import Path
from tunesmith.training.__main__ import main

def die_at(left, folder):
    def watch(event, details):
        nonlocal left
        if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir") and folder in str(details[0]):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(watch)

for line in sys.stdin:
    folder, touches = json.loads(line)
    pid = os.fork()
    if not pid:
        if touches:
            die_at(touches, folder + "/checkpoint")
        os._exit(main(Path(folder)))
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
RECIPE = {"lora_dropout": 0.2, "evaluations_per_epoch": 2, "patience": 3, "epochs": 6, "learning_rate": 0.03}


class Program:
    """`python -m tunesmith.training`, forked."""

    def __init__(self, errors: Path):
        self._errors = errors
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors.open("w")}
        self.process = subprocess.Popen([sys.executable, "-c", FORKS], encoding="utf-8", **pipes)

    def run(self, run: Path, *, seconds: float | None = None, touches: int = 0) -> int:
        """The exit code; that of a kill is -9. `seconds` and `touches` say when."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([str(run), touches]) + "\n")
        self.process.stdin.flush()
        pid = int(self.process.stdout.readline())
        if seconds is not None:
            time.sleep(seconds)
            os.kill(pid, signal.SIGKILL)
        return int(self.process.stdout.readline())

    @property
    def said(self) -> str:
        return json.loads(self._errors.read_text().splitlines()[-1])["error"]


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Iterator[Program]:
    made = Program(tmp_path_factory.mktemp("program") / "errors.txt")
    yield made
    assert made.process.stdin
    made.process.stdin.close()
    made.process.wait()


def story(run: Path) -> list[tuple[Any, ...]]:
    """What the run's events say of its steps and looks, without times."""
    kept = [event for event in read_events(run / EVENTS) if event["event"] in ("step", "validation", "done")]
    names = ("event", "step", "steps", "loss", "learning_rate", "grad_norm", "value", "best", "stopped_early")
    return [tuple(event.get(name) for name in names) for event in kept]


def assert_same(parts: Path, whole: Path) -> None:
    assert (parts / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes()
    assert story(parts) == story(whole)
    assert not (parts / "checkpoint").exists()
    assert [path.name for path in parts.glob(".*")] == []


def stopped_at(program: Program, make_run, name: str = "run", **recipe) -> Path:
    """A run that was killed with two whole checkpoints on disk."""
    run = make_run(name, checkpoint_seconds=0, **RECIPE | recipe)
    assert program.run(run, touches=120) == -signal.SIGKILL
    for path in saved.folders(run)[:-2]:
        shutil.rmtree(path)
    assert len(saved.folders(run)) == 2
    assert saved.find(run).unusable == ()
    return run


def test_smoke(program, make_run):
    whole = make_run("whole", **RECIPE)
    t = time.time(); print(program.run(whole), time.time() - t)
    print(story(whole)[-5:], len(story(whole)))
    run = make_run("r", checkpoint_seconds=0, **RECIPE)
    for n in range(1, 60, 6):
        t = time.time()
        print(n, program.run(run, touches=n), saved.find(run).step, time.time() - t, [p.name for p in (run/"checkpoint").glob("*")])
    t = time.time(); print(program.run(run), time.time() - t)
    assert_same(run, whole)

"""Killed at any moment, a run goes on to the bytes of the run that was never stopped; what is torn is passed over.

The program is loaded once and forked for each execution, so that dozens of kills cost seconds. A fork either gets a
SIGKILL from outside at a random time, or kills itself at the n-th time that it touches a file of its checkpoints.
"""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from waiting import wait_for

from tunesmith.training import saved
from tunesmith.training.events import read_events
from tunesmith.training.job import EVENTS, JOB, TRAIN, VALIDATION

WEIGHTS = "adapter/adapter_model.safetensors"
FORKS = """
import json, os, signal, sys
from pathlib import Path
import torch
from tunesmith.engines.local import loading
from tunesmith.training.__main__ import main

loading.best_dtype = lambda device: torch.float32  # when it stops early is known in this precision

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
            with contextlib.suppress(ProcessLookupError):  # it came to its end before
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


@pytest.fixture(scope="module")
def whole(program, make_run_in, tmp_path_factory) -> Path:
    """The run that was never stopped: it ends early, by a counter that a checkpoint has to keep."""
    run: Path = make_run_in(tmp_path_factory.mktemp("whole") / "run", **RECIPE)
    assert program.run(run) == 0
    done = read_events(run / EVENTS)[-1]
    assert done["stopped_early"]
    assert done["best"]["step"] < done["steps"] < story(run)[0][2]
    return run


@pytest.fixture(scope="module")
def killed(program, make_run_in, tmp_path_factory) -> Path:
    """A run that was killed in the middle of an epoch, with two whole checkpoints on disk."""
    run: Path = make_run_in(tmp_path_factory.mktemp("killed") / "run", checkpoint_seconds=0, **RECIPE)
    assert program.run(run, touches=140) == -signal.SIGKILL
    older, newer = saved.folders(run)
    assert saved.find(run) == (newer, saved.find(run).checkpoint, ())
    assert int(older.name) == int(newer.name) - 1
    assert int(newer.name) % 5, "this kill should not fall between two epochs"
    return run


@pytest.fixture
def parts(killed, tmp_path) -> Path:
    """A copy of `killed`."""
    return Path(shutil.copytree(killed, tmp_path / "parts"))


def events(run: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in read_events(run / EVENTS) if event["event"] == kind]


def kill_until_done(program: Program, run: Path, chooser: random.Random) -> int:
    """How often it was killed, at a random time or a random touch of a checkpoint, until it came through."""
    for kills in range(100):
        by_time = chooser.random() < 0.5
        how: dict[str, Any] = {"seconds": chooser.uniform(0, 1.5)} if by_time else {"touches": chooser.randint(1, 240)}
        if program.run(run, **how) == 0:
            return kills
        for folder in saved.folders(run):
            assert saved.find(run).unusable == (), folder
    raise AssertionError("it never came through")


def test_killed_at_random_moments_equals_never_stopped(program, make_run, whole):
    run = make_run(checkpoint_seconds=0.02, **RECIPE)
    assert kill_until_done(program, run, random.Random(1)) >= 1
    assert_same(run, whole)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_killed_at_many_random_moments_equals_never_stopped(seed, program, make_run, whole):
    run = make_run(checkpoint_seconds=random.Random(seed).choice([0, 0.03, 0.1]), **RECIPE)
    kill_until_done(program, run, random.Random(seed))
    assert_same(run, whole)


@pytest.mark.slow
def test_killed_at_every_touch_of_a_checkpoint(program, parts, whole, tmp_path):
    """Over the next three checkpoints: every moment between two touches of a file."""
    for touches in range(1, 40):
        run = Path(shutil.copytree(parts, tmp_path / f"at-{touches}"))
        assert program.run(run, touches=touches) == -signal.SIGKILL
        assert saved.find(run).unusable == ()
        assert program.run(run) == 0
        assert_same(run, whole)
        shutil.rmtree(run)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-len(content) // 3] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def count_on(path: Path) -> None:
    """Valid JSON that says something else."""
    document = json.loads(path.read_text())
    document["progress"]["stale"] += 1
    path.write_text(json.dumps(document))


def of_tomorrow(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 3}))


@pytest.mark.parametrize(
    ("file", "fault", "reason"),
    [
        ("weights.safetensors", cut, "weights.safetensors is not what was written"),
        ("moments.safetensors", flip, "moments.safetensors is not what was written"),
        ("best.safetensors", Path.unlink, "best.safetensors is missing"),
        ("checkpoint.json", cut, "checkpoint.json is cut off"),
        ("checkpoint.json", empty, "checkpoint.json is cut off"),
        ("checkpoint.json", Path.unlink, "checkpoint.json is missing"),
        ("checkpoint.json", count_on, "checkpoint.json is not what was written"),
        ("checkpoint.json", of_tomorrow, "it is of format 3, and this version of Tunesmith reads format 2"),
    ],
)
def test_the_checkpoint_before_a_torn_one_is_used(file, fault, reason, program, parts, whole):
    older, newer = saved.folders(parts)
    fault(newer / file)
    assert program.run(parts) == 0
    [said] = events(parts, "unusable")
    assert said["checkpoint"] == int(newer.name)
    assert said["reason"].startswith(reason)
    assert events(parts, "start")[-1]["resumed_from"] == int(older.name)
    assert_same(parts, whole)


def test_where_no_checkpoint_is_whole_the_run_begins_anew(program, parts, whole):
    for folder in saved.folders(parts):
        cut(folder / "moments.safetensors")
    assert program.run(parts) == 0
    assert len(events(parts, "unusable")) == 2
    [start] = events(parts, "start")
    assert (start["resumed_from"], start["unusable"]) == (None, 2)
    assert_same(parts, whole)


def test_a_checkpoint_of_the_format_before_is_passed_over_in_words(program, parts, whole):
    """It had one pointer for all, and no checksums."""
    older, newer = saved.folders(parts)
    shutil.rmtree(older)
    progress = json.loads((newer / "checkpoint.json").read_text())["progress"]
    (newer / "checkpoint.json").unlink()
    (parts / "checkpoint" / "checkpoint.json").write_text(json.dumps({"folder": newer.name, "progress": progress}))
    assert program.run(parts) == 0
    assert [event["reason"] for event in events(parts, "unusable")] == ["it is of an older format, without checksums"]
    assert_same(parts, whole)


def test_a_checkpoint_of_another_recipe_is_refused_with_the_difference(program, parts, whole):
    job = (parts / JOB).read_text()
    (parts / JOB).write_text(job.replace('"learning_rate": 0.03', '"learning_rate": 0.02'))
    assert program.run(parts) == 2
    assert "learning_rate: 0.03 in the checkpoint, 0.02 now" in program.said
    assert events(parts, "error")[-1]["message"] == program.said
    (parts / JOB).write_text(job.replace('"checkpoint_seconds": 0.0', '"checkpoint_seconds": 50.0'))
    assert program.run(parts) == 0  # changes no weight
    assert_same(parts, whole)


def test_a_checkpoint_of_other_rows_or_another_model_is_refused(program, parts):
    lines = (parts / TRAIN).read_text().splitlines(keepends=True)
    (parts / TRAIN).write_text("".join(lines[1:]))
    assert program.run(parts) == 2
    assert "the training rows changed" in program.said
    (parts / TRAIN).write_text("".join(lines))
    (parts / JOB).write_text((parts / JOB).read_text().replace('"model_digest": "tiny"', '"model_digest": "other"'))
    assert program.run(parts) == 2
    assert "the base model changed" in program.said


@pytest.mark.parametrize("name", [TRAIN, VALIDATION, JOB])
def test_a_vanished_or_broken_file_of_a_run_is_named(name, program, parts):
    (parts / name).write_text('{"messages": ')
    assert program.run(parts) == 2
    assert f"{name} is not what was written there. Run `tunesmith train`" in program.said
    (parts / name).unlink()
    assert program.run(parts) == 2
    assert f"{name} is gone. Run `tunesmith train`" in program.said


def test_rows_without_weight_are_refused_before_training(program, make_run):
    run = make_run()
    lines = (run / TRAIN).read_text().splitlines()

    def weigh(*weights: float) -> None:
        kept = [json.loads(line) | {"weight": weight} for line, weight in zip(lines, weights, strict=False)]
        (run / TRAIN).write_text("".join(json.dumps(row) + "\n" for row in kept))

    weigh(0, 0, 0)
    assert program.run(run) == 2
    assert "train.jsonl: every row has a weight that is not a number above 0: rows.jsonl:1 (0)" in program.said
    weigh(1, 0, 1, -2, 1)
    assert program.run(run) == 2
    assert "2 of 5 rows have a weight" in program.said
    assert "rows.jsonl:2 (0), rows.jsonl:4 (-2)" in program.said


def test_a_validation_loss_that_is_not_finite_stops_the_run_in_words(program, make_run):
    run = make_run()
    heavy = (run / VALIDATION).read_text().replace('"weight": 1.0', '"weight": 1e300')
    (run / VALIDATION).write_text(heavy)
    assert program.run(run) == 1
    assert "Training stopped after step 5: validation loss inf is not finite. Learning rate 0.00846" in program.said


def stands_still(process: int) -> bool:
    """Whether every thread was stopped. One that was not yet would take a SIGTERM before the SIGSTOP."""
    states = [path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{process}/task").glob("*/stat")]
    return set(states) == {"T"}


def is_asked_to_stop(process: int) -> bool:
    """Whether SIGTERM waits for a process that stands still."""
    status = Path(f"/proc/{process}/status").read_text()
    pending = int(re.search(r"ShdPnd:\s*([0-9a-f]+)", status)[1], 16)
    return bool(pending & 1 << signal.SIGTERM - 1)


def in_a_child(run: Path) -> subprocess.Popen[str]:
    """Somebody who trains `run` in a process of its own, in the precision of this machine."""
    script = f"from pathlib import Path; from tunesmith.training.child import run; run(Path({str(run)!r}), print)"
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    return subprocess.Popen([sys.executable, "-uc", script], **pipes)


def test_a_second_interrupt_stops_at_once_and_leaves_a_whole_checkpoint(make_run_in, tmp_path):
    run, never_stopped = (make_run_in(tmp_path / name, checkpoint_seconds=0, **RECIPE) for name in ("run", "whole"))
    parent = in_a_child(run)
    assert parent.stdout
    next(line for line in parent.stdout if "'checkpoint'" in line)
    child = int((run / "run.pid").read_text())
    os.kill(child, signal.SIGSTOP)  # in the middle of a step that takes for ever
    wait_for(lambda: stands_still(child), parent)
    parent.send_signal(signal.SIGINT)
    wait_for(lambda: is_asked_to_stop(child), parent)  # until then a second interrupt would be one with the first
    asked = time.monotonic()
    parent.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in parent.communicate(timeout=10)[1]
    assert time.monotonic() - asked < 5
    assert not Path(f"/proc/{child}").exists()
    assert saved.find(run).step
    assert saved.find(run).unusable == ()
    for each in (run, never_stopped):
        ended = in_a_child(each)
        ended.communicate()
        assert ended.returncode == 0
    assert_same(run, never_stopped)

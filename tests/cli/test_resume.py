"""`tunesmith train` after it was stopped: goes on, begins anew, or refuses, and says which. On the tiny model."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tunesmith.training import saved

SETTINGS = {
    "TUNESMITH_TRAIN_BATCH_SIZE": "2",
    "TUNESMITH_TRAIN_EPOCHS": "1000",
    "TUNESMITH_TRAIN_PATIENCE": "1000",
    "TUNESMITH_TRAIN_R": "2",
    "TUNESMITH_TRAIN_CHECKPOINT_SECONDS": "0",
}


@pytest.fixture(scope="module")
def stopped(sealed) -> Path:
    """`sealed` with a training run that was stopped by Ctrl-C behind its second checkpoint."""
    command = [sys.executable, "-c", "from tunesmith.cli.app import main; main()", "train"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    train = subprocess.Popen(command, cwd=sealed, env=os.environ | SETTINGS, **pipes)
    while len(saved.folders(run_of(sealed))) < 2:
        assert train.poll() is None, train.communicate()
        time.sleep(0.05)
    train.send_signal(signal.SIGINT)
    _, err = train.communicate()
    assert train.returncode == 130
    assert "is kept; run the same command again" in err
    return sealed


@pytest.fixture
def project(stopped, tmp_path) -> Path:
    """A copy of `stopped`."""
    return Path(shutil.copytree(stopped, tmp_path / "p"))


def run_of(project: Path) -> Path:
    """The folder of the newest training run."""
    return max((project / ".tunesmith" / "runs").glob("*-train*"), default=Path("none"))


def test_resume_needs_a_run_that_was_stopped(sealed, tmp_path, tunesmith):
    project = Path(shutil.copytree(sealed, tmp_path / "p", ignore=shutil.ignore_patterns("runs", "ledger*")))
    done = tunesmith("train", "--resume", cwd=project)
    assert done.code == 2
    assert "No training run was stopped, so there is nothing to resume" in done.err


def test_resume_refuses_other_inputs_and_names_them(project, tunesmith):
    other = SETTINGS | {"TUNESMITH_TRAIN_LEARNING_RATE": "0.002", "TUNESMITH_TRAIN_R": "4"}
    done = tunesmith("train", "--resume", cwd=project, **other)
    assert done.code == 2
    assert f"Run {run_of(project).name} cannot be resumed" in done.err
    for key, before, now in (("r", "2", "4"), ("lora_alpha", "4", "8"), ("learning_rate", "0.00077", "0.002")):
        assert f"{key}: {before} in the checkpoint, {now} now" in done.err
    prompt = project / "prompts" / "system.md"
    prompt.write_text(prompt.read_text() + " Be brief.")
    done = tunesmith("train", "--resume", cwd=project, **SETTINGS)
    assert done.code == 2
    assert "cannot be resumed: the prompt changed." in done.err


def test_resume_needs_a_checkpoint_that_is_whole(project, tunesmith):
    for folder in saved.folders(run_of(project)):
        (folder / "moments.safetensors").write_bytes(b"")
    done = tunesmith("train", "--resume", cwd=project, **SETTINGS)
    assert done.code == 2
    assert "has no whole checkpoint (step " in done.err
    assert "moments.safetensors is not what was written" in done.err
    shutil.rmtree(run_of(project) / "checkpoint")
    done = tunesmith("train", "--resume", cwd=project, **SETTINGS)
    assert "stopped before its checkpoint, so there is nothing to resume" in done.err


def test_a_row_that_lost_its_weight_and_a_split_that_is_gone(project, tunesmith):
    train = project / "data" / "split" / "train.jsonl"
    first, *others = train.read_text().splitlines()
    train.write_text("\n".join([json.dumps(json.loads(first) | {"weight": 0}), *others]) + "\n")
    done = tunesmith("train", cwd=project, **SETTINGS)
    assert done.code == 2
    assert "data/split/train.jsonl" in done.err
    assert "'weight' must be a number above 0" in done.err
    train.unlink()
    done = tunesmith("train", cwd=project, **SETTINGS)
    assert done.code == 2
    assert "data/split/train.jsonl is gone. `tunesmith split` writes it again" in done.err


def test_train_goes_on_past_a_torn_checkpoint_and_lost_rows(project, tunesmith):
    run = run_of(project)
    older, newer = saved.folders(run)[-2:]
    (newer / "weights.safetensors").write_bytes(b"torn")
    (run / "train.jsonl").unlink()
    command = [sys.executable, "-c", "from tunesmith.cli.app import main; main()", "train", "--resume", "--json"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    train = subprocess.Popen(command, cwd=project, env=os.environ | SETTINGS, **pipes)
    assert train.stderr
    said = []
    for line in train.stderr:
        said.append(line.strip())
        if line.startswith("Going on from step"):
            train.send_signal(signal.SIGINT)
    train.wait()
    assert train.returncode == 130
    assert f"Going on with run {run.name}." in said
    reason = "weights.safetensors is not what was written: its checksum differs"
    assert f"The checkpoint of step {int(newer.name)} is not used: {reason}." in said
    assert f"Going on from step {int(older.name)}." in said
    assert run_of(project) == run


def test_train_begins_anew_with_other_inputs_and_says_so(project, tunesmith):
    short = SETTINGS | {"TUNESMITH_TRAIN_EPOCHS": "0.2"}
    before = run_of(project)
    done = tunesmith("train", cwd=project, **short)
    assert done.code == 0, done.err
    assert f"A new run begins; run {before.name}, which was stopped, differs: epochs: 1000" in done.out
    assert run_of(project) != before
    done = tunesmith("train", "--resume", cwd=project, **short)
    assert done.code == 2
    assert "has come through with the same inputs: there is nothing to resume" in done.err

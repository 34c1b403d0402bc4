"""Processes that accelerate's launcher starts from the user's file: one of them is killed, then they come through."""

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith.core.errors import TrainingError, UserError
from tunesmith.training import child
from tunesmith.training.launch import Launch, read_launch

TWO = {"distributed_type": "MULTI_CPU", "num_processes": 2, "use_cpu": True}


def launch(folder: Path, **settings: Any) -> Launch:
    path = folder / "accelerate.yaml"
    path.write_text(yaml.safe_dump(settings))
    return read_launch(path)


def others(leader: int) -> list[int]:
    """The processes beside the main one that its launcher started."""
    found = re.search(r"^PPid:\s+(\d+)", Path(f"/proc/{leader}/status").read_text(), re.MULTILINE)
    assert found
    children = Path(f"/proc/{found[1]}/task/{found[1]}/children").read_text().split()
    return [int(process) for process in children if int(process) != leader]


def test_a_killed_process_ends_the_launch_in_one_message(make_run, tmp_path):
    run, seen = make_run(epochs=1000, patience=10_000), []

    def kill(event):
        if event["event"] == "step" and not seen:
            leader = int((run / "run.pid").read_text())
            seen.extend([leader, *others(leader)])
            os.kill(seen[1], signal.SIGKILL)

    with pytest.raises(TrainingError) as told:
        child.run(run, kill, launch=launch(tmp_path, **TWO))
    assert re.fullmatch(
        r"Process 1 was killed by signal 9 \(out of memory\?\), and the others stopped\. What they said stands in "
        r".*child\.log\. Run the same command again: it goes on from the last checkpoint\.",
        str(told.value),
    )
    assert not any(Path(f"/proc/{process}").exists() for process in seen)


@pytest.mark.slow
def test_a_fault_in_the_rows_is_told_as_of_one_process(make_run, tmp_path):
    with pytest.raises(UserError, match=r"rows.jsonl:\d+ has \d+ tokens .* max_tokens = 40"):
        child.run(make_run(max_tokens=40), lambda event: None, launch=launch(tmp_path, **TWO))


@pytest.mark.slow
def test_an_interrupt_stops_them_and_they_come_through(make_run, tmp_path):
    run, two = make_run(), launch(tmp_path, **TWO)

    def stop(event):
        if event["event"] == "step":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        child.run(run, stop, launch=two)
    done = child.run(run, lambda event: None, launch=two)
    assert done.steps == 15
    assert done.adapter.is_dir()

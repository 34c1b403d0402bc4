"""A run as its caller sees it: the child process, its events, its adapter; stopped, killed, starved, resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tunesmith.core.errors import DivergedError, TrainingError, UserError
from tunesmith.training import child
from tunesmith.training.events import EventLog, read_events
from tunesmith.training.job import EVENTS

WEIGHTS = "adapter_model.safetensors"


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "adapter" / WEIGHTS)


def test_a_run_tells_its_story_and_leaves_a_plain_peft_adapter(make_run, tiny_folder):
    run, told = make_run(), []
    done = child.run(run, told.append)
    kinds = [event["event"] for event in told]
    assert kinds[:2] == ["plan", "start"]
    assert kinds[-1] == "done"
    assert kinds.count("step") == done.steps == 15
    assert kinds.count("validation") == 3
    assert told == read_events(run / EVENTS)
    losses = [event["loss"] for event in told if event["event"] == "step"]
    assert sum(losses[-3:]) < sum(losses[:3])
    best = max((e for e in told if e["event"] == "validation"), key=lambda e: (e["value"], -e["loss"]))
    assert done.best["step"] == best["step"]
    assert best["step"] < done.steps, "this job's best weights are not its last ones, so that mixing them up would show"
    base = AutoModelForCausalLM.from_pretrained(tiny_folder)
    loaded = PeftModel.from_pretrained(base, str(done.adapter))
    changed = [parameter for name, parameter in loaded.named_parameters() if "lora_B" in name]
    assert len(changed) == 14
    assert all(parameter.abs().max() > 0 for parameter in changed)
    assert json.loads((done.adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny"
    assert not (run / "checkpoint").exists()


def test_two_runs_of_the_same_job_are_equal_byte_for_byte(make_run):
    first, second = make_run("a"), make_run("b")
    for run in (first, second):
        child.run(run, lambda event: None)
    assert (first / "adapter" / WEIGHTS).read_bytes() == (second / "adapter" / WEIGHTS).read_bytes()
    assert (first / "adapter/adapter_config.json").read_text() == (second / "adapter/adapter_config.json").read_text()


def test_interrupted_and_resumed_equals_never_stopped(make_run):
    whole, parts = make_run("whole"), make_run("parts")
    child.run(whole, lambda event: None)
    for stop_at in (4, 11, None):

        def stop(event, stop_at=stop_at):
            if event["event"] == "step" and event["step"] == stop_at:
                raise KeyboardInterrupt

        if stop_at:
            with pytest.raises(KeyboardInterrupt):
                child.run(parts, stop)
            assert read_events(parts / EVENTS)[-1]["event"] == "interrupted"
        else:
            child.run(parts, stop)
    assert (whole / "adapter" / WEIGHTS).read_bytes() == (parts / "adapter" / WEIGHTS).read_bytes()
    steps = [event["step"] for event in read_events(parts / EVENTS) if event["event"] == "step"]
    assert steps == list(range(1, 16))


def test_a_killed_child_is_told_of_in_words(make_run):
    """What comes of going on is the matter of test_resume.py."""
    run = make_run()

    def kill(event):
        if event["event"] == "step" and event["step"] == 2:
            os.kill(int((run / "run.pid").read_text()), signal.SIGKILL)

    with pytest.raises(TrainingError, match=r"killed by signal 9 .*goes on from the last checkpoint"):
        child.run(run, kill)


def test_a_killed_parent_takes_the_child_with_it(make_run):
    """The child notices at the end of a step, and stands in its checkpoint."""
    run = make_run(epochs=1000, patience=10_000)
    script = f"from pathlib import Path; from tunesmith.training.child import run; run(Path({str(run)!r}), print)"
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    next(line for line in parent.stdout if "'step'" in line)
    parent.kill()
    parent.communicate()
    pid = int((run / "run.pid").read_text())
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert read_events(run / EVENTS)[-1]["event"] == "interrupted"


def test_a_full_disk_ends_in_one_sentence_and_nothing_half_written(make_run):
    """A file-size limit stands in for the full disk: writing the adapter fails, small files do not."""
    run = make_run(r=64)
    script = (
        "import resource; from pathlib import Path; from tunesmith.training.child import run;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY));"
        f"run(Path({str(run)!r}), lambda event: None)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "TrainingError: Training stopped at " in result.stderr
    assert "File too large" in result.stderr
    assert "run `tunesmith train` again" in result.stderr
    assert not (run / "adapter").exists()
    leftovers = [path.name for path in run.rglob("*") if path.name.startswith(".")]
    assert leftovers == []
    done = child.run(run, lambda event: None)  # with space again, the same folder goes through
    assert (done.adapter / WEIGHTS).exists()


def test_not_finite_stops_with_step_rate_and_rows(make_run):
    """Rates that no model survives: the weights overflow within a few steps."""
    run = make_run(learning_rate=1.0, epochs=200, patience=1000, max_grad_norm=1e30, warmup_ratio=0.0, lora_alpha=10**9)
    with pytest.raises(DivergedError, match=r"step \d+: .* not finite. Learning rate .*, rows [0-9a-f]{16}"):
        child.run(run, lambda event: None)


def test_a_row_that_is_too_long_is_refused_not_cut(make_run):
    run = make_run(max_tokens=40)
    with pytest.raises(UserError, match=r"rows.jsonl:\d+ has \d+ tokens .* max_tokens = 40"):
        child.run(run, lambda event: None)


def test_modules_that_the_model_lacks_are_refused_in_words(make_run):
    run = make_run(target_modules=("no_such_layer",))
    with pytest.raises(UserError, match="target_modules"):
        child.run(run, lambda event: None)


def test_two_processes_never_train_in_one_folder(make_run):
    run = make_run(epochs=1000, patience=10_000)

    def second(event):
        if event["event"] == "step":
            with pytest.raises(TrainingError, match="Another process is training"):
                child.run(run, lambda inner: None)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        child.run(run, second)
    assert read_events(run / EVENTS)[-1]["event"] == "interrupted"


def test_early_stopping_keeps_the_best_weights(make_run):
    run, told = make_run(epochs=40, patience=2, learning_rate=0.05), []
    done = child.run(run, told.append)
    looks = [event for event in told if event["event"] == "validation"]
    assert done.stopped_early
    assert [look["best"] for look in looks][-2:] == [False, False]
    assert done.best["value"] == max(look["value"] for look in looks)


def test_an_event_cut_off_by_a_crash_is_dropped(tmp_path):
    log = EventLog(tmp_path / EVENTS)
    log.write("step", step=1)
    log.write("step", step=2)
    with (tmp_path / EVENTS).open("a") as file:
        file.write('{"event": "st')
    assert [event["step"] for event in read_events(tmp_path / EVENTS)] == [1, 2]
    EventLog(tmp_path / EVENTS, resume_at=1).write("step", step=2)
    assert [event["step"] for event in read_events(tmp_path / EVENTS)] == [1, 2]


@pytest.mark.parametrize("primary", ["accuracy", "macro_f1"])
def test_the_primary_metric_chooses_the_checkpoint(make_run, primary):
    """Three labels of three rows each: a model that gets k rows right has accuracy k / 9, and another macro F1."""
    told: list[dict] = []
    done = child.run(make_run(primary=primary, learning_rate=3e-3), told.append)
    looks = [event for event in told if event["event"] == "validation"]
    assert {look["metric"] for look in looks} == {primary}
    assert done.best["metric"] == primary
    ninths = [look["value"] * 9 == pytest.approx(round(look["value"] * 9)) for look in looks]
    assert all(ninths) == (primary == "accuracy")

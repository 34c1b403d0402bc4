"""Several processes train what one would: the same losses, the same looks; stopped and killed, they go on to the bytes.

Two processes on this machine's processor, which find each other through gloo. What a launcher adds stands in
test_launched.py.
"""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from together import Together

from tunesmith.training.events import read_events
from tunesmith.training.job import EVENTS, TRAIN

WEIGHTS = "adapter/adapter_model.safetensors"
SPREAD = {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "FSDP_RESHARD_AFTER_FORWARD": "true"}
# 18 rows: the second batch has one, so that a process has none. Early stopping and the best weights are looked at, too.
RECIPE = {"batch_size": 17, "epochs": 4, "checkpoint_seconds": 0, "learning_rate": 0.03, "evaluations_per_epoch": 2}


@pytest.fixture(scope="module")
def together(tmp_path_factory) -> Iterator[Together]:
    made = Together(tmp_path_factory.mktemp("together") / "errors.txt")
    yield made
    made.close()


@pytest.fixture(scope="module")
def one(together, make_run_in, tmp_path_factory) -> Path:
    run: Path = make_run_in(tmp_path_factory.mktemp("one") / "run", **RECIPE)
    assert together.run(run) == [0]
    return run


@pytest.fixture(scope="module")
def two(together, make_run_in, tmp_path_factory) -> Path:
    """The run of two processes that was never stopped."""
    run: Path = make_run_in(tmp_path_factory.mktemp("two") / "run", **RECIPE)
    assert together.run(run, run) == [0, 0]
    return run


def story(run: Path, *names: str) -> list[list[Any]]:
    kept = [event for event in read_events(run / EVENTS) if event["event"] in ("step", "validation")]
    return [[event.get(name) for name in ("event", "step", *names)] for event in kept]


def figures(run: Path, name: str) -> list[float]:
    return [figure for *_, figure in story(run, name) if figure is not None]


def assert_same_training(several: Path, one: Path) -> None:
    exact = ("steps", "epoch", "examples", "label_tokens", "learning_rate", "metric", "value", "best")
    assert story(several, *exact) == story(one, *exact)
    for name in ("loss", "grad_norm"):
        assert figures(several, name) == pytest.approx(figures(one, name), rel=1e-3)
    alone = load_file(one / WEIGHTS)
    for key, weight in load_file(several / WEIGHTS).items():
        torch.testing.assert_close(weight, alone[key], rtol=1e-3, atol=1e-4)


def test_two_processes_train_as_one_does(two, one):
    assert_same_training(two, one)
    starts = [event for run in (two, one) for event in read_events(run / EVENTS) if event["event"] == "start"]
    assert [start["processes"] for start in starts] == [2, 1]
    assert (two / "adapter/adapter_config.json").read_text() == (one / "adapter/adapter_config.json").read_text()
    assert not (two / "checkpoint").exists()


@pytest.mark.parametrize("again", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["kept", "recomputed"])
def test_frozen_weights_in_pieces_train_as_whole_ones_do(again, together, one, make_run):
    """FSDP2 on the processor; on a GPU it takes the same way."""
    run = make_run(gradient_checkpointing=again, **RECIPE)
    assert together.run(run, run, **SPREAD) == [0, 0]
    assert_same_training(run, one)


def assert_same(parts: Path, whole: Path) -> None:
    assert (parts / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes()
    assert story(parts, "loss", "value", "best") == story(whole, "loss", "value", "best")
    assert not (parts / "checkpoint").exists()


def at_step(step: int, kind: str = "checkpoint"):
    return lambda event: event["event"] == kind and event["step"] >= step


@pytest.mark.parametrize(
    "killed", [pytest.param(0, marks=pytest.mark.slow), 1], ids=["the main process", "another process"]
)
def test_where_one_is_killed_the_other_ends_and_both_go_on_to_the_same_bytes(killed, together, two, make_run):
    run = make_run(**RECIPE)
    before = len(together.said())
    codes = together.run(run, run, when=at_step(2), to=killed)
    assert codes[killed] == -signal.SIGKILL
    assert codes[1 - killed] == 1
    [said] = together.said()[before:]
    assert said["lost"]
    assert said["error"].startswith("Another process of this run ended, so this one stopped, too.")
    assert together.run(run, run) == [0, 0]
    assert_same(run, two)


@pytest.mark.parametrize(
    "asked", [pytest.param(0, marks=pytest.mark.slow), 1], ids=["the main process", "another process"]
)
def test_a_signal_to_one_stops_both_in_a_checkpoint(asked, together, two, make_run):
    run = make_run(**RECIPE)
    assert together.run(run, run, when=at_step(3), send=signal.SIGTERM, to=asked) == [130, 130]
    assert read_events(run / EVENTS)[-1]["event"] == "interrupted"
    assert together.run(run, run) == [0, 0]
    assert_same(run, two)


@pytest.mark.slow
def test_a_run_goes_on_with_another_number_of_processes(together, one, make_run):
    """To the same weights but for rounding: the batch, the rate and the order of rows are the recipe's."""
    run = make_run(**RECIPE)
    assert together.run(run, run, when=at_step(3), send=signal.SIGTERM) == [130, 130]
    assert together.run(run) == [0]
    assert_same_training(run, one)


@pytest.mark.parametrize("spread", [{}, SPREAD], ids=["whole", "in pieces"])
def test_pairs_are_dealt_out_whole(spread, together, make_pairs):
    """17 pairs in batches of 6: one process has three of a batch's last five, the other two."""
    one, two = make_pairs("one", batch_size=6), make_pairs("two", batch_size=6)
    assert together.run(one) == [0]
    assert together.run(two, two, **spread) == [0, 0]
    assert_same_training(two, one)
    for name in ("preferred", "margin"):  # behind the first step, at which every pair is even but for rounding
        assert figures(two, name)[1:] == pytest.approx(figures(one, name)[1:], rel=1e-2, abs=1e-4)


def test_machines_with_a_folder_of_their_own_train_one_run(together, two, make_run, tmp_path):
    """The second has the rows and the recipe but no checkpoint: the main process hands it out."""
    main = make_run(**RECIPE)
    other = Path(shutil.copytree(main, tmp_path / "other"))
    assert together.run(main, other, when=at_step(2), send=signal.SIGTERM) == [130, 130]
    assert together.run(main, other) == [0, 0]
    assert_same(main, two)
    assert story(other, "value") == story(main, "value")[-len(story(other)) :]
    assert not (other / "adapter").exists()


def test_a_method_that_cannot_be_spread_is_refused(together, make_run):
    run = make_run(method="full")
    before = len(together.said())
    assert together.run(run, run, ACCELERATE_USE_FSDP="true") == [2, 2]
    assert {said["error"] for said in together.said()[before:]} == {
        'FSDP spreads the frozen weights behind method "lora", and [train] method is "full". Choose that method, or '
        "distributed_type: MULTI_GPU."
    }


def test_a_machine_with_other_rows_is_refused_in_words(together, make_run, tmp_path):
    main = make_run(**RECIPE)
    other = Path(shutil.copytree(main, tmp_path / "other"))
    rows = [json.loads(line) | {"weight": 2.0} for line in (other / TRAIN).read_text().splitlines()]
    (other / TRAIN).write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = len(together.said())
    assert together.run(main, other) == [1, 2]
    [cause] = [said["error"] for said in together.said()[before:] if not said.get("lost")]
    assert "was given another run than the main machine: the training rows changed" in cause

"""Trackers are told a run's figures; one that fails, or is not installed, is said in words."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from accelerate.tracking import GeneralTracker

from tunesmith.core.errors import MissingExtraError
from tunesmith.training import child
from tunesmith.training.events import EventLog, read_events
from tunesmith.training.job import EVENTS
from tunesmith.training.section import TrainSection
from tunesmith.training.trackers import Tracked, refuse_missing

STEP = {"steps": 4, "loss": 2.0, "learning_rate": 0.1, "grad_norm": 3.0, "tokens": 60, "shared_tokens": 40}
LOOK = {"loss": 1.5, "perplexity": 4.48, "metric": "accuracy", "value": 0.5, "memory": 2**30}


class Paper(GeneralTracker):
    """A tracker that writes to a file."""

    name = "paper"
    requires_logging_directory = True
    main_process_only = False

    def __init__(self, path: Path):
        super().__init__()
        self.path = path

    @property
    def tracker(self) -> Path:
        return self.path

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        raise AssertionError("nothing asks for it")

    def log(self, values: dict[str, Any], step: int | None = None, **kwargs: Any) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps([step, values]) + "\n")

    def finish(self) -> None:
        with self.path.open("a") as file:
            file.write('"finished"\n')


def test_a_tracker_is_told_steps_and_looks(tmp_path):
    log = Tracked(EventLog(tmp_path / EVENTS), [Paper(tmp_path / "paper")])
    log.write("start", resumed_from=None)
    log.write("step", step=1, seconds=2.0, **STEP)
    log.write("step", step=2, seconds=2.5, **STEP)
    log.write("validation", step=2, **LOOK)
    log.write("done")
    log.close()
    first, second, look, end = map(json.loads, (tmp_path / "paper").read_text().splitlines())
    figures = {"train/loss": 2.0, "train/learning_rate": 0.1, "train/grad_norm": 3.0}
    assert first == [1, figures]
    assert second == [2, figures | {"train/tokens_per_second": 200.0}]
    assert look == [
        2,
        {
            "validation/loss": 1.5,
            "validation/perplexity": 4.48,
            "validation/accuracy": 0.5,
            "memory": 2**30,
        },
    ]
    assert end == "finished"
    assert [event["event"] for event in read_events(tmp_path / EVENTS)] == [
        "start",
        "step",
        "step",
        "validation",
        "done",
    ]


def test_a_tracker_that_fails_is_left_out_and_the_run_goes_on(tmp_path):
    (tmp_path / "folder").mkdir()
    log = Tracked(EventLog(tmp_path / EVENTS), [Paper(tmp_path / "folder"), Paper(tmp_path / "paper")])
    log.write("step", step=1, seconds=2.0, **STEP)
    log.write("step", step=2, seconds=2.5, **STEP)
    log.close()
    assert len((tmp_path / "paper").read_text().splitlines()) == 3
    [note] = [event["message"] for event in read_events(tmp_path / EVENTS) if event["event"] == "note"]
    assert note.startswith("The tracker paper failed and is left out: [Errno 21]")


@pytest.mark.skipif(find_spec("mlflow") is not None, reason="mlflow is installed")
def test_a_tracker_that_is_not_installed_is_refused_in_words():
    with pytest.raises(MissingExtraError, match=r"trackers names 'mlflow', which is not installed\. .*install mlflow"):
        refuse_missing(TrainSection(trackers=("mlflow",)))


def test_tensorboard_has_the_figures_of_a_run(make_run):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed: pip install 'tunesmith[trackers]'")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run, told = make_run(trackers=("tensorboard",)), []
    child.run(run, told.append)
    kept = EventAccumulator(str(run / "tensorboard"))
    kept.Reload()
    steps = [event for event in told if event["event"] == "step"]
    losses = [(scalar.step, scalar.value) for scalar in kept.Scalars("train/loss")]
    assert losses == [(event["step"], pytest.approx(event["loss"])) for event in steps]
    looks = [event["value"] for event in told if event["event"] == "validation"]
    assert [scalar.value for scalar in kept.Scalars("validation/accuracy")] == pytest.approx(looks)
    assert set(kept.Tags()["scalars"]) >= {"train/grad_norm", "train/tokens_per_second", "memory"}

"""`[train] trackers`: a run's figures for TensorBoard, MLflow or W&B, through accelerate's trackers.

They are told what the events say, by the process that writes them, and change nothing of the run: a tracker that fails
is left out from then on, with a note. Where they keep it: TensorBoard in the run's folder; MLflow and W&B as their own
environment variables say.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunesmith.core.errors import MissingExtraError
from tunesmith.training.events import EventLog
from tunesmith.training.section import TrainSection

PROJECT = "tunesmith"  # of MLflow (an experiment) and W&B, unless MLFLOW_EXPERIMENT_NAME or WANDB_PROJECT says other
OF_STEP = {key: f"train/{key}" for key in ("loss", "learning_rate", "grad_norm", "preferred", "margin")}
OF_VALIDATION = {
    "loss": "validation/loss",
    "perplexity": "validation/perplexity",
    "general_loss": "validation/general_loss",
    "general_score": "validation/general_score",
    "preferred": "validation/preferred",
    "memory": "memory",
}


def refuse_missing(recipe: TrainSection) -> None:
    """Raise MissingExtraError where a tracker's package is not installed."""
    for name in recipe.trackers:
        if find_spec(name) is None:
            raise MissingExtraError(
                f"[train] trackers names {name!r}, which is not installed. Install it: pip install {name}; or take it "
                "out of [train] trackers."
            )


class Tracked(EventLog):
    """A log whose events trackers are told, too."""

    def __init__(self, log: EventLog, trackers: Sequence[Any]):
        self._log, self._trackers = log, list(trackers)
        self._seconds: float | None = None

    def write(self, event: str, **fields: Any) -> None:
        self._log.write(event, **fields)
        values = self._values(event, fields)
        for tracker in list(self._trackers) if values else []:
            self._attempt(tracker, lambda each: each.log(values, step=fields["step"]))

    def close(self) -> None:
        for tracker in list(self._trackers):
            self._attempt(tracker, lambda each: each.finish())

    def _attempt(self, tracker: Any, work: Any) -> None:
        """A server that is away must not cost the run."""
        try:
            work(tracker)
        except Exception as error:
            self._trackers.remove(tracker)
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            self._log.write("note", message=f"The tracker {tracker.name} failed and is left out: {first}")

    def _values(self, event: str, fields: Mapping[str, Any]) -> dict[str, float]:
        if event == "step":
            values = {name: fields[key] for key, name in OF_STEP.items() if key in fields}
            if self._seconds is not None and fields["seconds"] > self._seconds:
                passed = fields["seconds"] - self._seconds
                values["train/tokens_per_second"] = (fields["tokens"] + fields["shared_tokens"]) / passed
            self._seconds = fields["seconds"]
            return values
        if event == "validation":
            values = {name: fields[key] for key, name in OF_VALIDATION.items() if fields.get(key) is not None}
            return values | {f"validation/{fields['metric']}": fields["value"]}
        return {}


@contextlib.contextmanager
def tracking(log: EventLog, recipe: TrainSection, run: Path, step: int | None) -> Iterator[EventLog]:
    """`log`, or one that the recipe's trackers listen to; `step` is where a resumed run goes on."""
    if not recipe.trackers:
        yield log
        return
    tracked = Tracked(log, [_start(name, recipe, run, step) for name in recipe.trackers])
    try:
        yield tracked
    finally:
        tracked.close()


def _start(name: str, recipe: TrainSection, run: Path, step: int | None) -> Any:
    from accelerate import tracking as accelerated  # loads the packages of all trackers that are installed

    made: Any
    if name == "tensorboard":
        # What an earlier execution wrote after its checkpoint is taken back there, too.
        made = accelerated.TensorBoardTracker("tensorboard", logging_dir=run, purge_step=step and step + 1)
    elif name == "mlflow":
        made = accelerated.MLflowTracker(experiment_name=PROJECT, run_name=run.name)
    else:
        made = accelerated.WandBTracker(
            os.environ.get("WANDB_PROJECT", PROJECT), id=run.name, name=run.name, resume="allow", dir=str(run)
        )
    made.start()
    if step is None and name != "tensorboard":  # it would count each execution as a run of its own
        made.store_init_configuration(recipe.recipe)
    return made

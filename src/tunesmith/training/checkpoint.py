"""What a run needs to go on as if it had never stopped: weights, optimiser moments, step, and the best so far.

A checkpoint appears whole or not at all, and the one before it is removed only when it stands (see `saved`). Tensors
are safetensors: nothing is unpickled.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tunesmith.core.errors import TrainingError
from tunesmith.core.files import flush, new_folder, remove, temporary_name, write_json
from tunesmith.training import saved
from tunesmith.training.job import CHECKPOINT
from tunesmith.training.methods import Policy
from tunesmith.training.optimiser import moments, restore_moments

WEIGHTS, STATE, BEST = "weights.safetensors", "moments.safetensors", "best.safetensors"


@dataclass
class Progress:
    """Where the run stands. `best` is the event of the best evaluation; its weights are kept beside."""

    step: int = 0
    seconds: float = 0.0
    examples: int = 0
    stale: int = 0  # evaluations since the best one
    stopped_early: bool = False
    best: dict[str, Any] = field(default_factory=dict)
    general_loss: float | None = None  # before the first step
    general_score: float | None = None  # likewise
    losses: list[float] = field(default_factory=list)  # of the steps since the last evaluation

    def mean_loss(self) -> float | None:
        return sum(self.losses) / len(self.losses) if self.losses else None


class State(NamedTuple):
    """The tensors of a checkpoint, by their names in its files."""

    weights: dict[str, Tensor]
    moments: dict[str, Tensor]
    best: dict[str, Tensor]


def _read(work: Callable[[], State]) -> State:
    return work()


class Checkpoints:
    """Those of one run: `found` is where it goes on, `made_from` what goes into it (see `identity`)."""

    def __init__(self, run: Path, made_from: Mapping[str, Any], found: saved.Standing):
        self._run, self.made_from, self._found = run, dict(made_from), found
        self._last = found.folder

    def clean(self) -> None:
        """Remove checkpoints that are not whole, and what a crash left under a temporary name."""
        newest = self._found.folder
        self._keep({folder for folder in saved.folders(self._run) if newest and folder <= newest})

    def save(
        self, progress: Progress, model: Policy, optimizer: torch.optim.Optimizer, best: dict[str, Tensor]
    ) -> None:
        """Write the checkpoint of `progress.step`; the one before it stays, those before that go."""
        folder = self._run / CHECKPOINT / f"{progress.step:08d}"
        with new_folder(folder) as temporary:
            save_file(model.weights(), temporary / WEIGHTS)
            save_file(moments(optimizer), temporary / STATE)
            if best:
                save_file(best, temporary / BEST)
            for path in temporary.iterdir():
                flush(path)
            write_json(temporary / saved.MANIFEST, saved.manifest(temporary, vars(progress), self.made_from))
            flush(temporary)
        flush(folder.parent)  # or the rename could reach the disk after the removal of the older one
        self._keep({folder, self._last})
        self._last = folder

    def restore(
        self, model: Policy, optimizer: torch.optim.Optimizer, ask: Callable[[Callable[[], State]], State] = _read
    ) -> tuple[Progress, dict[str, Tensor]]:
        """Bring model and optimiser to the saved step; return the progress and the best weights so far.

        `ask` has the files read where they lie: by the main process, for all.
        """
        folder, found = self._found.folder, self._found.checkpoint
        assert folder is not None
        assert found is not None
        state = ask(lambda: State(load_file(folder / WEIGHTS), load_file(folder / STATE), _best(folder, found)))
        if state.weights.keys() != model.named_parameters().keys():
            raise TrainingError(f"The weights in {folder} are not those that this recipe trains. Delete that folder.")
        model.set_weights(state.weights)
        restore_moments(optimizer, state.moments)
        return Progress(**found.progress), state.best

    def drop(self) -> None:
        """The run is done."""
        self._keep(set())
        remove(self._run / CHECKPOINT)

    def _keep(self, wanted: Collection[Path | None]) -> None:
        folder = self._run / CHECKPOINT
        for path in list(folder.iterdir()) if folder.is_dir() else []:
            if path not in wanted:
                _remove(path)


def _best(folder: Path, found: saved.Checkpoint) -> dict[str, Tensor]:
    return load_file(folder / BEST) if BEST in found.files else {}


def _remove(path: Path) -> None:
    """Out of sight at once, then for good: a crash meanwhile must not leave half a folder under a checkpoint's name."""
    if path.is_dir():
        remove(path.rename(temporary_name(path)))
    else:
        path.unlink()

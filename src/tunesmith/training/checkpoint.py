"""What a run needs to go on as if it had never stopped: weights, optimiser moments, step, and the best so far.

A checkpoint is a folder under a name of its own; `checkpoint.json` names the one that counts and is replaced last, so
a crash at any moment leaves a whole one. Tensors are safetensors: nothing is unpickled.
"""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tunesmith.core.files import new_folder, write_json
from tunesmith.training.job import CHECKPOINT
from tunesmith.training.methods import Policy

MOMENTS = ("exp_avg", "exp_avg_sq")
POINTER = "checkpoint.json"


@dataclass
class Progress:
    """Where the run stands. `best` is the event of the best evaluation; its weights are kept beside."""

    step: int = 0
    seconds: float = 0.0
    examples: int = 0
    stale: int = 0  # evaluations since the best one
    stopped_early: bool = False
    best: dict[str, Any] = field(default_factory=dict)


def save(
    run: Path, progress: Progress, model: Policy, optimizer: torch.optim.Optimizer, best: dict[str, Tensor]
) -> None:
    """Write the checkpoint of `progress.step` and drop the one before."""
    name = f"{progress.step:08d}"
    folder = run / CHECKPOINT / name
    if folder.exists():  # the same step again, for instance after an interrupt right behind a checkpoint
        shutil.rmtree(folder)
    with new_folder(folder) as temporary:
        save_file(model.weights(), temporary / "weights.safetensors")
        save_file(_moments(optimizer), temporary / "moments.safetensors")
        if best:
            save_file(best, temporary / "best.safetensors")
    write_json(run / CHECKPOINT / POINTER, {"folder": name, "progress": vars(progress)})
    for other in (run / CHECKPOINT).iterdir():
        if other.is_dir() and other.name != name:
            shutil.rmtree(other, ignore_errors=True)


def saved_step(run: Path) -> int | None:
    pointer = run / CHECKPOINT / POINTER
    return json.loads(pointer.read_text(encoding="utf-8"))["progress"]["step"] if pointer.exists() else None


def restore(run: Path, model: Policy, optimizer: torch.optim.Optimizer) -> tuple[Progress, dict[str, Tensor]]:
    """Bring model and optimiser to the saved step; return the progress and the best weights so far."""
    saved = json.loads((run / CHECKPOINT / POINTER).read_text(encoding="utf-8"))
    folder = run / CHECKPOINT / saved["folder"]
    model.restore(folder / "weights.safetensors")
    _restore_moments(optimizer, load_file(folder / "moments.safetensors"))
    best = folder / "best.safetensors"
    return Progress(**saved["progress"]), load_file(best) if best.exists() else {}


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    tensors: dict[str, Tensor] = {}
    for number, parameter in enumerate(parameters):
        state = optimizer.state[parameter]
        tensors |= {f"{number}.{name}": state[name].detach().cpu().contiguous() for name in MOMENTS}
        tensors[f"{number}.step"] = state["step"].detach().cpu()
    return tensors


def _restore_moments(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for number, parameter in enumerate(parameters):
        state = {name: tensors[f"{number}.{name}"].to(parameter.device) for name in MOMENTS}
        optimizer.state[parameter] = {**state, "step": tensors[f"{number}.step"]}

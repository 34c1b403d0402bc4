"""Several processes, on one machine or more, that train one adapter: data parallel through torch.distributed.

accelerate finds the processes and their devices. The rows of a batch are dealt out by length; a process may have none
of a small one. Gradients travel as one flat tensor, summed, not averaged: each was divided by the normaliser of the
whole batch already. Every process then takes the same step, so weights are never sent but when a run is resumed.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as group
from accelerate.state import PartialState
from torch import Tensor, nn
from transformers import PreTrainedModel

from tunesmith.core import memory
from tunesmith.core.errors import TrainingError
from tunesmith.engines.local.loading import best_dtype, prepare_process
from tunesmith.training import sharded
from tunesmith.training.batches import PackedRow
from tunesmith.training.methods import Policy, load_base
from tunesmith.training.processes import Alone, LostProcessError
from tunesmith.training.rows import Row
from tunesmith.training.section import TrainSection

PATIENCE = timedelta(days=1)  # the others wait for a validation on the main process; who died is noticed at once
LOST = (
    "Another process of this run ended, so this one stopped, too. Run the same command again: it goes on from the "
    "last checkpoint."
)
Found = TypeVar("Found")


class Together(Alone):
    def __init__(self) -> None:
        with _others():
            self._state = PartialState(cpu=os.environ.get("ACCELERATE_USE_CPU") == "true", timeout=PATIENCE)
        self.number, self.count = self._state.process_index, self._state.num_processes
        self.main, self.leads = self._state.is_main_process, self._state.is_local_main_process
        self.device: torch.device = self._state.device
        self._shards = sharded.read_settings()
        self._here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        self._share_cores()

    def __exit__(self, *error: object) -> None:
        if error[0] is None:  # else the others may be gone, and leaving in order would wait for them
            group.destroy_process_group()

    def room(self) -> tuple[torch.device, int | None]:
        """Nobody knows beforehand what is free for the pieces of a model."""
        if self._shards:
            return self.device, None
        if self.device.type == "cuda":
            return self.device, torch.cuda.mem_get_info(self.device)[0]
        free = memory.available()
        return self.device, free and free // self._here

    def load(self, folder: Path, recipe: TrainSection) -> PreTrainedModel:
        """Of a model that is spread, every process reads the whole into main memory first."""
        if self._shards:
            sharded.refuse(recipe)
        place = torch.device("cpu") if self._shards else self.device
        return load_base(folder, recipe, device=place, dtype=best_dtype(self.device))

    def spread(self, model: Policy) -> Policy:
        if self._shards:
            sharded.shard(model, self._shards, self.device)
        return model

    def shares(self, rows: Sequence[Row], together: int) -> list[Sequence[Row]]:
        groups = [rows[begin : begin + together] for begin in range(0, len(rows), together)]
        groups.sort(key=lambda group: sum(len(row.tokens) for row in group))
        return [[row for group in groups[number :: self.count] for row in group] for number in range(self.count)]

    def even(self, packed: Sequence[PackedRow], filler: Callable[[], PackedRow]) -> tuple[PackedRow, ...]:
        if not self._shards:
            return tuple(packed)
        most = torch.tensor(len(packed), device=self.device)
        with _others():
            group.all_reduce(most, op=group.ReduceOp.MAX)
        missing = int(most.item()) - len(packed)
        idle = [replace(row, weights_K=torch.zeros_like(row.weights_K)) for row in [filler()] * missing]
        return (*packed, *idle)

    def seed(self, seed: int, step: int) -> None:
        """Each process draws dropout of its own: the same for all would tie rows together."""
        torch.manual_seed((seed * 1_000_003 + step) * self.count + self.number)

    def total(self, parameters: Iterable[nn.Parameter], own: Sequence[float]) -> Sequence[float]:
        trained = list(parameters)
        flat = torch.cat([_gradient(parameter).flatten() for parameter in trained])
        sums = torch.tensor(own, dtype=torch.float64, device=self.device)
        with _others():
            group.all_reduce(flat)
            group.all_reduce(sums)
        parts = torch.split(flat, [parameter.numel() for parameter in trained])
        for parameter, part in zip(trained, parts, strict=True):
            parameter.grad = part.view_as(parameter)
        found: list[float] = sums.tolist()
        return found

    def ask(self, work: Callable[[], Found]) -> Found:
        return self._from_main(work() if self.main else None)

    def judge(self, look: Callable[[], Found]) -> Found:
        return self._from_main(look() if self.main or self._shards else None)

    def build(self, work: Callable[[], Found]) -> Found:
        made: Found | None = None
        failure: Exception | None = None
        try:
            made = work()
        except Exception as error:
            failure = error
        failed: list[bool] = [False] * self.count
        with _others():
            group.all_gather_object(failed, failure is not None)
        if failure is not None:
            raise failure
        if any(failed):
            raise LostProcessError(LOST)
        return made  # type: ignore[return-value]

    def agree(self, asked: bool) -> bool:
        voices = torch.tensor(int(asked), device=self.device)
        with _others():
            group.all_reduce(voices, op=group.ReduceOp.MAX)
        return bool(voices.item())

    def refuse_drift(self, parameters: Iterable[nn.Parameter]) -> None:
        total = torch.stack([parameter.detach().double().abs().sum() for parameter in parameters]).sum()
        least, most = total.clone(), total.clone()
        with _others():
            group.all_reduce(least, op=group.ReduceOp.MIN)
            group.all_reduce(most, op=group.ReduceOp.MAX)
        if least.item() != most.item():
            raise TrainingError(
                "The processes no longer hold the same weights: their machines round differently. Train on machines "
                "with the same processor and the same libraries; the last checkpoint is the main process's."
            )

    def _from_main(self, found: Found | None) -> Found:
        box: list[Any] = [found]
        with _others():
            group.broadcast_object_list(box, src=0, device=self.device)
        return box[0]  # type: ignore[no-any-return]

    def _share_cores(self) -> None:
        """Processes of one machine divide its cores; each alone would take all of them."""
        prepare_process()
        torch.set_num_threads(max(1, torch.get_num_threads() // self._here))


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


@contextmanager
def _others() -> Iterator[None]:
    """What torch says when a process it waits for is gone, in words; lack of memory is our own."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise LostProcessError(f"{LOST} (torch says: {first})") from None

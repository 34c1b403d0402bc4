"""Who computes which rows of a batch, and who writes: here, the one process that does it all.

The loop asks these questions of every run. Several processes (see `together`) answer them so that the sums are those
of one process: the batch is dealt out, every gradient is divided by the whole batch's normaliser, then they are added.
Nothing of torch.distributed is touched unless `tunesmith train --launch` started the process.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import torch
from torch import nn
from transformers import PreTrainedModel

from tunesmith.core import memory
from tunesmith.core.errors import TrainingError
from tunesmith.engines.local.loading import best_device
from tunesmith.training.batches import PackedRow
from tunesmith.training.launch import LAUNCHED
from tunesmith.training.methods import Policy, load_base
from tunesmith.training.rows import Row
from tunesmith.training.section import TrainSection

Found = TypeVar("Found")
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG in linux/prctl.h


class LostProcessError(TrainingError):
    """Another process of the run ended; what happened there is what its own message says."""


class Alone:
    """One process. `main` writes checkpoints and the adapter; on each machine one process `leads`: it writes events."""

    number = 0
    count = 1
    main = True
    leads = True

    def __enter__(self) -> "Alone":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Leave the group of processes, where there is one."""

    def room(self) -> tuple[torch.device, int | None]:
        """Where this process computes, and the bytes that are free for it there, where that is known."""
        device = best_device()
        return device, torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else memory.available()

    def load(self, folder: Path, recipe: TrainSection) -> PreTrainedModel:
        return load_base(folder, recipe)

    def spread(self, model: Policy) -> Policy:
        """The model, over the processes where the launch asks for it."""
        return model

    def shares(self, rows: Sequence[Row], together: int) -> list[Sequence[Row]]:
        """A batch's rows as each process gets them; `together` that follow each other are never parted."""
        return [rows]

    def share(self, rows: Sequence[Row], together: int) -> Sequence[Row]:
        """This process's part of a batch."""
        return self.shares(rows, together)[self.number]

    def even(self, packed: Sequence[PackedRow], filler: Callable[[], PackedRow]) -> tuple[PackedRow, ...]:
        """This process's packed rows; where the model is spread, as many as any other's: all gather each layer."""
        return tuple(packed)

    def seed(self, seed: int, step: int) -> None:
        """For the dropout of one step."""
        torch.manual_seed(seed * 1_000_003 + step)

    def total(self, parameters: Iterable[nn.Parameter], own: Sequence[float]) -> Sequence[float]:
        """Add up the gradients of all processes in place; the sums over them of what each has of its `own`."""
        return own

    def ask(self, work: Callable[[], Found]) -> Found:
        """What the main process finds, for all."""
        return work()

    def judge(self, look: Callable[[], Found]) -> Found:
        """As `ask`, for what needs the whole model: where it is spread, all take part."""
        return look()

    def build(self, work: Callable[[], Found]) -> Found:
        """Everyone does `work`; where it fails for one, all end instead of waiting for each other."""
        return work()

    def agree(self, asked: bool) -> bool:
        """Whether any process was asked to stop."""
        return asked

    def refuse_drift(self, parameters: Iterable[nn.Parameter]) -> None:
        """The trained weights are the same in all processes."""


def join() -> Alone:
    """The processes of this run. Raises LostProcessError where they do not find each other."""
    if LAUNCHED not in os.environ:
        return Alone()
    _end_with_launcher()
    from tunesmith.training.together import Together

    return Together()


def _end_with_launcher() -> None:
    """A launcher that is killed cannot stop its processes; elsewhere than on Linux they notice at the end of a step."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)

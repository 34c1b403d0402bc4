"""Forward and backward of a batch: the gradients of its mean loss are added to what the parameters hold."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tunesmith.training.batches import Batch, Extent, PackedRow
from tunesmith.training.methods import Policy
from tunesmith.training.objectives import Supervised


class Gradients:
    def __init__(self, policy: Policy, objective: Supervised):
        self.policy, self.objective = policy, objective
        self.parameters = policy.parameters()

    def add(self, batch: Batch) -> float:
        """The batch's mean loss. What a GPU has to compute is handed to it for all packed rows before any is waited
        for."""
        size = self.objective.size(batch)
        return sum(loss.item() for loss in [self.of_packed(packed, size) for packed in batch.packed])

    def of_packed(self, packed: PackedRow, size: float | Tensor) -> Tensor:
        """A packed row's share of the mean loss, which is divided by `size`."""
        loss = self.objective.loss(self.policy, packed) / size
        torch.autograd.backward(loss)
        return loss.detach()

    def layouts(self, packed: Sequence[Extent]) -> int:
        """How many layouts of such packed rows are slow at first, since they will be recorded: here, none."""
        return 0

    def clear(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

"""What is minimised. `Supervised`: the negative log-likelihood of the labelled tokens; `preference.Preference`: DPO.

An objective is a sum over the packed rows of a batch, divided by what the batch weighs, so that neither the layout nor
accumulation changes a gradient.

Axes: K labelled positions, V words of the vocabulary.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from tunesmith.engines.local.virtual import Virtual, row
from tunesmith.training.batches import Batch, PackedRow
from tunesmith.training.methods import Policy


class Supervised:
    def loss(self, policy: Policy, packed: PackedRow) -> Tensor:
        """The sum over a packed row."""
        return negative_log_likelihood(policy.base, packed, policy.virtual())

    def size(self, batch: Batch) -> float:
        """What a batch's sum is divided by."""
        return batch.normaliser

    def sums(self) -> list[float]:
        """Of what was computed since the last call, what `figures` is made from; processes add theirs up."""
        return []

    def figures(self, sums: Sequence[float]) -> dict[str, float]:
        """What a step has to say besides its loss."""
        return {}


def negative_log_likelihood(model: PreTrainedModel, packed: PackedRow, virtual: Virtual | None = None) -> Tensor:
    """The weighted sum (not the mean) over a packed row's labelled tokens, in float32."""
    return (label_losses(model, packed, virtual) * packed.weights_K).sum()


def label_losses(model: PreTrainedModel, packed: PackedRow, virtual: Virtual | None = None) -> Tensor:
    """−log p of every labelled token, in float32. The head sees the positions that predict one and no others."""
    places = (packed.tokens_T, packed.positions_T, packed.keep_K)
    inputs = row(*places) if virtual is None else virtual.inputs(model, *places)
    logits_KV = model(**inputs, use_cache=False, segments=packed.segments).logits[0]
    losses_K: Tensor = _CrossEntropy.apply(logits_KV, packed.targets_K)  # type: ignore[no-untyped-call]
    return losses_K


class _CrossEntropy(torch.autograd.Function):
    """logsumexp(z) − z_target and its gradient, softmax(z) − target, in one visit to the logits."""

    @staticmethod
    def forward(ctx: Any, logits_KV: Tensor, targets_K: Tensor) -> Tensor:
        wide = torch.float64 if logits_KV.dtype == torch.float64 else torch.float32
        logprobs_KV = torch.log_softmax(logits_KV, dim=-1, dtype=wide)
        places_K1 = targets_K.unsqueeze(1)
        told_K1 = logprobs_KV.gather(1, places_K1)
        losses_K = -told_K1.squeeze(1)
        if ctx.needs_input_grad[0]:
            gradient_KV = logprobs_KV.exp_().scatter_(1, places_K1, told_K1.exp() - 1)
            ctx.save_for_backward(gradient_KV.to(logits_KV.dtype))
        return losses_K

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (gradient_KV,) = ctx.saved_tensors
        return gradient_KV * grads[0].unsqueeze(1).to(gradient_KV.dtype), None

"""What is minimised: the negative log-likelihood of the labelled tokens.

Axes: K labelled positions, V words of the vocabulary.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from tunesmith.engines.local.virtual import Virtual, row
from tunesmith.training.batches import PackedRow


def negative_log_likelihood(model: PreTrainedModel, packed: PackedRow, virtual: Virtual | None = None) -> Tensor:
    """The weighted sum (not the mean) over a packed row's labelled tokens, in float32.

    The head sees the positions that predict a label and no others.
    """
    places = (packed.tokens_T, packed.positions_T, packed.keep_K)
    inputs = row(*places) if virtual is None else virtual.inputs(model, *places)
    logits_KV = model(**inputs, use_cache=False, segments=packed.segments).logits[0]
    loss: Tensor = _CrossEntropy.apply(logits_KV, packed.targets_K, packed.weights_K)  # type: ignore[no-untyped-call]
    return loss


class _CrossEntropy(torch.autograd.Function):
    """Σ w (logsumexp(z) − z_target) and its gradient w (softmax(z) − target), in one visit to the logits."""

    @staticmethod
    def forward(ctx: Any, logits_KV: Tensor, targets_K: Tensor, weights_K: Tensor) -> Tensor:
        wide = torch.float64 if logits_KV.dtype == torch.float64 else torch.float32
        logprobs_KV = torch.log_softmax(logits_KV, dim=-1, dtype=wide)
        places_K1 = targets_K.unsqueeze(1)
        loss = -(logprobs_KV.gather(1, places_K1).squeeze(1) * weights_K).sum()
        if ctx.needs_input_grad[0]:
            gradient_KV = logprobs_KV.exp_().scatter_add_(1, places_K1, -torch.ones_like(places_K1, dtype=wide))
            ctx.save_for_backward(gradient_KV.mul_(weights_K.unsqueeze(1)).to(logits_KV.dtype))
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (gradient_KV,) = ctx.saved_tensors
        return gradient_KV * grads[0].to(gradient_KV.dtype), None, None

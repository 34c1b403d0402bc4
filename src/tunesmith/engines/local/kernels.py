"""Softmax attention of one block of queries over one block of keys, together with its normaliser.

`forward` returns the block's output and the logarithm of its softmax denominator, so that blocks can be merged;
`backward` takes the output and the normaliser of the *merged* softmax and gives this block's share of the gradients
(the identity behind ring attention: Liu et al., 2023, arXiv:2310.01889).

On the CPU both are PyTorch's own flash kernels; elsewhere, and where scores are soft-capped, plain products. Axes: B
batch, H heads, Q queries, K keys, D head size. `bias_BHQK` is added to the scores: 0 where a query may look, −inf
where it may not; every query must be allowed at least one key.
"""

from typing import NamedTuple

import torch
from torch import Tensor

flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
flash_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
SHORT = 384  # queries below which PyTorch's bfloat16 backward is up to four times slower than the float32 one


class Look(NamedTuple):
    """How a layer turns queries and keys into scores, and how far back it looks.

    Scores are `scale · q·k`, then `softcap · tanh(score / softcap)` where a cap is set (Gemma 2, arXiv:2408.00118);
    a query sees the keys less than `window` positions before it.
    """

    scale: float
    window: int | None = None
    softcap: float | None = None


def forward(
    q_BHQD: Tensor, k_BHKD: Tensor, v_BHKD: Tensor, look: Look, *, causal: bool, bias_BHQK: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """(out_BHQD, lse_BHQ). `causal` needs as many queries as keys."""
    if _has_flash(q_BHQD, look):
        out, lse = flash(q_BHQD, k_BHKD, v_BHKD, 0.0, causal, attn_mask=bias_BHQK, scale=look.scale)
        return out, lse
    scores = _hide(_scores(q_BHQD, k_BHKD, look), causal, bias_BHQK)
    lse = torch.logsumexp(scores, dim=-1)
    return (scores - lse.unsqueeze(-1)).exp().to(v_BHKD.dtype) @ v_BHKD, lse


def backward(
    grad_BHQD: Tensor,
    q_BHQD: Tensor,
    k_BHKD: Tensor,
    v_BHKD: Tensor,
    out_BHQD: Tensor,
    lse_BHQ: Tensor,
    look: Look,
    *,
    causal: bool,
    bias_BHQK: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients with respect to q, k and v of this block, given output and normaliser of the merged softmax."""
    if _has_flash(q_BHQD, look):
        tensors = (grad_BHQD, q_BHQD, k_BHKD, v_BHKD, out_BHQD)
        if q_BHQD.dtype == torch.bfloat16 and q_BHQD.shape[2] < SHORT:
            tensors = tuple(tensor.float() for tensor in tensors)  # type: ignore[assignment]
            bias_BHQK = None if bias_BHQK is None else bias_BHQK.float()
        dq, dk, dv = flash_backward(*tensors, lse_BHQ, 0.0, causal, attn_mask=bias_BHQK, scale=look.scale)
        return dq.to(q_BHQD.dtype), dk.to(q_BHQD.dtype), dv.to(q_BHQD.dtype)
    scores = _scores(q_BHQD, k_BHKD, look)
    probabilities = (_hide(scores, causal, bias_BHQK) - lse_BHQ.unsqueeze(-1)).exp()
    grad = grad_BHQD.to(scores.dtype)
    delta = (grad * out_BHQD.to(scores.dtype)).sum(-1, keepdim=True)
    ds = probabilities * (grad @ v_BHKD.to(scores.dtype).mT - delta) * look.scale
    if look.softcap is not None:
        ds = ds * (1 - (scores / look.softcap).square())
    dv = (probabilities.mT @ grad).to(v_BHKD.dtype)
    dq, dk = ds @ k_BHKD.to(scores.dtype), ds.mT @ q_BHQD.to(scores.dtype)
    return dq.to(q_BHQD.dtype), dk.to(k_BHKD.dtype), dv


def merge(out_a: Tensor, lse_a: Tensor, out_b: Tensor, lse_b: Tensor) -> tuple[Tensor, Tensor]:
    """One softmax over the keys of both blocks, from the two blocks' outputs (…, D) and normalisers (…)."""
    lse = torch.logaddexp(lse_a, lse_b)
    out = out_a * (lse_a - lse).exp().unsqueeze(-1).to(out_a.dtype)
    return out + out_b * (lse_b - lse).exp().unsqueeze(-1).to(out_b.dtype), lse


def bias(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where `allowed`, −inf elsewhere."""
    return torch.zeros(allowed.shape, dtype=dtype, device=allowed.device).masked_fill_(~allowed, float("-inf"))


def _has_flash(tensor: Tensor, look: Look) -> bool:
    return tensor.device.type == "cpu" and look.softcap is None


def _scores(q: Tensor, k: Tensor, look: Look) -> Tensor:
    """In float32, or in float64 where that is the model's."""
    wide = torch.float64 if q.dtype == torch.float64 else torch.float32
    scores = (q.to(wide) @ k.to(wide).mT) * look.scale
    return scores if look.softcap is None else look.softcap * torch.tanh(scores / look.softcap)


def _hide(scores: Tensor, causal: bool, bias: Tensor | None) -> Tensor:
    if causal:
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(hidden, float("-inf"))
    return scores if bias is None else scores + bias

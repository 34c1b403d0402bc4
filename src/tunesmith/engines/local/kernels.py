"""Softmax attention of one block of queries over one block of keys, together with its normaliser.

`forward` returns the block's output and the logarithm of its softmax denominator, so that blocks can be merged;
`backward` takes the output and the normaliser of the *merged* softmax and gives this block's share of the gradients
(the identity behind ring attention: Liu et al., 2023, arXiv:2310.01889).

On the CPU both are PyTorch's own flash kernels; elsewhere plain products. Axes: B batch, H heads, Q queries, K keys,
D head size. `bias_BHQK` is added to the scores: 0 where a query may look, −inf where it may not.
"""

import torch
from torch import Tensor

flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
flash_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
SHORT = 384  # queries below which PyTorch's bfloat16 backward is up to four times slower than the float32 one


def has_flash(tensor: Tensor) -> bool:
    return tensor.device.type == "cpu"


def forward(
    q_BHQD: Tensor, k_BHKD: Tensor, v_BHKD: Tensor, scale: float, *, causal: bool, bias_BHQK: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """(out_BHQD, lse_BHQ). `causal` needs as many queries as keys. Every query must be allowed at least one key."""
    if has_flash(q_BHQD):
        out, lse = flash(q_BHQD, k_BHKD, v_BHKD, 0.0, causal, attn_mask=bias_BHQK, scale=scale)
        return out, lse
    scores = _scores(q_BHQD, k_BHKD, scale, causal, bias_BHQK)
    lse = torch.logsumexp(scores, dim=-1)
    return (scores - lse.unsqueeze(-1)).exp().to(v_BHKD.dtype) @ v_BHKD, lse


def backward(
    grad_BHQD: Tensor,
    q_BHQD: Tensor,
    k_BHKD: Tensor,
    v_BHKD: Tensor,
    out_BHQD: Tensor,
    lse_BHQ: Tensor,
    scale: float,
    *,
    causal: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients with respect to q, k and v of this block, given output and normaliser of the merged softmax."""
    if has_flash(q_BHQD):
        tensors = (grad_BHQD, q_BHQD, k_BHKD, v_BHKD, out_BHQD)
        if q_BHQD.dtype == torch.bfloat16 and q_BHQD.shape[2] < SHORT:
            tensors = tuple(tensor.float() for tensor in tensors)  # type: ignore[assignment]
        dq, dk, dv = flash_backward(*tensors, lse_BHQ, 0.0, causal, attn_mask=None, scale=scale)
        return dq.to(q_BHQD.dtype), dk.to(q_BHQD.dtype), dv.to(q_BHQD.dtype)
    probabilities = (_scores(q_BHQD, k_BHKD, scale, causal, None) - lse_BHQ.unsqueeze(-1)).exp()
    grad = grad_BHQD.float()
    delta = (grad * out_BHQD.float()).sum(-1, keepdim=True)
    ds = probabilities * (grad @ v_BHKD.float().mT - delta) * scale
    dv = (probabilities.mT @ grad).to(v_BHKD.dtype)
    return (ds @ k_BHKD.float()).to(q_BHQD.dtype), (ds.mT @ q_BHQD.float()).to(k_BHKD.dtype), dv


def _scores(q: Tensor, k: Tensor, scale: float, causal: bool, bias: Tensor | None) -> Tensor:
    scores = (q.float() @ k.float().mT) * scale
    if causal:
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
        scores = scores.masked_fill(hidden, float("-inf"))
    return scores if bias is None else scores + bias


def merge(out_a: Tensor, lse_a: Tensor, out_b: Tensor, lse_b: Tensor) -> tuple[Tensor, Tensor]:
    """One softmax over the keys of both blocks, from the two blocks' outputs (…, D) and normalisers (…)."""
    lse = torch.logaddexp(lse_a, lse_b)
    out = out_a * (lse_a - lse).exp().unsqueeze(-1).to(out_a.dtype)
    return out + out_b * (lse_b - lse).exp().unsqueeze(-1).to(out_b.dtype), lse

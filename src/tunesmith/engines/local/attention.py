"""Shared-prefix attention: one packed row, in which the tokens that all branches begin with stand once.

    row:       prefix … | branch 0 … | branch 1 … | …
    positions: 0 … P−1  | P …        | P …        | …

A branch attends to the prefix and, causally, to itself; never to another branch. Attention to the prefix is one
product over all branches at once, merged with each branch's own part through the softmax's normaliser; the prefix's
keys and values are never expanded to the branches. Generation, label scoring and training call the same function: in
a training row the prefix stands in the row, later it is remembered (`Memory`) and the row holds new tokens only.

The segment table travels as a keyword argument of the model's forward, never through a global, so that a
recomputation under checkpointing sees the one it belongs to.

Axes: T tokens of the row, P prefix, N branch tokens, H query heads, G key heads, R query heads per key head,
D head size, B branches, L longest branch, M longest remembered branch.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

from tunesmith.engines.local import kernels
from tunesmith.engines.local.memory import Memory

NAME = "tunesmith_shared_prefix"
UNSUPPORTED = ("sliding_window", "softcap", "s_aux")


@dataclass(frozen=True)
class Segments:
    """How the packed row divides: `prefix` tokens, then branches of these `lengths` (none may be empty).

    `slots_N` is each branch token's place in the padded (B · L) layout. `bias_B1LK`, only with a memory, says what
    each new token may look at among the remembered and the new tokens of its branch; without it a branch is causal.
    """

    prefix: int
    lengths: tuple[int, ...]
    slots_N: Tensor
    bias_B1LK: Tensor | None = None

    @property
    def longest(self) -> int:
        return max(self.lengths, default=0)

    @classmethod
    def of(
        cls, prefix: int, lengths: tuple[int, ...], device: torch.device, bias_B1LK: Tensor | None = None
    ) -> "Segments":
        longest = max(lengths, default=0)
        slots = [branch * longest + offset for branch, size in enumerate(lengths) for offset in range(size)]
        return cls(prefix, lengths, torch.tensor(slots, dtype=torch.long, device=device), bias_B1LK)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float,
    segments: Segments,
    memory: Memory | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """The attention function that transformers calls in every layer: query (1, H, T, D) → (1, T, H, D)."""
    wanted = [name for name in UNSUPPORTED if others.get(name) is not None]
    assert not wanted, f"shared-prefix attention does not know {wanted}; loading refuses such models"
    assert attention_mask is None, "the segment table says who attends to whom"
    if memory is None:
        out_THD = SharedPrefixAttention.apply(query[0], key[0], value[0], segments, scaling)  # type: ignore[no-untyped-call]
    else:
        layer: int = module.layer_idx  # type: ignore[assignment]
        out_THD = _attend_remembering(query[0], key[0], value[0], segments, scaling, memory, layer)
    return out_THD.unsqueeze(0), None


AttentionInterface.register(NAME, attend)


class SharedPrefixAttention(torch.autograd.Function):
    """Forward and backward of one packed row without a memory. Saves inputs, output and normalisers only."""

    @staticmethod
    def forward(
        ctx: Any, q_HTD: Tensor, k_GTD: Tensor, v_GTD: Tensor, segments: Segments, scale: float
    ) -> Tensor:  # out_THD
        prefix, heads = segments.prefix, q_HTD.shape[0]
        out_HTD = torch.empty_like(q_HTD)
        lse_HT = torch.empty(q_HTD.shape[:2], dtype=_lse_dtype(q_HTD), device=q_HTD.device)
        if prefix:
            out, lse = kernels.forward(
                q_HTD[None, :, :prefix],
                _repeat(k_GTD[:, :prefix], heads)[None],
                _repeat(v_GTD[:, :prefix], heads)[None],
                scale,
                causal=True,
            )
            out_HTD[:, :prefix], lse_HT[:, :prefix] = out[0], lse[0]
        if segments.lengths:
            q, k, v = q_HTD[:, prefix:], k_GTD[:, prefix:], v_GTD[:, prefix:]
            out, lse = _local_forward(q, k, v, segments, scale)
            if prefix:
                shared = _shared_forward(q, k_GTD[:, :prefix], v_GTD[:, :prefix], scale)
                out, lse = kernels.merge(*shared, out, lse)
            out_HTD[:, prefix:], lse_HT[:, prefix:] = out, lse
        ctx.save_for_backward(q_HTD, k_GTD, v_GTD, out_HTD, lse_HT)
        ctx.segments, ctx.scale = segments, scale
        return out_HTD.transpose(0, 1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        q_HTD, k_GTD, v_GTD, out_HTD, lse_HT = ctx.saved_tensors
        segments, scale, prefix, heads = ctx.segments, ctx.scale, ctx.segments.prefix, q_HTD.shape[0]
        grad_HTD = grads[0].transpose(0, 1)
        dq_HTD, dk_GTD, dv_GTD = torch.empty_like(q_HTD), torch.zeros_like(k_GTD), torch.zeros_like(v_GTD)
        if prefix:
            dq, dk, dv = kernels.backward(
                grad_HTD[None, :, :prefix].contiguous(),
                q_HTD[None, :, :prefix],
                _repeat(k_GTD[:, :prefix], heads)[None],
                _repeat(v_GTD[:, :prefix], heads)[None],
                out_HTD[None, :, :prefix],
                lse_HT[None, :, :prefix],
                scale,
                causal=True,
            )
            dq_HTD[:, :prefix] = dq[0]
            dk_GTD[:, :prefix], dv_GTD[:, :prefix] = _unrepeat(dk[0], k_GTD.shape[0]), _unrepeat(dv[0], k_GTD.shape[0])
        if segments.lengths:
            rest = slice(prefix, None)
            parts = (grad_HTD[:, rest], q_HTD[:, rest], out_HTD[:, rest], lse_HT[:, rest])
            dq, dk_GTD[:, rest], dv_GTD[:, rest] = _local_backward(
                *parts, k_GTD[:, rest], v_GTD[:, rest], segments, scale
            )
            if prefix:
                dq_shared, dk, dv = _shared_backward(*parts, k_GTD[:, :prefix], v_GTD[:, :prefix], scale)
                dq += dq_shared
                dk_GTD[:, :prefix] += dk
                dv_GTD[:, :prefix] += dv
            dq_HTD[:, rest] = dq
        return dq_HTD, dk_GTD, dv_GTD, None, None


def _attend_remembering(
    q_HND: Tensor, k_GND: Tensor, v_GND: Tensor, segments: Segments, scale: float, memory: Memory, layer: int
) -> Tensor:  # out_NHD
    """New tokens of known branches against the remembered prefix, the remembered branches, and themselves."""
    assert segments.prefix == 0, "with a memory the prefix is remembered, not in the row"
    heads = q_HND.shape[0]
    q, k, v = (_pad(x, segments) for x in (q_HND, k_GND, v_GND))
    k, v = memory.extend(layer, k, v)
    bias = segments.bias_B1LK
    out_BHLD, lse_BHL = kernels.forward(
        q, _repeat(k, heads, 1), _repeat(v, heads, 1), scale, causal=bias is None, bias_BHQK=bias
    )
    out, lse = _unpad(out_BHLD, segments), _unpad(lse_BHL.unsqueeze(-1), segments).squeeze(-1)
    shared = memory.prefix(layer)
    if shared is not None:
        out, _ = kernels.merge(*_shared_forward(q_HND, *shared, scale), out, lse)
    return out.transpose(0, 1)


def _shared_forward(q_HND: Tensor, k_GPD: Tensor, v_GPD: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """All branch tokens against the prefix: the query heads of one key head are folded into one long product."""
    out, lse = kernels.forward(_fold(q_HND, k_GPD)[None], k_GPD[None], v_GPD[None], scale, causal=False)
    return out.reshape(q_HND.shape), lse.reshape(q_HND.shape[:2])


def _shared_backward(
    grad_HND: Tensor, q_HND: Tensor, out_HND: Tensor, lse_HN: Tensor, k_GPD: Tensor, v_GPD: Tensor, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    grad, q, out = (_fold(x, k_GPD)[None] for x in (grad_HND, q_HND, out_HND))
    lse = lse_HN.reshape(1, k_GPD.shape[0], -1)
    dq, dk, dv = kernels.backward(grad, q, k_GPD[None], v_GPD[None], out, lse, scale, causal=False)
    return dq.reshape(q_HND.shape), dk[0], dv[0]


def _local_forward(
    q_HND: Tensor, k_GND: Tensor, v_GND: Tensor, segments: Segments, scale: float
) -> tuple[Tensor, Tensor]:
    """Every branch against itself, causally, padded to the longest. Padding comes last: no real token sees it."""
    heads = q_HND.shape[0]
    k, v = (_repeat(_pad(x, segments), heads, 1) for x in (k_GND, v_GND))
    out, lse = kernels.forward(_pad(q_HND, segments), k, v, scale, causal=True)
    return _unpad(out, segments), _unpad(lse.unsqueeze(-1), segments).squeeze(-1)


def _local_backward(
    grad_HND: Tensor,
    q_HND: Tensor,
    out_HND: Tensor,
    lse_HN: Tensor,
    k_GND: Tensor,
    v_GND: Tensor,
    segments: Segments,
    scale: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Padded queries carry no gradient (grad and out are 0 there), whatever their normaliser; 0 keeps it finite."""
    heads, key_heads = q_HND.shape[0], k_GND.shape[0]
    grad, q, out = (_pad(x, segments) for x in (grad_HND, q_HND, out_HND))
    lse = _pad(lse_HN.unsqueeze(-1), segments).squeeze(-1)
    k, v = (_repeat(_pad(x, segments), heads, 1) for x in (k_GND, v_GND))
    dq, dk, dv = kernels.backward(grad, q, k, v, out, lse, scale, causal=True)
    dq, dk, dv = (_unpad(x, segments) for x in (dq, dk, dv))
    return dq, _unrepeat(dk, key_heads), _unrepeat(dv, key_heads)


def _pad(x_XND: Tensor, segments: Segments) -> Tensor:  # (B, X, L, D)
    size, width = x_XND.shape[0], x_XND.shape[-1]
    padded = x_XND.new_zeros(len(segments.lengths) * segments.longest, size, width)
    padded[segments.slots_N] = x_XND.transpose(0, 1)
    return padded.view(len(segments.lengths), segments.longest, size, width).transpose(1, 2)


def _unpad(x_BXLD: Tensor, segments: Segments) -> Tensor:  # (X, N, D)
    flat = x_BXLD.transpose(1, 2).reshape(-1, x_BXLD.shape[1], x_BXLD.shape[-1])
    return flat[segments.slots_N].transpose(0, 1)


def _fold(x_HND: Tensor, like_GPD: Tensor) -> Tensor:  # (G, R · N, D)
    return x_HND.reshape(like_GPD.shape[0], -1, x_HND.shape[-1])


def _repeat(x: Tensor, heads: int, axis: int = 0) -> Tensor:
    """Key heads → query heads."""
    times = heads // x.shape[axis]
    return x if times == 1 else x.repeat_interleave(times, dim=axis)


def _unrepeat(x_HND: Tensor, key_heads: int) -> Tensor:
    """The sum over the query heads of each key head: the gradient of `_repeat`."""
    return x_HND.reshape(key_heads, -1, *x_HND.shape[1:]).sum(1)


def _lse_dtype(x: Tensor) -> torch.dtype:
    return torch.float64 if x.dtype == torch.float64 else torch.float32

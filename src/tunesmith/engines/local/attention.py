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

import itertools
from collections.abc import Sequence
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
class Padding:
    """Some branches side by side, padded to the longest of them: (branches, longest).

    `tokens_N` are their tokens' places behind the prefix, `slots_N` the same tokens' places in the padded layout.
    """

    branches: int
    longest: int
    tokens_N: Tensor
    slots_N: Tensor


@dataclass(frozen=True)
class Segments:
    """How the packed row divides: `prefix` tokens, then branches (none may be empty).

    Branches of like length are padded together. `bias_B1LK`, only with a memory and then with a single padding, says
    what each new token may look at among the remembered and the new tokens of its branch; without it a branch is
    causal.
    """

    prefix: int
    paddings: tuple[Padding, ...]
    bias_B1LK: Tensor | None = None

    @classmethod
    def of(cls, prefix: int, lengths: Sequence[int], device: torch.device) -> "Segments":
        """A row that stands alone. Padding to the next power of two at most wastes little, in few products."""
        by_size: dict[int, list[int]] = {}
        for branch, length in enumerate(lengths):
            by_size.setdefault(max(length - 1, 15).bit_length(), []).append(branch)
        return cls(prefix, tuple(_padding(lengths, branches, device) for branches in by_size.values()))

    @classmethod
    def remembering(cls, lengths: Sequence[int], device: torch.device, bias_B1LK: Tensor | None) -> "Segments":
        """New tokens of remembered branches, one branch each, in order."""
        return cls(0, (_padding(lengths, range(len(lengths)), device),), bias_B1LK)


def _padding(lengths: Sequence[int], branches: Sequence[int], device: torch.device) -> Padding:
    starts = [0, *itertools.accumulate(lengths)]
    longest = max(lengths[branch] for branch in branches)
    tokens = [place for branch in branches for place in range(starts[branch], starts[branch + 1])]
    slots = [row * longest + offset for row, branch in enumerate(branches) for offset in range(lengths[branch])]
    return Padding(len(branches), longest, torch.tensor(tokens, device=device), torch.tensor(slots, device=device))


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
        if segments.paddings:
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
        if segments.paddings:
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
    heads, (padding,) = q_HND.shape[0], segments.paddings
    q, k, v = (_pad(x, padding) for x in (q_HND, k_GND, v_GND))
    k, v = memory.extend(layer, k, v)
    bias = segments.bias_B1LK
    out_BHLD, lse_BHL = kernels.forward(
        q, _repeat(k, heads, 1), _repeat(v, heads, 1), scale, causal=bias is None, bias_BHQK=bias
    )
    out, lse = _unpad(out_BHLD, padding), _unpad(lse_BHL.unsqueeze(-1), padding).squeeze(-1)
    shared = memory.prefix(layer)
    if shared is not None:
        out, _ = kernels.merge(*_shared_forward(q_HND, *shared, scale), out, lse)
    return out.transpose(0, 1)


def _shared_forward(q_HND: Tensor, k_GPD: Tensor, v_GPD: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """All branch tokens against the prefix, whose keys and values stand once, also for several query heads."""
    q = _by_key_head(q_HND, k_GPD)
    out, lse = kernels.forward(q, _for_all(k_GPD, q), _for_all(v_GPD, q), scale, causal=False)
    return out.transpose(0, 1).reshape(q_HND.shape), lse.transpose(0, 1).reshape(q_HND.shape[:2])


def _shared_backward(
    grad_HND: Tensor, q_HND: Tensor, out_HND: Tensor, lse_HN: Tensor, k_GPD: Tensor, v_GPD: Tensor, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    grad, q, out = (_by_key_head(x, k_GPD) for x in (grad_HND, q_HND, out_HND))
    lse = _by_key_head(lse_HN.unsqueeze(-1), k_GPD).squeeze(-1).contiguous()
    dq, dk, dv = kernels.backward(grad, q, _for_all(k_GPD, q), _for_all(v_GPD, q), out, lse, scale, causal=False)
    return dq.transpose(0, 1).reshape(q_HND.shape), dk.sum(0), dv.sum(0)


def _local_forward(
    q_HND: Tensor, k_GND: Tensor, v_GND: Tensor, segments: Segments, scale: float
) -> tuple[Tensor, Tensor]:
    """Every branch against itself, causally. Padding comes last in a branch: no real token sees it."""
    heads = q_HND.shape[0]
    out_HND = torch.empty_like(q_HND)
    lse_HN = torch.empty(q_HND.shape[:2], dtype=_lse_dtype(q_HND), device=q_HND.device)
    for padding in segments.paddings:
        k, v = (_repeat(_pad(x, padding), heads, 1) for x in (k_GND, v_GND))
        out, lse = kernels.forward(_pad(q_HND, padding), k, v, scale, causal=True)
        out_HND[:, padding.tokens_N] = _unpad(out, padding)
        lse_HN[:, padding.tokens_N] = _unpad(lse.unsqueeze(-1), padding).squeeze(-1)
    return out_HND, lse_HN


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
    gradients = [torch.empty_like(x) for x in (q_HND, k_GND, v_GND)]
    for padding in segments.paddings:
        grad, q, out = (_pad(x, padding) for x in (grad_HND, q_HND, out_HND))
        lse = _pad(lse_HN.unsqueeze(-1), padding).squeeze(-1)
        k, v = (_repeat(_pad(x, padding), heads, 1) for x in (k_GND, v_GND))
        dq, dk, dv = (_unpad(x, padding) for x in kernels.backward(grad, q, k, v, out, lse, scale, causal=True))
        for whole, part in zip(gradients, (dq, _unrepeat(dk, key_heads), _unrepeat(dv, key_heads)), strict=True):
            whole[:, padding.tokens_N] = part
    return gradients[0], gradients[1], gradients[2]


def _pad(x_XND: Tensor, padding: Padding) -> Tensor:  # (B, X, L, D)
    size, width = x_XND.shape[0], x_XND.shape[-1]
    padded = x_XND.new_zeros(padding.branches * padding.longest, size, width)
    padded[padding.slots_N] = x_XND.transpose(0, 1)[padding.tokens_N]
    return padded.view(padding.branches, padding.longest, size, width).transpose(1, 2)


def _unpad(x_BXLD: Tensor, padding: Padding) -> Tensor:  # (X, N, D)
    flat = x_BXLD.transpose(1, 2).reshape(-1, x_BXLD.shape[1], x_BXLD.shape[-1])
    return flat[padding.slots_N].transpose(0, 1)


def _by_key_head(x_HND: Tensor, like_GPD: Tensor) -> Tensor:
    """(R, G, N, D): the R query heads of each key head, as a batch."""
    return x_HND.view(like_GPD.shape[0], -1, *x_HND.shape[1:]).transpose(0, 1)


def _for_all(x_GPD: Tensor, like_RGND: Tensor) -> Tensor:
    """(R, G, P, D), a view: every query head reads the same keys."""
    return x_GPD.expand(like_RGND.shape[0], *x_GPD.shape)


def _repeat(x: Tensor, heads: int, axis: int = 0) -> Tensor:
    """Key heads → query heads."""
    times = heads // x.shape[axis]
    return x if times == 1 else x.repeat_interleave(times, dim=axis)


def _unrepeat(x_HND: Tensor, key_heads: int) -> Tensor:
    """The sum over the query heads of each key head: the gradient of `_repeat`."""
    return x_HND.reshape(key_heads, -1, *x_HND.shape[1:]).sum(1)


def _lse_dtype(x: Tensor) -> torch.dtype:
    return torch.float64 if x.dtype == torch.float64 else torch.float32

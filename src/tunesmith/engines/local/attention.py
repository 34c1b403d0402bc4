"""Shared-prefix attention: one packed row, in which the tokens that several rows begin with stand once.

    row:       prompt … | branch 0 … | branch 1 … | …
    positions: 0 … P−1  | P …        | P …        | …

A branch attends to the segments above it and, causally, to itself; never to another branch (`segments.py`). Attention
to a shared segment is one product over all its readers at once, merged with each branch's own part through the
softmax's normaliser; the segment's keys and values are never expanded to the branches. Generation, label scoring and
training call the same function: in a training row the prompt stands in the row, later it is remembered (`Memory`) and
the row holds new tokens only. Layers with a window see less far back, by the distance of positions; soft caps apply
before the merge.

The segment table travels as a keyword argument of the model's forward, never through a global, so that a
recomputation under checkpointing sees the one it belongs to.

Axes: T tokens of the row, P shared tokens, N their readers, H query heads, G key heads, R query heads per key head,
D head size, B branches, L longest branch, M longest remembered branch.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

from tunesmith.engines.local import flash, kernels
from tunesmith.engines.local.kernels import Look
from tunesmith.engines.local.memory import Memory, Pair
from tunesmith.engines.local.segments import Padding, Read, Seen, Segments

NAME = "tunesmith_shared_prefix"
UNSUPPORTED = ("s_aux",)


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
    virtual: tuple[Pair, ...] | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """The attention function that transformers calls in every layer: query (1, H, T, D) → (1, T, H, D).

    `virtual` holds each layer's keys and values (G, V, D) of tokens that stand before the row and ask nothing.
    """
    wanted = [name for name in UNSUPPORTED if others.get(name) is not None]
    assert not wanted, f"shared-prefix attention does not know {wanted}; loading refuses such models"
    assert attention_mask is None, "the segment table says who attends to whom"
    look = Look(scaling, sliding_window, softcap)
    layer: int = module.layer_idx  # type: ignore[assignment]
    q_HTD, k_GTD, v_GTD = query[0], key[0], value[0]
    if memory is not None:
        out_THD = _attend_remembering(q_HTD, k_GTD, v_GTD, segments, look, memory, layer)
    elif virtual is not None:
        out_THD = _attend_behind(virtual[layer], q_HTD, k_GTD, v_GTD, segments, look)
    else:
        out_THD = SharedPrefixAttention.apply(q_HTD, k_GTD, v_GTD, segments, look)  # type: ignore[no-untyped-call]
    return out_THD.unsqueeze(0), None


AttentionInterface.register(NAME, attend)


class SharedPrefixAttention(torch.autograd.Function):
    """Forward and backward of one packed row without a memory. Saves inputs, output and normalisers only."""

    @staticmethod
    def forward(
        ctx: Any, q_HTD: Tensor, k_GTD: Tensor, v_GTD: Tensor, segments: Segments, look: Look
    ) -> Tensor:  # out_THD
        out_HTD, lse_HT = _local_forward(q_HTD, k_GTD, v_GTD, segments, look)
        for read in segments.reads(look.window, q_HTD):
            keys, readers = read.keys, read.readers
            shared = _shared_forward(q_HTD[:, readers], k_GTD[:, keys], v_GTD[:, keys], look, read)
            out_HTD[:, readers], lse_HT[:, readers] = kernels.merge(*shared, out_HTD[:, readers], lse_HT[:, readers])
        ctx.save_for_backward(q_HTD, k_GTD, v_GTD, out_HTD, lse_HT)
        ctx.segments, ctx.look = segments, look
        return out_HTD.transpose(0, 1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        q_HTD, k_GTD, v_GTD, out_HTD, lse_HT = ctx.saved_tensors
        segments, look = ctx.segments, ctx.look
        grad_HTD = grads[0].transpose(0, 1)
        dq_HTD, dk_GTD, dv_GTD = _local_backward(grad_HTD, q_HTD, k_GTD, v_GTD, out_HTD, lse_HT, segments, look)
        for read in segments.reads(look.window, q_HTD):
            keys, readers = read.keys, read.readers
            grad, q, out = grad_HTD[:, readers], q_HTD[:, readers], out_HTD[:, readers]
            dq, dk, dv = _shared_backward(grad, q, out, lse_HT[:, readers], k_GTD[:, keys], v_GTD[:, keys], look, read)
            dq_HTD[:, readers] += dq
            dk_GTD[:, keys] += dk
            dv_GTD[:, keys] += dv
        return dq_HTD, dk_GTD, dv_GTD, None, None


def _attend_behind(
    virtual: Pair, q_HTD: Tensor, k_GTD: Tensor, v_GTD: Tensor, segments: Segments, look: Look
) -> Tensor:  # out_THD
    """The row behind virtual keys and values, which the segment table counts as its first tokens."""
    k_GVD, v_GVD = (x.to(q_HTD.dtype) for x in virtual)
    nobody = q_HTD.new_zeros(q_HTD.shape[0], k_GVD.shape[1], q_HTD.shape[2])
    q, k, v = torch.cat([nobody, q_HTD], 1), torch.cat([k_GVD, k_GTD], 1), torch.cat([v_GVD, v_GTD], 1)
    out_THD: Tensor = SharedPrefixAttention.apply(q, k, v, segments, look)  # type: ignore[no-untyped-call]
    return out_THD[k_GVD.shape[1] :]


def _attend_remembering(
    q_HND: Tensor, k_GND: Tensor, v_GND: Tensor, segments: Segments, look: Look, memory: Memory, layer: int
) -> Tensor:  # out_NHD
    """New tokens of known branches against the remembered prefix, the remembered branches, and themselves."""
    assert not segments.shared, "with a memory the prefix is remembered, not in the row"
    (padding,) = segments.paddings
    shared = memory.prefix(layer)
    before = 0 if shared is None else shared[0].shape[1]
    k_BGKD, v_BGKD = memory.extend(layer, k_GND, v_GND, padding)
    out_HND, lse_HN = torch.empty_like(q_HND), _empty_lse(q_HND)
    if not segments.seen:
        part = _attend_first(padding.pad(q_HND), k_BGKD, v_BGKD, look)
        _unpad(padding, part, out_HND, lse_HN)
    for seen in segments.seen:
        k, v = (x if seen.branches is None else x[seen.branches] for x in (k_BGKD, v_BGKD))
        part = _attend_grouped(seen.padding.pad(q_HND), k, v, look, _bias(seen, segments, look.window, q_HND))
        _unpad(seen.padding, part, out_HND, lse_HN)
    if shared is not None:
        read = segments.behind(before, look.window, q_HND)
        if read is not None:
            behind = _shared_forward(q_HND[:, read.readers], *shared, look, read)
            out_HND[:, read.readers], _ = kernels.merge(*behind, out_HND[:, read.readers], lse_HN[:, read.readers])
    return out_HND.transpose(0, 1)


def _unpad(padding: Padding, part: tuple[Tensor, Tensor], out_HND: Tensor, lse_HN: Tensor) -> None:
    padding.unpad(part[0], out_HND)
    padding.unpad(part[1].unsqueeze(-1), lse_HN.unsqueeze(-1))


def _attend_first(q_BHLD: Tensor, k_BGLD: Tensor, v_BGLD: Tensor, look: Look) -> tuple[Tensor, Tensor]:
    """Branches that remember nothing yet."""
    causal, bias = _causal(q_BHLD.shape[2], look, q_BHLD)
    k, v = (_repeat(x, q_BHLD.shape[1], 1) for x in (k_BGLD, v_BGLD))
    return kernels.forward(q_BHLD, k, v, look, causal=causal, bias_BHQK=bias)


def _attend_grouped(
    q_BHLD: Tensor, k_BGKD: Tensor, v_BGKD: Tensor, look: Look, bias_B1LK: Tensor
) -> tuple[Tensor, Tensor]:
    """The query heads of a key head as further queries, so that what is remembered is read where it lies."""
    branches, heads, length, size = q_BHLD.shape
    times = heads // k_BGKD.shape[1]
    q = q_BHLD.reshape(branches, -1, times * length, size)
    bias = bias_B1LK.repeat(1, 1, times, 1)
    out, lse = kernels.forward(q, k_BGKD, v_BGKD, look, causal=False, bias_BHQK=bias)
    return out.reshape(q_BHLD.shape), lse.reshape(branches, heads, length)


def _bias(seen: Seen, segments: Segments, window: int | None, like: Tensor) -> Tensor:
    """(B, 1, L, K): the bias of what is seen, with −inf also where a key stands too far back for the window. Padding
    has position 0, from which no key is far."""
    if window is None:
        return seen.bias_B1LK
    positions_BL = seen.padding.pad(segments.positions_T[None, :, None])[:, 0, :, 0]
    near_BLK = positions_BL.unsqueeze(2) - seen.keys_BK.unsqueeze(1) < window
    return seen.bias_B1LK + kernels.bias(near_BLK.unsqueeze(1), like.dtype)


def _causal(length: int, look: Look, like: Tensor) -> tuple[bool, Tensor | None]:
    """How a segment sees itself: causally, and under a shorter window through a bias."""
    if look.window is None or length <= look.window:
        return True, None
    place = torch.arange(length, device=like.device)
    distance = place.unsqueeze(1) - place
    return False, kernels.bias((distance >= 0) & (distance < look.window), like.dtype)[None, None]


def _local_forward(
    q_HTD: Tensor, k_GTD: Tensor, v_GTD: Tensor, segments: Segments, look: Look
) -> tuple[Tensor, Tensor]:
    """Every segment against itself."""
    if flash.fits(q_HTD, look):
        return flash.forward(q_HTD, k_GTD, v_GTD, look, segments.own, segments.own, causal=True)
    out_HTD, lse_HT = torch.empty_like(q_HTD), _empty_lse(q_HTD)
    for padding in segments.paddings:
        q, k, v = padding.pad(q_HTD), _repeated(k_GTD, q_HTD, padding), _repeated(v_GTD, q_HTD, padding)
        causal, bias = _causal(padding.longest, look, q_HTD)
        part = kernels.forward(q, k, v, look, causal=causal, bias_BHQK=bias)
        _unpad(padding, part, out_HTD, lse_HT)
    return out_HTD, lse_HT


def _shared_forward(q_HND: Tensor, k_GPD: Tensor, v_GPD: Tensor, look: Look, read: Read) -> tuple[Tensor, Tensor]:
    """All readers against a shared segment, whose keys and values stand once, also for several query heads."""
    if read.bias_NK is None and flash.fits(q_HND, look):
        return flash.forward(q_HND, k_GPD, v_GPD, look, read.asking, read.asked, causal=False)
    q = _by_key_head(q_HND, k_GPD)
    out, lse = kernels.forward(
        q, _for_all(k_GPD, q), _for_all(v_GPD, q), look, causal=False, bias_BHQK=_wide(read.bias_NK)
    )
    return out.transpose(0, 1).reshape(q_HND.shape), lse.transpose(0, 1).reshape(q_HND.shape[:2])


def _shared_backward(
    grad_HND: Tensor,
    q_HND: Tensor,
    out_HND: Tensor,
    lse_HN: Tensor,
    k_GPD: Tensor,
    v_GPD: Tensor,
    look: Look,
    read: Read,
) -> tuple[Tensor, Tensor, Tensor]:
    if read.bias_NK is None and flash.fits(q_HND, look):
        sides = read.asking, read.asked
        return flash.backward(grad_HND, q_HND, k_GPD, v_GPD, out_HND, lse_HN, look, *sides, causal=False)
    grad, q, out = (_by_key_head(x, k_GPD) for x in (grad_HND, q_HND, out_HND))
    lse = _by_key_head(lse_HN.unsqueeze(-1), k_GPD).squeeze(-1).contiguous()
    dq, dk, dv = kernels.backward(
        grad, q, _for_all(k_GPD, q), _for_all(v_GPD, q), out, lse, look, causal=False, bias_BHQK=_wide(read.bias_NK)
    )
    return dq.transpose(0, 1).reshape(q_HND.shape), dk.sum(0), dv.sum(0)


def _local_backward(
    grad_HTD: Tensor,
    q_HTD: Tensor,
    k_GTD: Tensor,
    v_GTD: Tensor,
    out_HTD: Tensor,
    lse_HT: Tensor,
    segments: Segments,
    look: Look,
) -> tuple[Tensor, Tensor, Tensor]:
    """Padded queries carry no gradient (grad and out are 0 there), whatever their normaliser; 0 keeps it finite."""
    if flash.fits(q_HTD, look):
        own = segments.own
        return flash.backward(grad_HTD, q_HTD, k_GTD, v_GTD, out_HTD, lse_HT, look, own, own, causal=True)
    key_heads = k_GTD.shape[0]
    dq_HTD, dk_GTD, dv_GTD = (torch.empty_like(x) for x in (q_HTD, k_GTD, v_GTD))
    for padding in segments.paddings:
        grad, q, out = (padding.pad(x) for x in (grad_HTD, q_HTD, out_HTD))
        lse = padding.pad(lse_HT.unsqueeze(-1)).squeeze(-1)
        k, v = _repeated(k_GTD, q_HTD, padding), _repeated(v_GTD, q_HTD, padding)
        causal, bias = _causal(padding.longest, look, q_HTD)
        dq, dk, dv = kernels.backward(
            grad.contiguous(), q, k, v, out, lse.contiguous(), look, causal=causal, bias_BHQK=bias
        )
        padding.unpad(dq, dq_HTD)
        padding.unpad(_unrepeat(dk, key_heads), dk_GTD)
        padding.unpad(_unrepeat(dv, key_heads), dv_GTD)
    return dq_HTD, dk_GTD, dv_GTD


def _repeated(x_GTD: Tensor, like_HTD: Tensor, padding: Padding) -> Tensor:
    """Key heads → query heads, side by side: (B, H, L, D)."""
    return _repeat(padding.pad(x_GTD), like_HTD.shape[0], 1)


def _by_key_head(x_HND: Tensor, like_GPD: Tensor) -> Tensor:
    """(R, G, N, D): the R query heads of each key head, as a batch."""
    return x_HND.view(like_GPD.shape[0], -1, *x_HND.shape[1:]).transpose(0, 1)


def _for_all(x_GPD: Tensor, like_RGND: Tensor) -> Tensor:
    """(R, G, P, D), a view: every query head reads the same keys."""
    return x_GPD.expand(like_RGND.shape[0], *x_GPD.shape)


def _wide(bias_NP: Tensor | None) -> Tensor | None:
    return None if bias_NP is None else bias_NP[None, None]


def _repeat(x: Tensor, heads: int, axis: int) -> Tensor:
    """Key heads → query heads."""
    times = heads // x.shape[axis]
    return x if times == 1 else x.repeat_interleave(times, dim=axis)


def _unrepeat(x_BHLD: Tensor, key_heads: int) -> Tensor:
    """The sum over the query heads of each key head: the gradient of `_repeat`."""
    batch, heads, *rest = x_BHLD.shape
    return x_BHLD.reshape(batch, key_heads, heads // key_heads, *rest).sum(2)


def _empty_lse(x_HTD: Tensor) -> Tensor:
    wide = torch.float64 if x_HTD.dtype == torch.float64 else torch.float32
    return torch.empty(x_HTD.shape[:2], dtype=wide, device=x_HTD.device)

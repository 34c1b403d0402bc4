"""The flash attention of GPUs (Dao, 2023, arXiv:2307.08691) with its normaliser: segments of any length stand side by
side in one call, without padding, and query heads read their key head's keys where they lie.

`forward` and `backward` mean what they do in `kernels`, for tokens in a row instead of a padded batch. They take
half precision alone, and neither soft caps nor a bias.

Axes: N queries, M keys, S segments, H query heads, G key heads, D head size.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from tunesmith.engines.local.kernels import Look

LARGEST_HEAD = 256
AMPERE = (8, 0)  # the first compute capability that the kernels run on


class Stretches(NamedTuple):
    """Segments of a row: their starts and the last one's end (int32, S + 1), and a length that none exceeds."""

    starts: Tensor
    longest: int


def fits(q_HND: Tensor, look: Look) -> bool:
    size = q_HND.shape[-1]
    return (
        q_HND.device.type == "cuda"
        and q_HND.dtype in (torch.bfloat16, torch.float16)
        and look.softcap is None
        and size % 8 == 0
        and size <= LARGEST_HEAD
        and torch.cuda.get_device_capability(q_HND.device) >= AMPERE
    )


def forward(
    q_HND: Tensor, k_GMD: Tensor, v_GMD: Tensor, look: Look, queries: Stretches, keys: Stretches, *, causal: bool
) -> tuple[Tensor, Tensor]:
    """(out_HND, lse_HN): each segment of queries over the segment of keys with the same number."""
    out_NHD, lse_HN, *_ = torch.ops.aten._flash_attention_forward(
        *_by_token(q_HND, k_GMD, v_GMD),
        *_sides(queries, keys),
        causal,
        False,
        scale=look.scale,
        **_window(look, causal),
    )
    return out_NHD.transpose(0, 1), lse_HN


def backward(
    grad_HND: Tensor,
    q_HND: Tensor,
    k_GMD: Tensor,
    v_GMD: Tensor,
    out_HND: Tensor,
    lse_HN: Tensor,
    look: Look,
    queries: Stretches,
    keys: Stretches,
    *,
    causal: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """(dq_HND, dk_GMD, dv_GMD), given output and normaliser of the merged softmax."""
    unused = torch.empty(0, dtype=torch.uint64, device=q_HND.device)  # the state of a dropout that there is not
    gradients = torch.ops.aten._flash_attention_backward(
        *_by_token(grad_HND, q_HND, k_GMD, v_GMD, out_HND),
        lse_HN.contiguous(),
        *_sides(queries, keys),
        causal,
        unused,
        unused,
        scale=look.scale,
        **_window(look, causal),
    )
    dq_HND, dk_GMD, dv_GMD = (gradient.transpose(0, 1) for gradient in gradients)
    return dq_HND, dk_GMD, dv_GMD


def _sides(queries: Stretches, keys: Stretches) -> tuple[Tensor, Tensor, int, int, float]:
    """Which segments look at which, without dropout."""
    return queries.starts, keys.starts, queries.longest, keys.longest, 0.0


def _by_token(*tensors: Tensor) -> list[Tensor]:
    """(tokens, heads, D), as transformers makes them: nothing is copied there."""
    return [tensor.transpose(0, 1).contiguous() for tensor in tensors]


def _window(look: Look, causal: bool) -> dict[str, int]:
    """Of the tokens before a query, `window` − 1 and itself are seen."""
    return {"window_size_left": look.window - 1, "window_size_right": 0} if causal and look.window else {}

"""The shared-prefix attention function against dense attention with an explicit mask."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.engines.local import kernels
from tunesmith.engines.local.attention import Segments, SharedPrefixAttention

HEADS, KEY_HEADS, SIZE = 6, 2, 8


def dense(q, k, v, prefix: int, lengths: tuple[int, ...], scale: float) -> torch.Tensor:
    """out_THD with the whole (T, T) mask written out."""
    owner = torch.tensor([-1] * prefix + [branch for branch, size in enumerate(lengths) for _ in range(size)])
    place = torch.arange(len(owner))
    sees = (place[:, None] >= place[None, :]) & ((owner[:, None] == owner[None, :]) | (owner[None, :] == -1))
    k, v = (x.repeat_interleave(HEADS // KEY_HEADS, 0) for x in (k, v))
    scores = (q @ k.mT * scale).masked_fill(~sees, float("-inf"))
    return (torch.softmax(scores, -1) @ v).transpose(0, 1)


@given(
    prefix=st.integers(0, 40),
    lengths=st.lists(st.integers(1, 70), max_size=6).map(tuple),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=60, deadline=None)
def test_outputs_and_gradients_equal_dense_attention(prefix, lengths, seed):
    total = prefix + sum(lengths)
    if total == 0:
        return
    torch.manual_seed(seed)
    shapes = ((HEADS, total, SIZE), (KEY_HEADS, total, SIZE), (KEY_HEADS, total, SIZE))
    ours = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    theirs = [tensor.detach().clone().requires_grad_() for tensor in ours]
    grad = torch.randn(total, HEADS, SIZE, dtype=torch.float64)
    out = SharedPrefixAttention.apply(*ours, Segments.of(prefix, lengths, torch.device("cpu")), 0.3)
    expected = dense(*theirs, prefix, lengths, 0.3)
    out.backward(grad)
    expected.backward(grad)
    torch.testing.assert_close(out, expected, atol=1e-10, rtol=1e-8)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad, atol=1e-10, rtol=1e-8)


@pytest.mark.parametrize("causal", [True, False])
def test_the_plain_kernels_equal_the_flash_kernels(causal, monkeypatch):
    """What other devices run, run on the CPU beside what the CPU runs."""
    torch.manual_seed(0)
    q, k, v, grad = (torch.randn(2, 3, 20, 16) for _ in range(4))
    out, lse = kernels.forward(q, k, v, 0.25, causal=causal)
    gradients = kernels.backward(grad, q, k, v, out, lse, 0.25, causal=causal)
    monkeypatch.setattr(kernels, "has_flash", lambda tensor: False)
    plain_out, plain_lse = kernels.forward(q, k, v, 0.25, causal=causal)
    torch.testing.assert_close(out, plain_out)
    torch.testing.assert_close(lse, plain_lse)
    plain_gradients = kernels.backward(grad, q, k, v, out, lse, 0.25, causal=causal)
    for a, b in zip(gradients, plain_gradients, strict=True):
        torch.testing.assert_close(a, b)

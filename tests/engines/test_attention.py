"""Shared-prefix attention against dense attention under an explicit mask, on random trees."""

import pytest
import torch
from dense_attention import allowed, dense, tree
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.engines.local import kernels
from tunesmith.engines.local.attention import SharedPrefixAttention
from tunesmith.engines.local.kernels import Look
from tunesmith.engines.local.segments import Segments

HEADS, KEY_HEADS, SIZE = 6, 2, 8
CPU = torch.device("cpu")


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=7),
    choices=st.lists(st.integers(0, 5), min_size=6, max_size=6),
    window=st.one_of(st.none(), st.integers(1, 60)),
    softcap=st.sampled_from([None, 1.5]),
    seed=st.integers(0, 9),
)
@settings(max_examples=80, deadline=None)
def test_outputs_and_gradients_equal_dense_attention(lengths, choices, window, softcap, seed):
    parents, total, look = tree(choices, lengths), sum(lengths), Look(0.3, window, softcap)
    torch.manual_seed(seed)
    shapes = ((HEADS, total, SIZE), (KEY_HEADS, total, SIZE), (KEY_HEADS, total, SIZE))
    ours = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    theirs = [tensor.detach().clone().requires_grad_() for tensor in ours]
    grad = torch.randn(total, HEADS, SIZE, dtype=torch.float64)
    out = SharedPrefixAttention.apply(*ours, Segments.tree(lengths, parents, CPU), look)
    expected = dense(*theirs, allowed(lengths, parents, window), look)
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
    look = Look(0.25)
    bias = kernels.bias(torch.rand(20, 20) < 0.5, q.dtype).fill_diagonal_(0)[None, None] if not causal else None
    out, lse = kernels.forward(q, k, v, look, causal=causal, bias_BHQK=bias)
    gradients = kernels.backward(grad, q, k, v, out, lse, look, causal=causal, bias_BHQK=bias)
    monkeypatch.setattr(kernels, "_has_flash", lambda tensor, look: False)
    plain_out, plain_lse = kernels.forward(q, k, v, look, causal=causal, bias_BHQK=bias)
    torch.testing.assert_close(out, plain_out)
    torch.testing.assert_close(lse, plain_lse)
    plain_gradients = kernels.backward(grad, q, k, v, out, lse, look, causal=causal, bias_BHQK=bias)
    for a, b in zip(gradients, plain_gradients, strict=True):
        torch.testing.assert_close(a, b)

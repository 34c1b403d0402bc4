"""Shared-prefix attention by the flash kernels of a GPU, against dense attention on the same numbers in float64."""

import pytest
import torch
from dense_attention import allowed, dense, tree
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.engines.local import flash
from tunesmith.engines.local.attention import SharedPrefixAttention
from tunesmith.engines.local.kernels import Look
from tunesmith.engines.local.segments import Segments

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
HEADS, KEY_HEADS, SIZE = 6, 2, 16


@given(
    lengths=st.lists(st.integers(1, 200), min_size=1, max_size=7),
    choices=st.lists(st.integers(0, 5), min_size=6, max_size=6),
    window=st.one_of(st.none(), st.integers(1, 60)),
    seed=st.integers(0, 9),
)
@settings(max_examples=40, deadline=None)
def test_outputs_and_gradients_equal_dense_attention(lengths, choices, window, seed):
    parents, total, look = tree(choices, lengths), sum(lengths), Look(0.3, window)
    torch.manual_seed(seed)
    shapes = ((HEADS, total, SIZE), (KEY_HEADS, total, SIZE), (KEY_HEADS, total, SIZE))
    ours = [torch.randn(shape, dtype=torch.bfloat16, device="cuda", requires_grad=True) for shape in shapes]
    theirs = [tensor.detach().double().requires_grad_() for tensor in ours]
    grad = torch.randn(total, HEADS, SIZE, dtype=torch.bfloat16, device="cuda")
    assert flash.fits(ours[0], look)
    out = SharedPrefixAttention.apply(*ours, Segments.tree(lengths, parents, grad.device), look)
    expected = dense(*theirs, allowed(lengths, parents, window).cuda(), look)
    out.backward(grad)
    expected.backward(grad.double())
    for got, exact in [(out, expected), *((a.grad, b.grad) for a, b in zip(ours, theirs, strict=True))]:
        assert (got.double() - exact).norm() <= 1e-2 * exact.norm() + 1e-6  # bfloat16 has three digits

"""The norms with a gradient in closed form, against those of transformers under autograd."""

import importlib

import pytest
import torch

from tunesmith.training.norms import OFFSET, PLAIN, speed_up_norms


def norm(name: str) -> torch.nn.Module:
    family = name.removesuffix("RMSNorm").lower()
    module = importlib.import_module(f"transformers.models.{family}.modeling_{family}")
    made = getattr(module, name)(24)
    torch.manual_seed(1)
    torch.nn.init.normal_(made.weight)
    return made.requires_grad_(False)


@pytest.mark.parametrize("name", sorted(PLAIN | OFFSET))
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_output_and_gradient_equal_those_of_transformers(name, dtype):
    theirs, ours = norm(name).to(dtype), norm(name).to(dtype)
    assert speed_up_norms(torch.nn.Sequential(ours)) == 1
    torch.manual_seed(2)
    inputs = [torch.randn(2, 5, 24).mul_(3).to(dtype).requires_grad_() for _ in range(2)]
    inputs[1].data.copy_(inputs[0].data)
    grad = torch.randn(2, 5, 24).to(dtype)
    out, expected = ours(inputs[0]), theirs(inputs[1])
    out.backward(grad)
    expected.backward(grad)
    torch.testing.assert_close(out, expected)
    rounding = torch.finfo(dtype).eps
    assert (inputs[0].grad - inputs[1].grad).abs().max() <= 2 * rounding * inputs[1].grad.abs().max()


def test_a_norm_that_is_trained_keeps_its_own_forward():
    trained = norm("LlamaRMSNorm").requires_grad_(True)
    assert speed_up_norms(torch.nn.Sequential(trained)) == 0
    trained(torch.randn(3, 24)).sum().backward()
    assert trained.weight.grad is not None

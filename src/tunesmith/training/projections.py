"""Adapted layers in few products: those that read one input share their adapters' first half.

PEFT runs every adapter by itself, in float32, with its own copies of the input and of the output. Here the adapters of
the projections that read one input (query, key and value; gate and up) are one product on the way in, and their second
halves are added into the base layer's output in place. Weights stay PEFT's own float32 parameters; products run in the
model's precision; gradients are summed in float32. Layers that are more than a plain LoRA (dropout, DoRA, quantised
weights) keep PEFT's forward.

Axes: N tokens, I input features, O output features of one layer, R ranks of all layers of a group together.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.lora import Linear
from torch import Tensor, nn

ADAPTER = "default"  # PEFT's name of the only adapter of a run
READ_ONE_INPUT = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))  # as transformers names them


def join_adapters(model: PeftModel) -> int:
    """Give the plain LoRA layers of `model` the forward of this module; return how many they are."""
    joined = 0
    for parent in model.modules():
        for layers in _groups(dict(parent.named_children())):
            group = Projections(layers)
            for place, layer in enumerate(layers):
                layer.forward = group.forward_of(place)  # type: ignore[method-assign, assignment]
            joined += len(layers)
    return joined


class Projections:
    """Layers that read one input: whichever is called first computes the outputs of all."""

    def __init__(self, layers: Sequence[Linear]):
        self._layers = layers
        self._input: Tensor | None = None
        self._outputs: list[Tensor | None] = []

    def forward_of(self, place: int) -> Callable[[Tensor], Tensor]:
        def forward(x: Tensor) -> Tensor:
            if self._input is not x or self._outputs[place] is None:
                self._input, self._outputs = x, list(self._compute(x))
            output, self._outputs[place] = self._outputs[place], None
            if not any(output is not None for output in self._outputs):
                self._input = None  # everything was fetched: hold on to nothing
            assert output is not None
            return output

        return forward

    def _compute(self, x: Tensor) -> tuple[Tensor, ...]:
        layers = self._layers
        bases: list[Any] = [layer.get_base_layer() for layer in layers]
        return _Joined.apply(  # type: ignore[no-any-return,no-untyped-call]
            x,
            layers[0].scaling[ADAPTER],
            *(base.weight for base in bases),
            *(base.bias for base in bases),
            *(layer.lora_A[ADAPTER].weight for layer in layers),
            *(layer.lora_B[ADAPTER].weight for layer in layers),
        )


class _Joined(torch.autograd.Function):
    """y = x Wᵀ + b + s (x Aᵀ) Bᵀ for several (W, b, A, B), one s and one x. W and b are frozen."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float, *tensors: Tensor) -> tuple[Tensor, ...]:
        weights, biases, downs, ups = _quarters(tensors)
        x_NI = x.flatten(0, -2)
        down_RI, ups_OR = torch.cat(list(downs)).to(x.dtype), [up.to(x.dtype) for up in ups]
        ranks = [len(down) for down in downs]
        h_NR = (x_NI @ down_RI.T).mul_(scale)
        outputs = []
        for weight_OI, bias_O, up_OR, h in zip(weights, biases, ups_OR, torch.split(h_NR, ranks, dim=1), strict=True):
            y_NO = nn.functional.linear(x_NI, weight_OI, bias_O).addmm_(h, up_OR.T)
            outputs.append(y_NO.view(*x.shape[:-1], -1))
        ctx.save_for_backward(x_NI, h_NR, down_RI, *ups_OR, *weights)
        ctx.scale, ctx.shape, ctx.ranks, ctx.trained = scale, x.shape, ranks, downs[0].dtype
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x_NI, h_NR, down_RI, *tensors = ctx.saved_tensors
        ups_OR, weights = tensors[: len(grads)], tensors[len(grads) :]
        gradients_NO = [grad.flatten(0, -2) for grad in grads]
        dh_NR = torch.cat([g @ up_OR for g, up_OR in zip(gradients_NO, ups_OR, strict=True)], dim=1).mul_(ctx.scale)
        down_gradients = (dh_NR.T @ x_NI).to(ctx.trained).split(ctx.ranks)
        up_gradients = [
            (h.T @ g).T.to(ctx.trained) for h, g in zip(torch.split(h_NR, ctx.ranks, dim=1), gradients_NO, strict=True)
        ]
        dx = None
        if ctx.needs_input_grad[0]:
            dx = dh_NR @ down_RI
            for g, weight_OI in zip(gradients_NO, weights, strict=True):
                dx.addmm_(g, weight_OI)
            dx = dx.view(ctx.shape)
        return dx, None, *[None] * (2 * len(grads)), *down_gradients, *up_gradients


def _groups(children: dict[str, nn.Module]) -> Iterator[list[Linear]]:
    """The plain LoRA layers among `children`, those that read one input together."""
    plain = {name: child for name, child in children.items() if isinstance(child, Linear) and _is_plain(child)}
    for names in READ_ONE_INPUT:
        if together := [plain.pop(name) for name in names if name in plain]:
            yield together
    yield from ([layer] for layer in plain.values())


def _is_plain(layer: Linear) -> bool:
    base = layer.get_base_layer()
    return (
        type(base) is nn.Linear
        and not base.weight.requires_grad
        and not layer.lora_variant
        and not layer.lora_bias[ADAPTER]
        and isinstance(layer.lora_dropout[ADAPTER], nn.Identity)
    )


def _quarters(tensors: Sequence[Tensor]) -> Iterator[Sequence[Tensor]]:
    size = len(tensors) // 4
    return (tensors[begin : begin + size] for begin in range(0, 4 * size, size))

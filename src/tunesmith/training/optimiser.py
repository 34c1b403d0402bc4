"""AdamW (Loshchilov and Hutter, 2019, arXiv:1711.05101), and what it remembers as plain tensors."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from tunesmith.training.section import TrainSection

MOMENTS = ("exp_avg", "exp_avg_sq")


def adamw(parameters: Sequence[nn.Parameter], recipe: TrainSection) -> torch.optim.AdamW:
    """All tensors together: on a GPU in one kernel for many of them, elsewhere in one operation after the other."""
    fused = parameters[0].device.type == "cuda"
    return torch.optim.AdamW(
        parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=fused, foreach=not fused
    )


def moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for number, parameter in enumerate(_parameters(optimizer)):
        state = optimizer.state[parameter]
        tensors |= {f"{number}.{name}": state[name].detach().cpu().contiguous() for name in MOMENTS}
        tensors[f"{number}.step"] = state["step"].detach().cpu()
    return tensors


def restore_moments(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    for number, parameter in enumerate(_parameters(optimizer)):
        state = {name: tensors[f"{number}.{name}"].to(parameter.device) for name in MOMENTS}
        step = tensors[f"{number}.step"]
        optimizer.state[parameter] = {
            **state,
            "step": step.to(parameter.device) if optimizer.defaults["fused"] else step,
        }


def _parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]

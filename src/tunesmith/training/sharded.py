"""A base model that no single device holds: its frozen weights lie in pieces over the processes (FSDP2).

Only the frozen weights are spread, layer by layer; each layer is gathered while it computes. The adapter stays whole
in every process, so gradients, clipping, checkpoints and the adapter's files are those of plain data parallel
training. Whether, and how, says accelerate's `fsdp_config` (Zhao et al., 2023, arXiv:2304.11277).
"""

import os
from typing import NamedTuple

import torch
from torch import nn

from tunesmith.core.errors import ConfigError
from tunesmith.training.methods import Policy
from tunesmith.training.section import TrainSection


class Settings(NamedTuple):
    """Of `fsdp_config`: free a layer between forward and backward; keep the pieces in main memory."""

    reshard: bool
    offload: bool


def read_settings() -> Settings | None:
    """What accelerate's launcher handed over; None where the model is whole in every process."""
    if os.environ.get("ACCELERATE_USE_FSDP") != "true":
        return None
    return Settings(
        reshard=os.environ.get("FSDP_RESHARD_AFTER_FORWARD") != "false",
        offload=os.environ.get("FSDP_OFFLOAD_PARAMS") == "true",
    )


def refuse(recipe: TrainSection) -> None:
    """Methods whose weights would be spread wrongly, or not at all."""
    if recipe.method != "lora":
        raise ConfigError(
            f'FSDP spreads the frozen weights behind method "lora", and [train] method is "{recipe.method}". Choose '
            "that method, or distributed_type: MULTI_GPU."
        )


def shard(model: Policy, settings: Settings, device: torch.device) -> None:
    """Spread the frozen weights over all processes, the trained ones to `device`, in place."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import CPUOffloadPolicy, OffloadPolicy, fully_shard

    base = model.base
    trained = set(model.parameters())
    for parameter in trained:
        parameter.data = parameter.data.to(device)
    mesh = init_device_mesh(device.type, (torch.distributed.get_world_size(),))
    policy = CPUOffloadPolicy() if settings.offload else OffloadPolicy()
    for module in [*_layers(base), base]:
        fully_shard(
            module, mesh=mesh, reshard_after_forward=settings.reshard, offload_policy=policy, ignored_params=trained
        )


def _layers(base: nn.Module) -> list[nn.Module]:
    names = set(getattr(base, "_no_split_modules", None) or ())
    found = [module for module in base.modules() if type(module).__name__ in names]
    if not found:
        raise ConfigError(
            f"FSDP: transformers does not say what the layers of {type(base).__name__} are, so its weights cannot be "
            "spread. Use distributed_type: MULTI_GPU."
        )
    return found

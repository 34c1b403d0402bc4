"""How the weights change: each method is a value of one loop, a `Policy` made from a recipe."""

from pathlib import Path

import torch
from transformers import PreTrainedModel

from tunesmith.engines.local.loading import load
from tunesmith.training.methods import full, lora, qlora, virtual_tokens
from tunesmith.training.methods.base import Policy
from tunesmith.training.section import TrainSection

__all__ = ["Policy", "attach", "load_base"]

ATTACH = {
    "lora": lora.attach,
    "qlora": qlora.attach,
    "full": full.attach,
    "prompt-tuning": virtual_tokens.attach,
    "prefix-tuning": virtual_tokens.attach,
}


def load_base(
    folder: Path, recipe: TrainSection, *, device: torch.device | None = None, dtype: torch.dtype | None = None
) -> PreTrainedModel:
    """The base model as the recipe's method wants it: quantised, in float32, or in `dtype`, by default the best here.

    It lies on `device`, by default the best one here.
    """
    if recipe.method == "qlora":
        return qlora.load_base(folder, recipe, device)
    if recipe.method == "full":
        return full.load_base(folder, device)
    return load(folder, dtype=dtype, device=device)


def attach(model: PreTrainedModel, recipe: TrainSection, name: str) -> Policy:
    """`model` with what `recipe` trains, seeded. An adapter's config calls its base `name`."""
    policy = ATTACH[recipe.method](model, recipe, name)
    if recipe.gradient_checkpointing:
        policy.base.gradient_checkpointing_enable({"use_reentrant": False})  # type: ignore[no-untyped-call]
    return policy

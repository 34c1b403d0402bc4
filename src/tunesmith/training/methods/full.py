"""Every weight is trained. The model is in float32, so that small steps are not lost; it is kept whole."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedModel

from tunesmith.engines.local.loading import load
from tunesmith.training.methods.base import Policy
from tunesmith.training.section import TrainSection

BESIDE = ("tokenizer*", "*.jinja", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json")


class FullPolicy(Policy):
    """`AutoModelForCausalLM.from_pretrained(folder)` loads what `save` writes: safetensors, config and tokenizer."""

    def save(self, weights: Mapping[str, Tensor], folder: Path) -> None:
        self.set_weights(weights)
        self.base.save_pretrained(folder)
        for pattern in BESIDE:
            for path in Path(str(self.base.name_or_path)).glob(pattern):
                shutil.copyfile(path, folder / path.name)


def load_base(folder: Path, device: torch.device | None = None) -> PreTrainedModel:
    return load(folder, dtype=torch.float32, device=device)


def attach(model: PreTrainedModel, recipe: TrainSection, name: str) -> FullPolicy:
    return FullPolicy(model.requires_grad_(True), model)

"""Adapters over a base in 4 bits: NF4 with double quantisation (Dettmers et al., 2023, arXiv:2305.14314).

Hazard: on the CPU, bitsandbytes repacks a layer's weights when it computes outside training mode, and reads the
repacked bytes as if they were not when gradients are computed later. So the 4-bit layers of a training process never
leave training mode, whatever is asked of the model around them; nothing in them depends on it otherwise.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import PreTrainedModel

from tunesmith.core.files import write_json
from tunesmith.engines.local.loading import load
from tunesmith.engines.local.quantised import FILE, Quantisation, four_bit_layers
from tunesmith.training.methods import lora
from tunesmith.training.methods.base import PeftPolicy
from tunesmith.training.section import TrainSection


class QuantisedPolicy(PeftPolicy):
    """The adapter's folder also says how its base was quantised, which PEFT's config has no place for."""

    def __init__(self, model: PeftModel, notes: tuple[str, ...], quantisation: Quantisation):
        super().__init__(model, notes)
        self._quantisation = quantisation

    def save(self, weights: Mapping[str, Tensor], folder: Path) -> None:
        super().save(weights, folder)
        write_json(folder / FILE, self._quantisation.model_dump(mode="json"))


def load_base(folder: Path, recipe: TrainSection, device: torch.device | None = None) -> PreTrainedModel:
    return load(folder, device=device, quantisation=_quantisation(recipe))


def attach(model: PreTrainedModel, recipe: TrainSection, name: str) -> QuantisedPolicy:
    for layer in four_bit_layers(model):
        _stay_in_training_mode(layer)
    return QuantisedPolicy(*lora.adapted(model, recipe, name), quantisation=_quantisation(recipe))


def _quantisation(recipe: TrainSection) -> Quantisation:
    return Quantisation(bnb_4bit_use_double_quant=recipe.bnb_4bit_use_double_quant)


def _stay_in_training_mode(layer: nn.Module) -> None:
    layer.train()
    layer.train = lambda mode=True: layer  # type: ignore[method-assign]

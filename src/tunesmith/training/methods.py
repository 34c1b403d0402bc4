"""How the weights change: the part of the model that a recipe trains, as plain PEFT has it."""

import json
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedModel

from tunesmith.core.errors import ConfigError
from tunesmith.core.files import write_json
from tunesmith.training.norms import speed_up_norms
from tunesmith.training.projections import join_adapters
from tunesmith.training.section import TrainSection

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"  # PEFT's own file names


def attach(model: PreTrainedModel, recipe: TrainSection, name: str) -> PeftModel:
    """`model` with a fresh adapter, seeded; only the adapter is trained, in float32. `name` goes into its config."""
    targets = recipe.target_modules
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=recipe.r,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
    )
    torch.manual_seed(recipe.seed)
    try:
        wrapped = get_peft_model(model, config, autocast_adapter_dtype=True)
    except ValueError as error:
        raise ConfigError(f"[train] target_modules = {targets!r} does not fit the model: {error}") from None
    join_adapters(wrapped)
    speed_up_norms(wrapped)
    wrapped.peft_config["default"].base_model_name_or_path = name  # PEFT writes the folder on this machine there
    return wrapped


def base_model(model: PeftModel) -> PreTrainedModel:
    """The causal language model with the adapter's layers in it."""
    base: PreTrainedModel = model.get_base_model()  # type: ignore[assignment]
    return base


def adapter_weights(model: PeftModel) -> dict[str, Tensor]:
    """A copy: training goes on in the originals."""
    return {name: weight.detach().cpu().clone() for name, weight in get_peft_model_state_dict(model).items()}


def restore_weights(model: PeftModel, weights: dict[str, Tensor]) -> None:
    set_peft_model_state_dict(model, weights)


def save_adapter(weights: dict[str, Tensor], model: PeftModel, folder: Path) -> None:
    """A plain PEFT folder, the same bytes for the same weights; `PeftModel.from_pretrained(base, folder)` loads it."""
    config = model.peft_config["default"].to_dict()
    config["inference_mode"] = True
    plain = json.loads(json.dumps(config, sort_keys=True, default=_plain))
    for key in ("target_modules", "exclude_modules"):
        if isinstance(plain.get(key), list):
            plain[key].sort()
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    write_json(folder / CONFIG, plain)


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, set) else getattr(value, "value", str(value))

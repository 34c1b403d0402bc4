"""What a run trains: a model, and those of its weights that change."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import torch
from peft import PeftConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from tunesmith.core.errors import ConfigError
from tunesmith.core.files import write_json
from tunesmith.engines.local.virtual import Virtual
from tunesmith.models.names import ADAPTER_CONFIG as CONFIG
from tunesmith.models.names import ADAPTER_WEIGHTS as WEIGHTS


class Policy(ABC):
    """`base` is the causal language model whose forward is called, with any adapters in it.

    The weights that change are the parameters that want a gradient, in their order in the model.
    """

    def __init__(self, model: nn.Module, base: PreTrainedModel, notes: tuple[str, ...] = ()):
        """`notes` are sentences that the user should read when training starts."""
        self._model, self.base, self.notes = model, base, notes

    @property
    def device(self) -> torch.device:
        return self.base.device

    @property
    def dtype(self) -> torch.dtype:
        return self.base.dtype

    @property
    def training(self) -> bool:
        return self._model.training

    def train(self, mode: bool = True) -> None:
        self._model.train(mode)

    def eval(self) -> None:
        self._model.train(False)

    def named_parameters(self) -> dict[str, nn.Parameter]:
        return {name: each for name, each in self._model.named_parameters() if each.requires_grad}

    def parameters(self) -> list[nn.Parameter]:
        return list(self.named_parameters().values())

    def virtual(self) -> Virtual | None:
        """Learned tokens before every row, with their gradient: to be asked for anew in every forward pass."""
        return None

    def weights(self) -> dict[str, Tensor]:
        """A copy: training goes on in the originals."""
        return {name: each.detach().cpu().clone() for name, each in self.named_parameters().items()}

    @torch.no_grad()
    def set_weights(self, weights: Mapping[str, Tensor]) -> None:
        for name, parameter in self.named_parameters().items():
            parameter.copy_(weights[name])

    def load(self, folder: Path) -> None:
        """Start from the adapter in `folder`. Raises ConfigError where it is none of this recipe's kind."""
        raise AssertionError("the recipe refuses an adapter to start from for such methods")

    @abstractmethod
    def save(self, weights: Mapping[str, Tensor], folder: Path) -> None:
        """Write what was trained, with `weights`, to `folder`: the same bytes for the same weights."""


class PeftPolicy(Policy):
    """An adapter as PEFT has it: `PeftModel.from_pretrained(base, folder)` loads what `save` writes."""

    def __init__(self, model: PeftModel, notes: tuple[str, ...] = ()):
        super().__init__(model, model.get_base_model(), notes)  # type: ignore[arg-type]
        self._peft = model

    def load(self, folder: Path) -> None:
        try:
            theirs = PeftConfig.from_pretrained(str(folder))
            weights = load_file(folder / WEIGHTS)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise ConfigError(f"[train] start: {folder} holds no whole PEFT adapter: {error}") from None
        ours = self._peft.peft_config["default"]
        for key in ("base_model_name_or_path", "peft_type", "r", "lora_alpha", "use_rslora", "use_dora"):
            if (there := getattr(theirs, key, None)) != (here := getattr(ours, key)):
                raise ConfigError(
                    f"[train] start: the adapter in {folder} has {key} = {there}, this run {here}. Take the base "
                    "model and the recipe as the adapter has them, or leave [train] start out."
                )
        mine = get_peft_model_state_dict(self._peft, save_embedding_layers=False)
        if _shapes(weights) != _shapes(mine):
            raise ConfigError(
                f"[train] start: the adapter in {folder} is of other layers than this recipe's. Set [train] "
                "target_modules and [model] base as the adapter has them."
            )
        set_peft_model_state_dict(self._peft, weights)

    def save(self, weights: Mapping[str, Tensor], folder: Path) -> None:
        self.set_weights(weights)
        state = get_peft_model_state_dict(self._peft, save_embedding_layers=False)
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
        save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
        config = {**self._peft.peft_config["default"].to_dict(), "inference_mode": True}
        plain = json.loads(json.dumps(config, sort_keys=True, default=_plain))
        for key in ("target_modules", "exclude_modules"):
            if isinstance(plain.get(key), list):
                plain[key].sort()
        write_json(folder / CONFIG, plain)


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in weights.items()}


def wrap(model: PreTrainedModel, config: PeftConfig, seed: int, name: str) -> PeftModel:
    """`model` with a fresh adapter in float32, seeded. Raises ValueError where it does not fit."""
    torch.manual_seed(seed)
    wrapped: PeftModel = get_peft_model(model, config, autocast_adapter_dtype=True)
    wrapped.peft_config["default"].base_model_name_or_path = name  # PEFT writes the folder on this machine there
    return wrapped


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, set) else getattr(value, "value", str(value))

"""Mixtures of experts whose weights are fused: one tensor for all experts of a layer, which takes no adapter here.

The adapters of such a model stand on its attention. A fused tensor is no linear layer; PEFT can adapt it as a whole,
by products over all experts for every token, which is neither what an adapter of each expert would be nor affordable.
"""

import re
from collections.abc import Sequence

from torch import nn
from transformers import PreTrainedModel

from tunesmith.core.errors import ConfigError

NOTE = (
    "This model's experts are fused into one tensor a layer, which takes no adapter: the adapters stand on its "
    'attention ({names}). method = "full" trains the experts, too.'
)


def fused(model: PreTrainedModel) -> bool:
    return any(
        parameter.dim() == 3
        for module in model.modules()
        if "Experts" in type(module).__name__
        for parameter in module.parameters(recurse=False)
    )


def without(model: PreTrainedModel, targets: str | Sequence[str]) -> tuple[str | Sequence[str], tuple[str, ...]]:
    """The target_modules that take an adapter, and what the user should know.

    Raises ConfigError where `targets` names anything but the attention's linear layers.
    """
    attention = _attention(model)
    names = tuple(sorted({path.rpartition(".")[2] for path in attention}))
    if targets == "all-linear":
        return names, (NOTE.format(names=", ".join(names)),)
    paths = [path for path, _ in (*model.named_modules(), *model.named_parameters())]
    for name in [targets] if isinstance(targets, str) else targets:
        meant = [path for path in paths if _means(name, path, pattern=isinstance(targets, str))]
        if not meant or not set(meant) <= attention:
            raise ConfigError(
                f"[train] target_modules: {name!r} is no linear layer of this model's attention. Its experts are fused "
                f"into one tensor a layer and take no adapter. Name some of {', '.join(names)}, or choose "
                '"all-linear", which takes those; method = "full" trains the experts, too.'
            )
    return targets, ()


def _attention(model: PreTrainedModel) -> set[str]:
    """The paths of the linear layers inside the modules that attend."""
    return {
        f"{path}.{name}"
        for path, module in model.named_modules()
        if type(module).__name__.endswith("Attention")
        for name, child in module.named_modules()
        if isinstance(child, nn.Linear)
    }


def _means(name: str, path: str, *, pattern: bool) -> bool:
    """As PEFT reads target_modules: a text is a regular expression for whole paths, a list holds their endings."""
    return bool(re.fullmatch(name, path)) if pattern else path == name or path.endswith(f".{name}")

"""Prompt tuning (Lester et al., 2021, arXiv:2104.08691) and prefix tuning (Li and Liang, 2021, arXiv:2101.00190).

The base stays as it is; what is trained are tokens that stand before every row, see `engines.local.virtual`.
"""

from collections.abc import Sequence
from typing import Any

from peft import PeftConfig, PrefixTuningConfig, PromptTuningConfig
from transformers import PreTrainedModel

from tunesmith.core.errors import ConfigError
from tunesmith.engines.local.virtual import Virtual, virtual_tokens
from tunesmith.training.methods.base import PeftPolicy, wrap
from tunesmith.training.norms import speed_up_norms
from tunesmith.training.rows import Row
from tunesmith.training.section import TrainSection


class VirtualPolicy(PeftPolicy):
    def virtual(self) -> Virtual:
        return virtual_tokens(self._peft)


def attach(model: PreTrainedModel, recipe: TrainSection, name: str) -> VirtualPolicy:
    wrapped = wrap(model, _config(model, recipe), recipe.seed, name)
    model.requires_grad_(False)  # PEFT freezes submodules only
    config: Any = wrapped.peft_config["default"]
    if getattr(config, "tokenizer_name_or_path", None):
        config.tokenizer_name_or_path = name  # it was needed for the first weights, and is a folder on this machine
    speed_up_norms(wrapped)
    return VirtualPolicy(wrapped)


def refuse_beyond_context(rows: Sequence[Row], virtual: int, context: int) -> None:
    """Learned tokens take places of the model's context, which [model] max_tokens does not count."""
    longest = max(len(row.tokens) for row in rows)
    if virtual and longest + virtual > context:
        raise ConfigError(
            f"[train] num_virtual_tokens = {virtual} and the longest row's {longest:,} tokens are more than the "
            f"{context:,} that the model can read. Lower it, or take long rows out of the data."
        )


def _config(model: PreTrainedModel, recipe: TrainSection) -> PeftConfig:
    if recipe.method == "prefix-tuning":
        return PrefixTuningConfig(
            task_type="CAUSAL_LM",
            num_virtual_tokens=recipe.num_virtual_tokens,
            prefix_projection=recipe.prefix_projection,
            encoder_hidden_size=recipe.encoder_hidden_size,  # type: ignore[arg-type]  # None: as wide as a layer's keys
        )
    from_text = recipe.prompt_tuning_init == "TEXT"
    return PromptTuningConfig(
        task_type="CAUSAL_LM",
        num_virtual_tokens=recipe.num_virtual_tokens,
        prompt_tuning_init=recipe.prompt_tuning_init,
        prompt_tuning_init_text=recipe.prompt_tuning_init_text,
        tokenizer_name_or_path=model.name_or_path if from_text else None,
    )

"""Low-rank adapters (Hu et al., 2021, arXiv:2106.09685), by choice rank-stabilised (Kalajdzievski, 2023,
arXiv:2312.03732) or with the outputs' magnitudes trained as well: DoRA (Liu et al., 2024, arXiv:2402.09353)."""

from collections.abc import Sequence

from peft import LoraConfig, PeftModel
from transformers import PreTrainedModel

from tunesmith.core.errors import ConfigError
from tunesmith.training.methods import experts
from tunesmith.training.methods.base import PeftPolicy, wrap
from tunesmith.training.norms import speed_up_norms
from tunesmith.training.projections import join_adapters
from tunesmith.training.section import TrainSection


def attach(model: PreTrainedModel, recipe: TrainSection, name: str) -> PeftPolicy:
    return PeftPolicy(*adapted(model, recipe, name))


def adapted(model: PreTrainedModel, recipe: TrainSection, name: str) -> tuple[PeftModel, tuple[str, ...]]:
    """`model` with fresh adapters, and what the user should know. Raises ConfigError where they do not fit."""
    targets: str | Sequence[str] = recipe.target_modules
    notes: tuple[str, ...] = ()
    if experts.fused(model):
        targets, notes = experts.without(model, targets)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=recipe.r,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        use_rslora=recipe.use_rslora,
        use_dora=recipe.use_dora,
    )
    try:
        wrapped = wrap(model, config, recipe.seed, name)
    except ValueError as error:
        shown = targets if isinstance(targets, str) else list(targets)
        raise ConfigError(f"[train] target_modules = {shown!r} does not fit the model: {error}") from None
    join_adapters(wrapped)
    speed_up_norms(wrapped)
    return wrapped, notes

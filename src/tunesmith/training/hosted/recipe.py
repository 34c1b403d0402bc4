"""`[train]` → the hyperparameters of a job at a provider: those that were set, and no others.

The defaults of [train] were measured for LoRA on a small local model. A provider chooses its own, for its own models
and method, so what nobody set is left to it. What a provider does not take is refused, not dropped.
"""

from tunesmith.core import digests
from tunesmith.core.errors import ConfigError
from tunesmith.core.record import Record
from tunesmith.training.section import TrainSection

TAKEN = ("epochs", "batch_size", "learning_rate_multiplier", "seed")


class Hyperparameters(Record):
    """None: the provider's choice."""

    epochs: int | None = None
    batch_size: int | None = None
    learning_rate_multiplier: float | None = None
    seed: int | None = None


def hyperparameters(section: TrainSection) -> Hyperparameters:
    """Raises ConfigError where [train] sets what a provider's job does not take."""
    chosen = _chosen(section)
    others = [key for key in TrainSection.model_fields if key in chosen and key not in TAKEN]
    if others:
        instead = " Its learning rate is set by learning_rate_multiplier." if "learning_rate" in others else ""
        raise ConfigError(
            f"[train] {', '.join(others)}: a job at a provider does not take {'it' if len(others) == 1 else 'them'}; "
            f"it takes {', '.join(TAKEN)}.{instead} Take out the others, or name a local model under [model] base."
        )
    if section.epochs != int(section.epochs):
        raise ConfigError(f"[train] epochs = {section.epochs:g}: a job at a provider takes whole epochs, such as 3.")
    given = {key: getattr(section, key) for key in TAKEN if key in chosen}
    return Hyperparameters(**given | ({"epochs": int(section.epochs)} if "epochs" in given else {}))


def refuse_hosted_keys(section: TrainSection) -> None:
    """Raise ConfigError where [train] sets what only a provider's job takes."""
    if section.learning_rate_multiplier is not None:
        raise ConfigError(
            "[train] learning_rate_multiplier belongs to a job at a provider; a local model takes learning_rate. Take "
            "it out, or name PROVIDER:model under [model] base."
        )


def digest(section: TrainSection) -> str:
    """Of what is set alone: a default that changes here changes nothing at the provider."""
    values = {key: getattr(section, key) for key in TAKEN if key in _chosen(section)}
    return digests.digest("hosted-recipe", 1, **values)


def _chosen(section: TrainSection) -> set[str]:
    """The keys that the file, the environment or a flag set; None is TOML's absence."""
    return {key for key in section.model_fields_set if getattr(section, key) is not None}

"""`[train]` in tunesmith.toml: the recipe. Names and meanings are those of PEFT and transformers."""

from typing import Any, Literal

from pydantic import Field

from tunesmith.core.digests import digest
from tunesmith.core.record import Record


class TrainSection(Record):
    method: Literal["lora"] = Field(default="lora", description="How the weights change: low-rank adapters.")
    r: int = Field(default=16, ge=1, le=1024, description="Rank of the adapters.")
    lora_alpha: int = Field(default=32, ge=1, description="Scale of the adapters; the usual choice is twice the rank.")
    lora_dropout: float = Field(default=0.0, ge=0, lt=1, description="Dropout on the adapters' input.")
    target_modules: str | tuple[str, ...] = Field(
        default="all-linear", description='Which layers get an adapter: "all-linear" or a list of module names.'
    )
    learning_rate: float = Field(default=1e-3, gt=0, le=1, description="Peak learning rate of AdamW.")
    learning_rate_multiplier: float | None = Field(
        default=None, gt=0, le=100, description="Of a job at a provider alone, in place of learning_rate."
    )
    epochs: float = Field(default=3, gt=0, le=1000, description="Passes over the training rows.")
    batch_size: int = Field(default=32, ge=1, le=4096, description="Rows per step; never changed to fit memory.")
    sharing: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Whether tokens that rows of a batch begin with are computed once: where it saves time, wherever "
        "possible, or never. The gradients are the same.",
    )
    packed_tokens: int = Field(
        default=8192,
        ge=16,
        description="Tokens that are computed at once; a larger batch is accumulated. Decides about memory, not about "
        "gradients.",
    )
    warmup_ratio: float = Field(
        default=0.1, ge=0, le=1, description="Share of the steps in which the rate rises; after it, it falls to zero."
    )
    weight_decay: float = Field(default=0.0, ge=0, description="Weight decay of AdamW.")
    max_grad_norm: float = Field(default=1.0, gt=0, description="Gradients are clipped to this norm.")
    evaluations_per_epoch: int = Field(
        default=1, ge=1, le=100, description="How often the validation rows are answered in an epoch."
    )
    patience: int = Field(
        default=2, ge=1, description="Evaluations without a better primary metric after which training stops early."
    )
    seed: int = Field(default=0, ge=0, description="Of the adapters' first weights, the order of rows, and dropout.")

    checkpoint_seconds: float = Field(
        default=120.0,
        ge=0,
        description="Seconds of training after which a checkpoint is written, at the end of a step; 0: after every "
        "step. It changes no weight and is no part of the recipe.",
    )

    trackers: tuple[Literal["tensorboard", "mlflow", "wandb"], ...] = Field(
        default=(),
        description="Where else the figures of a run go: tensorboard, mlflow, wandb. Each is a package of its own. No "
        "part of the recipe.",
    )

    @property
    def recipe(self) -> dict[str, Any]:
        """Every key that the weights depend on, as JSON values."""
        targets = self.target_modules if isinstance(self.target_modules, str) else list(self.target_modules)
        return {
            "method": self.method,
            "r": self.r,
            "lora_alpha": self.lora_alpha,
            "lora_dropout": self.lora_dropout,
            "target_modules": targets,
            "learning_rate": self.learning_rate,
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "sharing": self.sharing,
            "packed_tokens": self.packed_tokens,
            "warmup_ratio": self.warmup_ratio,
            "weight_decay": self.weight_decay,
            "max_grad_norm": self.max_grad_norm,
            "evaluations_per_epoch": self.evaluations_per_epoch,
            "patience": self.patience,
            "seed": self.seed,
        }

    @property
    def digest(self) -> str:
        return digest("recipe", 2, **self.recipe)

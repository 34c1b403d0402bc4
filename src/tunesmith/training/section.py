"""`[train]` in tunesmith.toml: the recipe. Names and meanings are those of PEFT and transformers.

Some keys belong to some methods only. Said for another method they are refused, never ignored; they are no part of
that method's recipe.
"""

from typing import Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
)

from tunesmith.core.digests import digest
from tunesmith.core.record import Record

Method = Literal["lora", "qlora", "full", "prompt-tuning", "prefix-tuning"]
CHOSEN = ("learning_rate", "epochs", "batch_size", "r", "lora_alpha")  # by defaults.py, where they are not set
RULE = 2  # of choosing them: raise it when defaults.py would choose otherwise
RATES: dict[str, float] = {"lora": 1e-3, "qlora": 1e-3, "full": 2e-5, "prompt-tuning": 3e-2, "prefix-tuning": 1e-2}
DPO_KEYS = ("preferences", "beta")
DPO_RATE = 0.05  # times the method's: what the reference learnt is to be shifted, not learnt anew
LORA_KEYS = ("r", "lora_alpha", "lora_dropout", "target_modules", "use_rslora", "use_dora")
OWN_KEYS: dict[str, tuple[str, ...]] = {
    "lora": LORA_KEYS,
    "qlora": (*LORA_KEYS, "bnb_4bit_use_double_quant"),
    "full": (),
    "prompt-tuning": ("num_virtual_tokens", "prompt_tuning_init", "prompt_tuning_init_text"),
    "prefix-tuning": ("num_virtual_tokens", "prefix_projection", "encoder_hidden_size"),
}
COMMON_KEYS = (
    "learning_rate",
    "epochs",
    "batch_size",
    "sharing",
    "packed_tokens",
    "gradient_checkpointing",
    "warmup_ratio",
    "weight_decay",
    "max_grad_norm",
    "evaluations_per_epoch",
    "patience",
    "objective",
    "beta",
    "rehearsal",
    "seed",
)


class TrainSection(Record):
    method: Method = Field(
        default="lora",
        description="How the weights change: low-rank adapters; the same over a base in 4 bits; all weights; learned "
        "tokens before the prompt, or their keys and values in every layer. Each has keys of its own: "
        "docs/training.md.",
    )
    objective: Literal["supervised", "dpo"] = Field(
        default="supervised",
        description="What is minimised: the loss of the training rows' answers; with dpo, that of pairs of answers of "
        "which one is preferred.",
    )
    r: int = Field(
        default=16,
        ge=1,
        le=1024,
        description="lora, qlora: rank of the adapters. Not set: 16, and 32 for written answers from 2,000 rows on.",
    )
    lora_alpha: int = Field(
        default_factory=lambda section: 2 * section.get("r", 16),
        ge=1,
        description="lora, qlora: scale of the adapters. Not set, it is twice the rank.",
    )
    lora_dropout: float = Field(default=0.0, ge=0, lt=1, description="lora, qlora: dropout on the adapters' input.")
    target_modules: str | tuple[str, ...] = Field(
        default="all-linear",
        description='lora, qlora: which layers get an adapter, "all-linear" or a list of module names.',
    )
    use_rslora: bool = Field(
        default=False,
        description="lora, qlora: scale by lora_alpha / √r instead of lora_alpha / r, for ranks of 64 and more.",
    )
    use_dora: bool = Field(
        default=False, description="lora, qlora: DoRA, which also trains each output's magnitude; slower."
    )
    bnb_4bit_use_double_quant: bool = Field(
        default=True, description="qlora: quantise the 4-bit blocks' scales, too; saves 0.4 bits a weight."
    )
    num_virtual_tokens: int = Field(
        default=20, ge=1, le=1024, description="prompt-tuning, prefix-tuning: how many learned tokens stand first."
    )
    prompt_tuning_init: Literal["RANDOM", "SAMPLE_VOCAB", "TEXT"] = Field(
        default="SAMPLE_VOCAB",
        description="prompt-tuning: where the tokens begin: random, words drawn from the vocabulary, or your text.",
    )
    prompt_tuning_init_text: str | None = Field(
        default=None,
        min_length=1,
        validate_default=True,
        description='prompt-tuning: the text of prompt_tuning_init = "TEXT", repeated or cut to the number of tokens.',
    )
    prefix_projection: bool = Field(
        default=False, description="prefix-tuning: make keys and values by a small network while training."
    )
    encoder_hidden_size: int | None = Field(
        default=None, ge=1, description="prefix-tuning: width of that network; needs prefix_projection = true."
    )
    learning_rate: float = Field(
        default_factory=lambda section: _rate(section),
        gt=0,
        le=1,
        description="Peak learning rate of AdamW. Not set, it is chosen by the model's width and the batch size: "
        "0.0026 for lora and qlora on the embedded model in batches of 32, less on a wider one and in smaller batches, "
        "a tenth of that for full; 0.03 for prompt-tuning, 0.01 for prefix-tuning; for dpo a twentieth.",
    )
    learning_rate_multiplier: float | None = Field(
        default=None, gt=0, le=100, description="Of a job at a provider alone, in place of learning_rate."
    )
    epochs: float = Field(
        default=3.0,
        gt=0,
        le=1000,
        description="Passes over the training rows. Not set, they are "
        "6 below 3,000 rows, 3 below 20,000, 2 below 100,000, and 1.",
    )
    batch_size: int = Field(
        default=32,
        ge=1,
        le=4096,
        description="Rows per step; never changed to fit memory. Not set, it is 4, 8, 16 or 32, the largest that "
        "leaves 30 steps an epoch.",
    )
    sharing: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Whether tokens that rows of a batch begin with are computed once: where it saves time, wherever "
        "possible, or never. The gradients are the same.",
    )
    gradient_checkpointing: bool = Field(
        default=False,
        description="Keep no layer's inner values for the backward pass and compute them again: less memory, about a "
        "third more time. The gradients are the same.",
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
    preferences: str | None = Field(
        default=None,
        min_length=1,
        validate_default=True,
        description="dpo: the .jsonl file of the pairs, in the project, outside [data] files.",
    )
    beta: float = Field(
        default=0.1, gt=0, le=10, description="dpo: how closely the policy is held to the one that it starts from."
    )
    start: str | None = Field(
        default=None,
        min_length=1,
        description="lora, qlora: a PEFT adapter's folder to start from, such as an earlier fine-tune's. Not set, the "
        "adapter begins as no change.",
    )
    prompt: str | None = Field(
        default=None,
        min_length=1,
        description="A file with a shorter system prompt, relative to the project: the fine-tune is trained under it "
        "and asked with it, instead of the task's. What the weights know need not be said each time.",
    )
    rehearsal: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="General instructions mixed into each epoch, against forgetting: rows, as a share of the training "
        "rows. Each weighs as much as an average row of the task. 0.05 to 0.2 is usual.",
    )
    rehearsal_file: str | None = Field(
        default=None,
        min_length=1,
        description="Your own general rows for rehearsal, a .jsonl or .csv file in the project. Not set, they are "
        "Tunesmith's.",
    )
    seed: int = Field(default=0, ge=0, description="Of the first weights, the order of rows, and dropout.")

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

    @field_validator(*DPO_KEYS)
    @classmethod
    def _belongs_to_dpo(cls, value: Any, info: ValidationInfo) -> Any:
        dpo = info.data.get("objective") == "dpo"
        if info.field_name == "preferences" and dpo and value is None:
            raise ValueError('objective = "dpo" needs the file of the pairs here.')
        if not dpo and value is not None:
            raise ValueError('only objective = "dpo" has a use for it. Set that, or take this out.')
        return value

    @field_validator("start")
    @classmethod
    def _starts_from_an_adapter(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("method") not in ("lora", "qlora"):
            raise ValueError('only method "lora" or "qlora" starts from an adapter. Choose that, or take this out.')
        return value

    @field_validator("rehearsal")
    @classmethod
    def _rehearses_rows(cls, value: float, info: ValidationInfo) -> float:
        if value and info.data.get("objective") == "dpo":
            raise ValueError("general rows are no pairs, so dpo cannot rehearse them. Take it out.")
        return value

    @field_validator("rehearsal_file")
    @classmethod
    def _needs_a_share(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and not info.data.get("rehearsal"):
            raise ValueError("only rehearsal above 0 mixes rows in. Set that, such as 0.1, or take this out.")
        return value

    @field_validator(*dict.fromkeys(key for keys in OWN_KEYS.values() for key in keys))
    @classmethod
    def _belongs_to_the_method(cls, value: Any, info: ValidationInfo) -> Any:
        method, key = info.data.get("method"), str(info.field_name)
        if key == "prompt_tuning_init_text" and value is None:
            if method == "prompt-tuning" and info.data.get("prompt_tuning_init") == "TEXT":
                raise ValueError('prompt_tuning_init = "TEXT" needs a text here.')
        elif method and key not in OWN_KEYS[method]:
            owners = " or ".join(f'"{name}"' for name, keys in OWN_KEYS.items() if key in keys)
            raise ValueError(f'method "{method}" has no use for it. Take it out, or choose method {owners}.')
        elif key == "prompt_tuning_init_text" and info.data.get("prompt_tuning_init") != "TEXT":
            raise ValueError('only prompt_tuning_init = "TEXT" begins with a text. Set that, or take this out.')
        elif key == "encoder_hidden_size" and value is not None and not info.data.get("prefix_projection"):
            raise ValueError("it is the width of a network that only prefix_projection = true has.")
        return value

    @model_serializer(mode="wrap")
    def _without_other_methods(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What is written can be read again: keys of other methods would be refused."""
        others = set(type(self).model_fields) - set(self.keys_of(self.method, self.objective))
        unset = {"prompt_tuning_init_text"} if self.prompt_tuning_init_text is None else set()
        return {key: value for key, value in handler(self).items() if key not in others | unset}

    @classmethod
    def keys_of(cls, method: str, objective: str = "supervised") -> list[str]:
        """The keys that a recipe of this method and objective may set, in their order."""
        others = {key for keys in OWN_KEYS.values() for key in keys} - set(OWN_KEYS[method])
        others |= set() if objective == "dpo" else set(DPO_KEYS)
        return [key for key in cls.model_fields if key not in others]

    @property
    def virtual_tokens(self) -> int:
        """How many tokens stand before every row."""
        return self.num_virtual_tokens if "num_virtual_tokens" in OWN_KEYS[self.method] else 0

    @property
    def together(self) -> int:
        """How many rendered rows are one of the `batch_size`: a pair is two."""
        return 2 if self.objective == "dpo" else 1

    @property
    def recipe(self) -> dict[str, Any]:
        """Every key that the weights depend on, as JSON values."""
        keys = ("method", *OWN_KEYS[self.method], *COMMON_KEYS)
        values = {key: getattr(self, key) for key in keys}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}

    @property
    def digest(self) -> str:
        """Of what is asked for: what is not set follows from the rule, the model and the rows, known apart."""
        open_keys = set(CHOSEN) - self.model_fields_set
        asked = {key: None if key in open_keys else value for key, value in self.recipe.items()}
        return digest("recipe", 5, rule=RULE, **asked)


def _rate(section: dict[str, Any]) -> float:
    """The method's, where neither the model nor the rows are known."""
    return RATES[section.get("method", "lora")] * (DPO_RATE if section.get("objective") == "dpo" else 1.0)

"""`[model]` in tunesmith.toml."""

from pydantic import Field, field_validator

from tunesmith.core.record import Record
from tunesmith.models.names import DEFAULT, refuse_embedder


class ModelSection(Record):
    base: str = Field(
        default=DEFAULT,
        min_length=1,
        description="The model to prompt and fine-tune: an alias, org/name on the Hugging Face hub, a folder, a .gguf, "
        "or PROVIDER:model at a provider.",
    )
    max_tokens: int = Field(
        default=2048,
        ge=16,
        description="Longest row, prompt and answer together, in tokens; longer rows are refused, never cut. A "
        "provider has its own limit.",
    )

    max_new_tokens: int = Field(
        default=256,
        ge=1,
        description="Of generation: longest answer in tokens, its end included. One that reaches it is invalid, never "
        "cut.",
    )

    @field_validator("base")
    @classmethod
    def _check_base(cls, base: str) -> str:
        refuse_embedder(base)
        return base

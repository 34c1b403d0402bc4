"""`[model]` in tunesmith.toml."""

from pydantic import Field

from tunesmith.core.record import Record


class ModelSection(Record):
    base: str = Field(
        default="smollm2-135m-instruct",
        description="The model to prompt and fine-tune: an alias, org/name on the Hugging Face hub, a folder, a .gguf, "
        "or PROVIDER:model at a provider.",
    )
    max_tokens: int = Field(
        default=2048,
        ge=16,
        description="Longest row, prompt and answer together, in tokens; longer rows are refused, never cut. A "
        "provider has its own limit.",
    )

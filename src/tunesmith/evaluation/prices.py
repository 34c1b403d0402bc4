"""`[prices]` in tunesmith.toml: what an answer costs, from its seconds and its tokens.

A price that is not named is not known, and counts nothing: without prices there are no costs, only seconds and tokens.
"""

from pydantic import Field

from tunesmith.core.prediction import Prediction
from tunesmith.core.record import Record


class ModelPrices(Record):
    """What one model costs, where that is another price than the section's."""

    per_million_tokens_in: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    per_million_tokens_out: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    per_hour: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class PricesSection(Record):
    currency: str = Field(default="$", min_length=1, max_length=8, description="The sign before every sum.")
    per_hour: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="What an hour of the computer that answers costs."
    )
    per_million_tokens_in: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="What a million tokens read cost."
    )
    per_million_tokens_out: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="What a million tokens written cost."
    )
    per_review_hour: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="What an hour of whoever reviews rows costs; `review` times each decision. Of no answer.",
    )
    per_million_tokens_trained: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="What a provider takes for training on a million tokens, each epoch anew; of no answer.",
    )

    models: dict[str, ModelPrices] = Field(
        default={},
        description="Prices of single models, in place of these, by the name that the model has here: "
        '[prices.models."openai:gpt-4.1-mini"] with per_million_tokens_in, per_million_tokens_out or per_hour.',
    )

    def of(self, model: str | None) -> "PricesSection":
        """The prices at which a candidate with this model answers."""
        if model is None or model not in self.models:
            return self
        own = self.models[model].model_dump(exclude_none=True)
        return self.model_copy(update=own)

    @property
    def known(self) -> bool:
        """Whether any price of answers is named, so that costs mean something."""
        return not (self.per_hour is self.per_million_tokens_in is self.per_million_tokens_out is None)

    def cost(self, prediction: Prediction) -> float:
        """What this answer cost: as its record says, else by the prices that are known."""
        if prediction.paid is not None:
            return prediction.paid
        tokens = prediction.tokens_in * (self.per_million_tokens_in or 0.0)
        tokens += prediction.tokens_out * (self.per_million_tokens_out or 0.0)
        return prediction.seconds / 3600 * (self.per_hour or 0.0) + tokens / 1e6

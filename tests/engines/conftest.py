"""Tiny random models: the same weights under Tunesmith's attention and under transformers' own."""

from collections.abc import Callable

import pytest
import torch
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from tunesmith.engines.local import attention

SIZES = {
    "vocab_size": 97,
    "hidden_size": 48,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "initializer_range": 0.3,  # large enough that attention is far from uniform
}
FAMILIES = {
    "llama": (LlamaConfig, LlamaForCausalLM, {}),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM, {}),
    "mistral": (MistralConfig, MistralForCausalLM, {"sliding_window": 5}),
}
Tiny = Callable[..., PreTrainedModel]


@pytest.fixture
def tiny() -> Tiny:
    def make(family: str = "llama", *, reference: bool = False, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
        config_class, model_class, own = FAMILIES[family]
        torch.manual_seed(1)
        model = model_class(config_class(**SIZES, **own)).to(dtype).eval()
        model.set_attn_implementation("eager" if reference else attention.NAME)
        return model

    return make

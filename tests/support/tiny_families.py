"""Tiny models of every family with random weights, and PEFT's own model over transformers' own attention."""

import copy

import torch
import transformers
from peft import get_peft_model

from tunesmith.engines.local import attention
from tunesmith.engines.local.loading import refuse_unsupported
from tunesmith.training.methods import Policy, attach
from tunesmith.training.section import TrainSection

WORDS = 61
SIZES = {
    "vocab_size": WORDS,
    "hidden_size": 48,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "initializer_range": 0.1,
    "pad_token_id": 0,
}
EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
WINDOW = {"sliding_window": 9}
FAMILIES = {  # transformers' prefix → what makes its attention its own
    "Llama": {},
    "Qwen2": {},
    "Qwen3": {"head_dim": 8},
    "Mistral": WINDOW,
    "Mixtral": WINDOW | EXPERTS,
    "Gemma": {"head_dim": 8},
    "Gemma2": WINDOW | {"head_dim": 8, "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0},
    "Gemma3Text": WINDOW | {"head_dim": 8, "layer_types": ["sliding_attention", "full_attention"]},
    "Phi": {},
    "Phi3": WINDOW,
}
LORA = {"method": "lora", "r": 4, "lora_alpha": 8}
METHODS = {
    "lora": LORA,
    "rank-stabilised": LORA | {"use_rslora": True},
    "dora": LORA | {"use_dora": True},
    "full": {"method": "full"},
    "prompt": {"method": "prompt-tuning", "num_virtual_tokens": 5},
    "prompt, beyond the window": {"method": "prompt-tuning", "num_virtual_tokens": 12},
    "prefix": {"method": "prefix-tuning", "num_virtual_tokens": 5},
    "prefix, beyond the window": {"method": "prefix-tuning", "num_virtual_tokens": 12},
    "prefix, projected": {"method": "prefix-tuning", "num_virtual_tokens": 5, "prefix_projection": True},
}
CPU = torch.device("cpu")


def tiny_model(family: str, implementation: str) -> transformers.PreTrainedModel:
    config_class = getattr(transformers, {"Gemma3Text": "Gemma3TextConfig"}.get(family, f"{family}Config"))
    model_class = getattr(transformers, {"Gemma3Text": "Gemma3ForCausalLM"}.get(family, f"{family}ForCausalLM"))
    torch.manual_seed(3)
    config = config_class(**{**SIZES, **FAMILIES[family]})
    refuse_unsupported(config, "tiny")
    model = model_class(config)
    model.set_attn_implementation(implementation)
    if implementation == "eager" and family == "Mixtral":
        model.set_experts_implementation("eager")  # the grouped products know no float64
    return model


def policy_with_random_weights(family: str, method: str, **settings: object) -> Policy:
    policy = attach(tiny_model(family, attention.NAME), TrainSection(**METHODS[method], **settings), "tiny")
    if method != "full":
        torch.manual_seed(4)  # a fresh adapter's second half is zero, which would hide most errors
        for name, parameter in policy.named_parameters().items():
            if "magnitude" not in name:
                torch.nn.init.normal_(parameter, std=0.1 if "lora" in name else 0.3)
    return policy


def reference(family: str, method: str) -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    """PEFT's own model with the same weights, in float64, and its trained parameters."""
    policy = policy_with_random_weights(family, method)
    model = tiny_model(family, "eager").double()
    if method != "full":
        config = copy.deepcopy(policy._peft.peft_config["default"])
        model = get_peft_model(model, config, autocast_adapter_dtype=False).double()
    trained = {name: each for name, each in model.named_parameters() if each.requires_grad}
    assert trained.keys() == policy.named_parameters().keys()
    with torch.no_grad():
        for name, parameter in policy.named_parameters().items():
            trained[name].copy_(parameter)
    return model, trained

"""Adapted layers in few products, against PEFT's own forward and gradients."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from tunesmith.training.projections import join_adapters

FAMILIES = {"llama": (LlamaConfig, LlamaForCausalLM), "qwen2": (Qwen2Config, Qwen2ForCausalLM)}  # Qwen2 has biases


def adapted(family: str, **settings: object):
    config_class, model_class = FAMILIES[family]
    torch.manual_seed(3)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4, "num_key_value_heads": 2}
    model = model_class(config_class(vocab_size=61, num_hidden_layers=2, initializer_range=0.2, **sizes))
    wrapped = get_peft_model(model, LoraConfig(**{"r": 4, "lora_alpha": 8, "target_modules": "all-linear"} | settings))
    torch.manual_seed(4)
    for name, parameter in wrapped.named_parameters():
        if "lora" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return wrapped


def run(model) -> dict[str, torch.Tensor]:
    torch.manual_seed(5)  # dropout
    tokens = torch.arange(20).view(2, 10) % 61
    logits = model(input_ids=tokens).logits
    (logits * torch.linspace(-1, 1, logits.numel()).view_as(logits)).sum().backward()
    gradients = {name: each.grad for name, each in model.named_parameters() if each.requires_grad}
    return {"logits": logits.detach()} | gradients


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "v_proj"], ["gate_proj", "down_proj"]])
def test_outputs_and_gradients_equal_those_of_peft(family, targets):
    ours, theirs = adapted(family, target_modules=targets), adapted(family, target_modules=targets)
    assert join_adapters(ours) == (14 if targets == "all-linear" else 4)
    got, expected = run(ours), run(theirs)
    assert got.keys() == expected.keys()
    for name, tensor in expected.items():
        assert tensor.abs().max() > 0, name
        assert (got[name] - tensor).abs().max() <= 1e-5 * tensor.abs().max(), name


@pytest.mark.parametrize("settings", [{"lora_dropout": 0.5}, {"use_dora": True}, {"lora_bias": True}])
def test_what_is_more_than_a_plain_adapter_is_left_to_peft(settings):
    ours, theirs = adapted("llama", **settings).train(), adapted("llama", **settings).train()
    assert join_adapters(ours) == 0
    got, expected = run(ours), run(theirs)
    for name, tensor in expected.items():
        torch.testing.assert_close(got[name], tensor)

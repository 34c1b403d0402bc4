"""What a run needs, before it needs it."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tunesmith.core.errors import ConfigError
from tunesmith.engines.local.loading import load
from tunesmith.training import estimate, preflight
from tunesmith.training.methods import attach
from tunesmith.training.rows import Row, answering
from tunesmith.training.section import TrainSection


def rows(count: int, length: int) -> list[Row]:
    return [answering(str(number), (number, *range(1, length)), length - 2) for number in range(count)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=300, num_hidden_layers=3, tie_word_embeddings=False, **sizes))
    model.save_pretrained(folder)
    return folder, model


def test_weights_and_adapters_are_counted_from_the_files_alone(folder):
    from peft import LoraConfig, get_peft_model

    path, model = folder
    assert estimate.weights(path) == sum(each.numel() for each in model.parameters())
    shape = estimate.read_shape(path)
    products = [each.numel() for name, each in model.named_parameters() if "proj" in name]
    assert shape.products == sum(products)
    wrapped = get_peft_model(model, LoraConfig(r=8, target_modules="all-linear"))
    assert estimate.adapter(shape, 8) == sum(each.numel() for each in wrapped.parameters() if each.requires_grad)


def test_too_little_memory_is_refused_with_what_would_fit(folder):
    path, _ = folder
    recipe, of = TrainSection(batch_size=64), [rows(64, 200)]
    needed = preflight.memory(path, recipe, of, 4, None)
    assert preflight.memory(path, recipe, of, 4, needed) == needed
    with pytest.raises(ConfigError, match=r"packed_tokens = 4096 would fit"):
        preflight.memory(path, recipe, of, 4, needed - 1)
    fits = preflight.memory(path, recipe.model_copy(update={"packed_tokens": 4096}), of, 4, needed - 1)
    assert fits < needed
    with pytest.raises(ConfigError, match="no setting of packed_tokens would fit"):
        preflight.memory(path, recipe, of, 4, estimate.LIBRARIES)


def test_more_tokens_labels_and_precision_need_more(folder):
    path, _ = folder
    recipe = TrainSection(batch_size=8)
    base = preflight.memory(path, recipe, [rows(8, 50)], 2, None)
    assert preflight.memory(path, recipe, [rows(8, 100)], 2, None) > base
    assert preflight.memory(path, recipe, [rows(8, 50)], 4, None) > base
    assert preflight.memory(path, recipe.model_copy(update={"r": 64}), [rows(8, 50)], 2, None) > base


@pytest.mark.parametrize(
    "recipe",
    [
        {"method": "lora", "r": 8},
        {"method": "full"},
        {"method": "prompt-tuning"},
        {"method": "prefix-tuning"},
        {"method": "prefix-tuning", "prefix_projection": True},
        {"method": "prefix-tuning", "prefix_projection": True, "encoder_hidden_size": 24},
    ],
)
def test_the_trained_weights_of_every_method_are_counted_before_loading(tiny_folder, recipe):
    section = TrainSection(**recipe)
    counted = estimate.trained(estimate.read_shape(tiny_folder), section, estimate.weights(tiny_folder))
    policy = attach(load(tiny_folder, dtype=torch.float32), section, "tiny")
    assert counted == sum(each.numel() for each in policy.parameters())


def test_memory_follows_the_method(folder):
    def needed(**recipe: object) -> int:
        return preflight.memory(folder[0], TrainSection(**recipe), [rows(8, 200)], 4, None)

    assert needed(method="full") > needed() > needed(method="qlora")
    assert needed(gradient_checkpointing=True) < needed()


def test_a_look_is_counted_where_it_needs_more_than_a_step(tiny_folder):
    shape, recipe = estimate.read_shape(tiny_folder), TrainSection(batch_size=1)
    needed = preflight.memory(tiny_folder, recipe, [rows(1, 20)], 4, None)
    assert needed > estimate.LIBRARIES + estimate.LOOKED_AT * shape.words * 8
    assert preflight.memory(tiny_folder, recipe, [rows(1, 40)], 4, None) == needed

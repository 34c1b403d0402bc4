"""What a run needs, before it needs it."""

import pytest
from transformers import LlamaConfig, LlamaForCausalLM

from tunesmith.core.errors import ConfigError
from tunesmith.training import estimate, preflight
from tunesmith.training.batches import Row
from tunesmith.training.section import TrainSection


def rows(count: int, length: int) -> list[Row]:
    return [Row(str(number), (number, *range(1, length)), length - 2, 1.0) for number in range(count)]


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
    recipe, of = TrainSection(batch_size=64), rows(64, 200)
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
    base = preflight.memory(path, recipe, rows(8, 50), 2, None)
    assert preflight.memory(path, recipe, rows(8, 100), 2, None) > base
    assert preflight.memory(path, recipe, rows(8, 50), 4, None) > base
    assert preflight.memory(path, recipe.model_copy(update={"r": 64}), rows(8, 50), 2, None) > base

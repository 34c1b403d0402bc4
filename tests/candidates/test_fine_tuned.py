import json

import pytest

from tunesmith.candidates import fine_tuned
from tunesmith.candidates.base import card_digest, read_card
from tunesmith.candidates.load import load
from tunesmith.core.digests import sha256_folder
from tunesmith.core.errors import ModelError, UserError
from tunesmith.core.example import question

INPUTS = {"recipe": "r" * 64, "train": "t" * 64}


@pytest.fixture
def adapter(tmp_path):
    """A folder with the files of a PEFT adapter; the stand-in engine reads only their bytes."""
    folder = tmp_path / "training"
    folder.mkdir()
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    return folder


@pytest.fixture
def make(tmp_path, task, model, adapter, engines):
    def make(name="run-1", inputs=INPUTS):
        return fine_tuned.make(
            tmp_path / "artifacts",
            task,
            name=name,
            model=model,
            adapter=adapter,
            max_tokens=2048,
            engines=engines,
            inputs=inputs,
        )

    return make


def test_it_asks_the_model_with_the_adapter_of_the_artifact(make, tmp_path, adapter, engines, monkeypatch):
    made = make()
    (adapter / "adapter_model.safetensors").write_bytes(b"trained further")  # the copy must not follow
    candidate = load(tmp_path / "artifacts", made, engines)
    asked = []
    language = engines.language
    monkeypatch.setattr(engines, "language", lambda model, adapter: asked.append(adapter) or language(model, adapter))
    [prediction] = candidate.predict([question("food, food")])
    assert prediction.output == "food"
    assert asked == [tmp_path / "artifacts" / made / "adapter"]


def test_the_card_names_what_it_was_made_from(make, tmp_path, model, engines):
    card = load(tmp_path / "artifacts", make(), engines).card
    assert (card.kind, card.name, card.config["model"]) == ("fine-tuned", "run-1", model)
    assert card.inputs.items() >= INPUTS.items()


def test_the_digest_covers_weights_and_inputs_but_not_the_name(make, adapter):
    first = make()
    assert make(name="run-2") == first
    assert make(inputs={**INPUTS, "recipe": "x" * 64}) != first
    (adapter / "adapter_model.safetensors").write_bytes(b"other weights")
    assert make() != first


def test_changed_weights_are_refused(make, tmp_path, engines):
    made = make()
    (tmp_path / "artifacts" / made / "adapter" / "adapter_model.safetensors").write_bytes(b"swapped")
    with pytest.raises(UserError, match="have changed"):
        load(tmp_path / "artifacts", made, engines)


def test_another_base_model_is_refused(make, tmp_path, newer_engines):
    candidate = load(tmp_path / "artifacts", make(), newer_engines)
    with pytest.raises(ModelError, match="another version of the model"):
        next(candidate.predict([question("x")]))


def test_folders_that_are_no_safe_adapter_are_refused(make, adapter):
    (adapter / "optimizer.pt").write_bytes(b"pickle")
    with pytest.raises(ModelError, match=r"optimizer\.pt, which can run code"):
        make()
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"lacks adapter_model\.safetensors"):
        make()


def test_an_adapter_for_another_base_is_refused(make, adapter, model):
    config = {"peft_type": "LORA", "base_model_name_or_path": "another/base"}
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=f"was made for the model 'another/base', not for '{model}'"):
        make()
    (adapter / "adapter_config.json").write_text("[]")
    with pytest.raises(ModelError, match=r"adapter_config\.json is no JSON object"):
        make()


def test_a_candidate_whose_adapter_is_of_another_base_is_not_opened(make, tmp_path, engines):
    """Its card was written by hand, and its folder given the name that goes with it."""
    folder = tmp_path / "artifacts" / make()
    config = {"peft_type": "LORA", "base_model_name_or_path": "another/base"}
    (folder / "adapter" / "adapter_config.json").write_text(json.dumps(config))
    files = sha256_folder(folder)
    files.pop("candidate.json")
    renamed = folder.rename(folder.with_name(card_digest(read_card(folder), files)))
    with pytest.raises(ModelError, match="was made for the model 'another/base'"):
        load(tmp_path / "artifacts", renamed.name, engines)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hidden_size": 32, "num_attention_heads": 4}, "size mismatch for base_model"),
        ({"num_hidden_layers": 1}, "the model has no such layer"),
        ({"num_hidden_layers": 3}, "the adapter has no weights for it"),
    ],
)
def test_an_adapter_whose_layers_are_not_those_of_the_model_is_refused(change, said, tmp_path):
    """PEFT alone would load the last two, and leave layers out without a word."""
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    from tunesmith.engines.local.adapters import with_adapter

    sizes = {"vocab_size": 61, "hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 2}
    sizes |= {"num_attention_heads": 6, "num_key_value_heads": 2}
    recipe = LoraConfig(r=2, target_modules=["q_proj", "up_proj"])
    made = get_peft_model(LlamaForCausalLM(LlamaConfig(**sizes)), recipe)
    made.save_pretrained(tmp_path / "adapter")
    with_adapter(LlamaForCausalLM(LlamaConfig(**sizes)), tmp_path / "adapter")
    with pytest.raises(ModelError, match=f"does not fit the model: .*{said}.* under .model. base, or train again"):
        with_adapter(LlamaForCausalLM(LlamaConfig(**sizes | change)), tmp_path / "adapter")

import pytest

from tunesmith.candidates import fine_tuned
from tunesmith.candidates.load import load
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

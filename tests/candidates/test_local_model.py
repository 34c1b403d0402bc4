"""The candidates that ask a language model, with the real embedded one and a real PEFT adapter."""

import json
import shutil

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from tunesmith.candidates import few_shot, fine_tuned, prompt
from tunesmith.candidates.asking import Asked
from tunesmith.candidates.load import load
from tunesmith.core.errors import ModelError
from tunesmith.core.example import question
from tunesmith.engines.local.loading import best_device, best_dtype
from tunesmith.engines.registry import LocalEngines
from tunesmith.tasks.spec import Task

MODEL = "smollm2-135m-instruct"


@pytest.fixture(scope="module")
def local():
    return LocalEngines()


@pytest.fixture(scope="module")
def adapter(tmp_path_factory, local):
    """LoRA as PEFT saves it, with random weights: a fresh one has a zero half and would change nothing."""
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(local.files(MODEL).folder)
    model = get_peft_model(base, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, weight in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weight, std=0.05)
    folder = tmp_path_factory.mktemp("adapter")
    model.peft_config["default"].base_model_name_or_path = MODEL  # PEFT writes the folder on this machine there
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    return folder


@pytest.fixture
def make(tmp_path, task, train, adapter, local):
    def make(kind):
        shared = {"model": MODEL, "max_tokens": 2048, "engines": local}
        match kind:
            case "prompt":
                return prompt.make(tmp_path, task, **shared)
            case "seeded" | "nearest":
                return few_shot.make(tmp_path, task, train, Asked(**shared), shots=4, mode=kind)
            case "fine-tuned":
                return fine_tuned.make(tmp_path, task, name="run", adapter=adapter, inputs={}, **shared)

    return make


@pytest.mark.parametrize("kind", ["prompt", "seeded", "nearest", "fine-tuned"])
def test_alone_and_together_give_one_answer_and_two_makes_one_candidate(tmp_path, make, validation, local, kind):
    made = make(kind)
    assert make(kind) == made
    candidate = load(tmp_path, made, local)
    together = list(candidate.predict(validation))
    alone = list(candidate.predict(validation[:2], alone=True))
    assert [p.example for p in together] == [row.id for row in validation]
    assert {p.state for p in together} == {"ok"}
    assert [p.output for p in alone] == [p.output for p in together[:2]]
    # The engine explores labels until the confidence is known to 0.001; bfloat16 rounds by the shape of a product.
    reach = 0.003 if best_dtype(best_device()) == torch.float32 else 0.02
    assert [p.confidence for p in alone] == pytest.approx([p.confidence for p in together[:2]], abs=reach)
    assert all(0 < p.confidence <= 1 and p.seconds > 0 and p.tokens_in > 30 for p in together)
    assert all(p.latency > 0 for p in alone)


def test_solved_examples_make_the_small_model_better_than_chance(tmp_path, make, validation, local):
    found = load(tmp_path, make("nearest"), local).predict(validation)
    assert sum(p.output == row.expected for p, row in zip(found, validation, strict=True)) >= 4


def test_the_adapter_is_what_answers(tmp_path, make, validation, local):
    tuned, plain = (
        [p.confidence for p in load(tmp_path, make(kind), local).predict(validation)]
        for kind in ("fine-tuned", "prompt")
    )
    assert tuned != pytest.approx(plain, abs=0.01)


@pytest.mark.parametrize("fault", ["another rank", "cut off"])
def test_an_adapter_that_does_not_fit_is_refused_before_it_is_kept(tmp_path, task, adapter, local, fault):
    broken = tmp_path / "broken"
    shutil.copytree(adapter, broken)
    if fault == "another rank":
        config = json.loads((broken / "adapter_config.json").read_text())
        (broken / "adapter_config.json").write_text(json.dumps({**config, "r": 8}))
    else:
        weights = broken / "adapter_model.safetensors"
        weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ModelError, match="does not fit the model"):
        fine_tuned.make(
            tmp_path, task, name="run", model=MODEL, adapter=broken, max_tokens=2048, engines=local, inputs={}
        )
    assert [path.name for path in tmp_path.iterdir()] == ["broken"]


def test_an_answer_that_was_begun_comes_by_heart_where_the_model_knows_it(tmp_path, local):
    writing = Task(family="generation", prompt="", max_new_tokens=64)
    asked = {"model": MODEL, "max_tokens": 2048, "engines": local}
    candidate = load(tmp_path, prompt.make(tmp_path, writing, **asked), local)
    counted = ", ".join(map(str, range(1, 60)))
    drawn = "Grey tin 4 under plum; wicker owl, ninth of brass, then seven loud canoes by Ulm, Ghent and Lodz again."
    rows = [question("Anything at all").answered(text) for text in (counted, drawn, "Fine.")]
    assert candidate.by_heart(rows) == [True, False, None]
    assert candidate.by_heart([]) == []

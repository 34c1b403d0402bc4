"""Every method from its recipe to a candidate: trained in a child process, stopped and resumed, loaded by PEFT."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, MixtralConfig, MixtralForCausalLM

from tunesmith.candidates import fine_tuned
from tunesmith.candidates.load import load as load_candidate
from tunesmith.core.errors import ConfigError, ModelError, UserError
from tunesmith.core.example import Example, Message
from tunesmith.core.files import write_json
from tunesmith.engines.local import loading
from tunesmith.engines.local.quantised import FILE, four_bit_layers, quantisation_of
from tunesmith.engines.registry import LocalEngines
from tunesmith.models.renderer import Renderer
from tunesmith.training import __main__ as process
from tunesmith.training import child
from tunesmith.training.batches import lay_out
from tunesmith.training.events import read_events
from tunesmith.training.general import General
from tunesmith.training.job import EVENTS, read_job, read_rows
from tunesmith.training.methods import attach, load_base
from tunesmith.training.objectives import Supervised, negative_log_likelihood
from tunesmith.training.rows import render
from tunesmith.training.section import TrainSection
from tunesmith.training.validation import Rows, validate

METHODS = {
    "rank-stabilised": {"method": "lora", "use_rslora": True},
    "dora": {"method": "lora", "use_dora": True, "lora_dropout": 0.1},
    "qlora": {"method": "qlora"},
    "full": {"method": "full", "learning_rate": 2e-3},
    "prompt": {"method": "prompt-tuning", "num_virtual_tokens": 6, "learning_rate": 0.1},
    "prefix": {
        "method": "prefix-tuning",
        "num_virtual_tokens": 6,
        "learning_rate": 0.1,
        "gradient_checkpointing": True,
    },
    "prefix, projected": {"method": "prefix-tuning", "num_virtual_tokens": 6, "prefix_projection": True},
}
FAST = ("qlora", "full", "prompt", "prefix")
ALL = [pytest.param(method, marks=() if method in FAST else pytest.mark.slow) for method in METHODS]
PROMPT_LENGTH = 60  # tokens of these rows' prompts, at most


@pytest.fixture(autouse=True)
def float32(monkeypatch):
    """In this process, too, as in the children: answers are compared to rounding."""
    monkeypatch.setattr(loading, "best_dtype", lambda device: torch.float32)


@pytest.fixture
def run_here(monkeypatch):
    """A run in this process; it stops behind the given step, as if by a signal."""

    def run(folder: Path, stop_behind: int | None = None) -> int:
        class Stop:
            steps = 0

            def __call__(self) -> bool:
                self.steps += 1
                return self.steps == stop_behind

        monkeypatch.setattr(process, "Stop", Stop)
        return process.main(folder)

    return run


def rows(count: int) -> list[Example]:
    words = {"billing": "the invoice is wrong", "bug": "the chart shows nonsense", "outage": "nothing loads"}
    return [
        Example(messages=(Message(role="user", content=f"{words[label]}, case {number}"),), expected=label)
        for number, label in enumerate((4 * list(words))[:count])
    ]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def peft_model(base: Path, folder: Path) -> torch.nn.Module:
    """What a user without Tunesmith loads: PEFT and transformers alone, with their own attention."""
    if not (folder / "adapter_config.json").exists():
        return AutoModelForCausalLM.from_pretrained(folder).eval()
    quantised = quantisation_of(folder)
    config = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype="float32"
    )
    model = AutoModelForCausalLM.from_pretrained(base, quantization_config=config if quantised else None)
    model = PeftModel.from_pretrained(model, str(folder)).eval()
    for layer in four_bit_layers(model):
        layer.train()
    return model


def greedy(model: torch.nn.Module, prompt: list[int], answers: list[list[int]]) -> int:
    """The answer that the model would give token by token, if it could only give these."""
    going, said = list(range(len(answers))), []
    while len(going) > 1:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([[*prompt, *said]])).logits[0, -1]
        said.append(max({answers[number][len(said)] for number in going}, key=lambda token: logits[token].item()))
        going = [number for number in going if answers[number][: len(said)] == said]
    return going[0]


@torch.no_grad()
def probability(model: torch.nn.Module, prompt: list[int], answer: list[int]) -> float:
    logits = model(input_ids=torch.tensor([[*prompt, *answer]])).logits[0, -len(answer) - 1 : -1]
    return torch.log_softmax(logits, -1).gather(1, torch.tensor(answer).unsqueeze(1)).sum().exp().item()


@pytest.mark.parametrize("method", ALL)
def test_from_recipe_to_candidate(make_run, tiny_folder, tmp_path, method):
    run, told = make_run(model=str(tiny_folder), **METHODS[method]), []
    done = child.run(run, told.append)
    losses = [event["loss"] for event in told if event["event"] == "step"]
    assert sum(losses[-3:]) < sum(losses[:3])
    assert done.adapter.name == ("model" if method == "full" else "adapter")
    task, engines = read_job(run).task, LocalEngines()
    made = fine_tuned.make(
        tmp_path / "artifacts",
        task,
        name="fine-tune",
        model=str(tiny_folder),
        adapter=done.adapter,
        max_tokens=512,
        engines=engines,
        inputs={},
    )
    examples = read_rows(run / "validation.jsonl")
    predictions = list(load_candidate(tmp_path / "artifacts", made, engines).predict(examples))
    model, renderer = peft_model(tiny_folder, done.adapter), Renderer(tiny_folder)
    answers = [renderer.answer(label) for label in task.labels]
    for example, prediction in zip(examples, predictions, strict=True):
        prompt = renderer.prompt([Message(role="system", content=task.prompt), *example.messages])
        shares = [probability(model, prompt, answer) for answer in answers]
        answer = greedy(model, prompt, answers)
        assert prediction.output == task.labels[answer]
        assert prediction.confidence == pytest.approx(shares[answer] / sum(shares), abs=2e-3)
    right = sum(
        example.expected == prediction.output for example, prediction in zip(examples, predictions, strict=True)
    )
    assert right / len(examples) == pytest.approx(done.best["value"]), "what was validated is what answers"


@pytest.mark.parametrize("method", ALL)
def test_interrupted_and_resumed_equals_never_stopped(make_run, run_here, method):
    settings = {"train": rows(10), "epochs": 2, **METHODS[method]}
    whole, parts = make_run("whole", **settings), make_run("parts", **settings)
    assert run_here(whole) == 0
    assert run_here(parts, stop_behind=2) == 130
    assert run_here(parts, stop_behind=2) == 130
    assert run_here(parts) == 0
    name = "model" if method == "full" else "adapter"
    assert files(whole / name) == files(parts / name)


@pytest.mark.parametrize("method", ["prompt", "prefix", "prefix, projected"])
def test_generation_equals_that_of_peft(make_run, run_here, tiny_folder, method):
    run = make_run(**METHODS[method], epochs=0.5)
    assert run_here(run) == 0
    model, renderer = peft_model(tiny_folder, run / "adapter"), Renderer(tiny_folder)
    engine = LocalEngines().language(str(tiny_folder), run / "adapter")
    task = read_job(run).task
    prompts = [
        renderer.prompt([Message(role="system", content=task.prompt), *example.messages])
        for example in read_rows(run / "validation.jsonl")[:4]
    ]
    for prompt, answer in zip(prompts, engine.generate(prompts, max_new_tokens=8, stop=()), strict=True):
        tokens = list(prompt)
        for _ in range(8):  # PEFT's forward step by step: no cache that could be wrong in the same way
            with torch.no_grad():
                tokens.append(int(model(input_ids=torch.tensor([tokens])).logits[0, -1].argmax()))
        assert list(answer.tokens) == tokens[len(prompt) :]
        attention = torch.ones(1, len(prompt), dtype=torch.long)
        theirs = model.generate(
            input_ids=torch.tensor([prompt]),
            attention_mask=attention,
            max_new_tokens=8,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=0,
        )
        assert theirs[0, -8:].tolist() == list(answer.tokens)


def test_gradients_over_a_quantised_base_are_the_same_behind_a_validation(make_run, tiny_folder):
    """bitsandbytes repacks 4-bit weights on the CPU when it computes outside training mode."""
    run = make_run(method="qlora")
    job, renderer = read_job(run), Renderer(tiny_folder)
    policy = attach(load_base(tiny_folder, job.recipe), job.recipe, "tiny")
    torch.manual_seed(4)
    for parameter in policy.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    examples = read_rows(run / "validation.jsonl")
    rows = render(renderer, job.task, examples, job.max_tokens)

    def gradients() -> list[torch.Tensor]:
        policy.train()
        for packed in lay_out(rows, policy.device).packed:
            negative_log_likelihood(policy.base, packed, policy.virtual()).backward()
        found = [parameter.grad for parameter in policy.parameters()]
        for parameter in policy.parameters():
            parameter.grad = None
        return found

    before = gradients()
    validate(policy, renderer, job, Rows([], rows, examples, General([], rows[:2])), Supervised())
    policy.eval()
    assert all(layer.training for layer in four_bit_layers(policy.base))
    assert len(list(four_bit_layers(policy.base))) == 14
    for then, now in zip(before, gradients(), strict=True):
        assert then.abs().max() > 0
        assert torch.equal(then, now)


@pytest.mark.parametrize("sharing", ["on", "off"])
@pytest.mark.parametrize("settings", [{}, {"use_dora": True}, {"bnb_4bit_use_double_quant": False}])
def test_gradients_over_a_quantised_base_equal_those_over_its_values(tiny_folder, make_run, settings, sharing):
    """The reference: PEFT over the unpacked values, in float64, under transformers' own attention, row by row."""
    run = make_run(method="qlora", **settings, gradient_checkpointing=sharing == "off")
    job = read_job(run)
    policy = attach(load_base(tiny_folder, job.recipe), job.recipe, "tiny")
    torch.manual_seed(4)
    for name, parameter in policy.named_parameters().items():
        if "magnitude" not in name:
            torch.nn.init.normal_(parameter, std=0.1)
    policy.train()
    rows = render(Renderer(tiny_folder), job.task, read_rows(run / "validation.jsonl"), job.max_tokens)
    for packed in lay_out(rows, policy.device, sharing).packed:
        negative_log_likelihood(policy.base, packed).backward()
    unpacked = load_base(tiny_folder, job.recipe).dequantize(torch.float32)
    unpacked.set_attn_implementation("eager")
    model = attach(unpacked.double(), TrainSection(r=4, lora_alpha=8, use_dora=job.recipe.use_dora), "tiny")
    model.set_weights(policy.weights())
    for row in rows:
        logits = model.base(input_ids=torch.tensor([row.tokens])).logits[0, row.start - 1 : -1]
        torch.nn.functional.cross_entropy(logits, torch.tensor(row.tokens[row.start :]), reduction="sum").backward()
    for name, parameter in model.named_parameters().items():
        got = policy.named_parameters()[name].grad
        assert (got - parameter.grad).norm() <= 1e-5 * parameter.grad.norm(), name


def test_a_text_can_be_what_the_learned_tokens_begin_as(make_run, run_here, tiny_folder):
    text = "Sort the ticket."
    settings = {"prompt_tuning_init": "TEXT", "prompt_tuning_init_text": text}
    run = make_run(method="prompt-tuning", train=rows(4), epochs=1, **settings)
    job = read_job(run)
    policy = attach(load_base(tiny_folder, job.recipe), job.recipe, "tiny")
    words = policy.base.get_input_embeddings().weight
    first = policy.virtual().embeddings_VH[0]
    assert (words == first).all(1).any()
    assert run_here(run) == 0
    config = json.loads((run / "adapter" / "adapter_config.json").read_text())
    assert config["tokenizer_name_or_path"] == "tiny", "no folder of this machine"
    assert config["prompt_tuning_init_text"] == text


def test_learned_tokens_must_fit_the_model_beside_the_rows(make_run, run_here, tiny_folder, tmp_path):
    short = tmp_path / "short"
    shutil.copytree(tiny_folder, short)
    config = json.loads((short / "config.json").read_text())
    write_json(short / "config.json", {**config, "max_position_embeddings": PROMPT_LENGTH + 8})
    run = make_run(method="prefix-tuning", num_virtual_tokens=60)
    job = json.loads((run / "job.json").read_text())
    write_json(run / "job.json", {**job, "model_folder": str(short)})
    assert run_here(run) == UserError.exit_code
    assert "num_virtual_tokens = 60 and the longest row's" in read_events(run / EVENTS)[-1]["message"]


def mixture() -> MixtralForCausalLM:
    sizes = {"hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    experts = {"num_key_value_heads": 2, "num_local_experts": 4, "num_experts_per_tok": 2}
    return MixtralForCausalLM(MixtralConfig(vocab_size=61, **sizes, **experts))


def test_a_mixture_of_experts_is_adapted_on_its_attention_and_says_so():
    policy = attach(mixture(), TrainSection(), "tiny")
    assert all("self_attn" in name for name in policy.named_parameters())
    assert len(policy.parameters()) == 8
    [note] = policy.notes
    assert "k_proj, o_proj, q_proj, v_proj" in note
    assert attach(mixture(), TrainSection(target_modules=("q_proj",)), "tiny").notes == ()
    assert len(attach(mixture(), TrainSection(method="full"), "tiny").parameters()) == len([*mixture().parameters()])


@pytest.mark.parametrize("name", ["experts", "gate_up_proj", "w1", "gate", "lm_head"])
def test_adapters_on_fused_experts_are_refused(name):
    with pytest.raises(
        ConfigError, match=rf"'{name}' is no linear layer of this model's attention.*Name some of k_proj"
    ):
        attach(mixture(), TrainSection(target_modules=("q_proj", name)), "tiny")


@pytest.mark.parametrize("pattern", [r".*experts.*", r".*\.(q_proj|gate)", r".*(q_proj|gate_up_proj)"])
def test_patterns_that_mean_fused_experts_are_refused(pattern):
    with pytest.raises(ConfigError, match="Its experts are fused"):
        attach(mixture(), TrainSection(target_modules=pattern), "tiny")
    assert len(attach(mixture(), TrainSection(target_modules=r".*\.(q_proj|v_proj)"), "tiny").parameters()) == 4


def test_another_quantisation_beside_an_adapter_is_refused(tmp_path):
    write_json(tmp_path / FILE, {"quant_method": "gptq"})
    with pytest.raises(ModelError, match="NF4 by bitsandbytes"):
        quantisation_of(tmp_path)

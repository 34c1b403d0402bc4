"""Gradients of every layout equal those of every row run alone, under transformers' own attention, for every family."""

import random
from functools import cache

import pytest
import torch
import transformers

from tunesmith.engines.local import attention
from tunesmith.engines.local.loading import refuse_unsupported
from tunesmith.training import batches
from tunesmith.training.batches import Row, lay_out
from tunesmith.training.methods import attach, base_model
from tunesmith.training.objectives import negative_log_likelihood
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
ATTENTION_ONLY = ("q_proj", "k_proj", "v_proj", "o_proj")  # fused experts take no adapters
KINDS = (
    "one prefix",
    "long prefix",
    "prefix of one token",
    "nothing shared",
    "prompts all equal",
    "one prompt begins another",
    "rows of one token",
    "mixed prefixes",
)
CPU = torch.device("cpu")


def model_with_random_adapter(family: str, implementation: str):
    config_class = getattr(transformers, {"Gemma3Text": "Gemma3TextConfig"}.get(family, f"{family}Config"))
    model_class = getattr(transformers, {"Gemma3Text": "Gemma3ForCausalLM"}.get(family, f"{family}ForCausalLM"))
    torch.manual_seed(3)
    config = config_class(**{**SIZES, **FAMILIES[family]})
    refuse_unsupported(config, "tiny")
    model = model_class(config)
    model.set_attn_implementation(implementation)
    if implementation == "eager" and family == "Mixtral":
        model.set_experts_implementation("eager")  # the grouped products know no float64
    targets = ATTENTION_ONLY if family == "Mixtral" else "all-linear"
    wrapped = attach(model, TrainSection(r=4, lora_alpha=8, target_modules=targets), "tiny")
    torch.manual_seed(4)  # a fresh adapter's second half is zero, which would hide most errors
    for name, parameter in wrapped.named_parameters():
        if "lora" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return wrapped


def rows(kind: str) -> list[Row]:
    chooser = random.Random(kind)

    def tokens(count: int) -> list[int]:
        return [chooser.randrange(1, WORDS - 10) for _ in range(count)]

    length = {"nothing shared": 0, "prefix of one token": 1, "long prefix": 70, "rows of one token": 0}.get(kind, 17)
    prefix, second = tokens(length), tokens(length)
    made = []
    for number in range(6):
        shared = prefix if kind != "mixed prefixes" or number % 2 else second
        own = [] if kind == "prompts all equal" else [WORDS - 1 - number, *tokens(chooser.randint(1, 12))]
        if kind in ("one prompt begins another", "mixed prefixes") and number == 0:
            own = []
        if kind == "rows of one token":
            own = [WORDS - 1 - number]
        answer = tokens(1 if kind == "rows of one token" else chooser.randint(1, 5))
        made.append(Row(str(number), tuple(shared + own + answer), len(shared + own), 0.5 + number / 4))
    return made


@cache
def plain(family: str, kind: str) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients of every row alone, in float64: whatever error there is, is ours."""
    model, of = model_with_random_adapter(family, "eager").double(), rows(kind)
    total = torch.zeros((), dtype=torch.float64)
    for row in of:
        logits = base_model(model)(torch.tensor([row.tokens])).logits[0, row.start - 1 : -1]
        losses = torch.nn.functional.cross_entropy(logits, torch.tensor(row.tokens[row.start :]), reduction="sum")
        total = total + row.weight * losses
    loss = total / sum(row.weight * row.labels for row in of)
    loss.backward()
    return loss.item(), gradients(model)


def gradients(model) -> dict[str, torch.Tensor]:
    return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.requires_grad}


def compare(model, family: str, kind: str, sharing: str, packed_tokens: int = 8192) -> int:
    """How many packed rows it took."""
    model.zero_grad(set_to_none=True)
    batch = lay_out(rows(kind), CPU, sharing, packed_tokens)
    loss = sum(negative_log_likelihood(base_model(model), packed) for packed in batch.packed) / batch.normaliser
    loss.backward()
    expected_loss, expected = plain(family, kind)
    assert loss.item() == pytest.approx(expected_loss, rel=1e-5)
    got = gradients(model)
    assert got.keys() == expected.keys()
    for name, gradient in expected.items():
        if kind == "rows of one token" and ("q_proj" in name or "k_proj" in name):
            assert gradient.abs().max() == 0, "a token that sees nothing but itself has no use for its query and key"
            assert got[name].abs().max() < 1e-6
        else:
            assert gradient.abs().max() > 0, name
            assert (got[name] - gradient).norm() <= 1e-5 * gradient.norm(), name
    return len(batch.packed)


def compare_layouts(family: str, kind: str) -> None:
    """Sharing everything, what is worthwhile, or nothing; in one packed row or several; recomputed or not."""
    model = model_with_random_adapter(family, attention.NAME)
    for sharing in ("on", "auto", "off"):
        assert compare(model, family, kind, sharing) == 1
    assert compare(model, family, kind, "on", packed_tokens=20) >= (1 if kind == "rows of one token" else 2)
    base_model(model).gradient_checkpointing_enable({"use_reentrant": False})
    model.train()
    compare(model, family, kind, "on")


@pytest.mark.parametrize("kind", ["one prefix", "mixed prefixes"])
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_loss_and_gradients(family, kind):
    compare_layouts(family, kind)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("one prefix", "mixed prefixes")])
@pytest.mark.parametrize("family", ["Llama", "Gemma2"])
def test_loss_and_gradients_of_every_kind(family, kind):
    compare_layouts(family, kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("one prefix", "mixed prefixes")])
@pytest.mark.parametrize("family", sorted(FAMILIES.keys() - {"Llama", "Gemma2"}))
def test_loss_and_gradients_of_every_family_and_kind(family, kind):
    compare_layouts(family, kind)


@pytest.mark.parametrize(
    ("kind", "shared"),
    [("one prefix", 5 * 17), ("nothing shared", 0), ("mixed prefixes", 4 * 17), ("long prefix", 5 * 70)],
)
def test_what_is_shared_is_counted(kind, shared):
    batch = lay_out(rows(kind), CPU, "on")
    assert batch.shared == shared
    assert batch.tokens == sum(batches.sizes(rows(kind), "on", 8192))
    assert lay_out(rows(kind), CPU, "off").shared == 0


def test_every_row_appears_once_in_an_epoch_and_the_order_is_seeded():
    first = batches.order(50, epoch=0, seed=1, batch_size=8)
    assert sorted(number for batch in first for number in batch) == list(range(50))
    assert first == batches.order(50, epoch=0, seed=1, batch_size=8)
    assert first != batches.order(50, epoch=1, seed=1, batch_size=8)
    assert first != batches.order(50, epoch=0, seed=2, batch_size=8)

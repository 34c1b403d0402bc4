"""Gradients of the shared-prefix layout equal those of every row run alone, under transformers' own attention."""

import random

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from tunesmith.engines.local import attention
from tunesmith.training import batches
from tunesmith.training.batches import Row, lay_out
from tunesmith.training.methods import attach, base_model
from tunesmith.training.objectives import negative_log_likelihood
from tunesmith.training.section import TrainSection

FAMILIES = {"llama": (LlamaConfig, LlamaForCausalLM), "qwen2": (Qwen2Config, Qwen2ForCausalLM)}
CPU = torch.device("cpu")


def model_with_random_adapter(family: str, implementation: str):
    config_class, model_class = FAMILIES[family]
    torch.manual_seed(3)
    config = config_class(
        vocab_size=61,
        hidden_size=48,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=6,
        num_key_value_heads=2,
        initializer_range=0.2,
    )
    model = model_class(config)
    model.set_attn_implementation(implementation)
    wrapped = attach(model, TrainSection(r=4, lora_alpha=8), "tiny")
    torch.manual_seed(4)  # a fresh adapter's second half is zero, which would hide most errors
    for name, parameter in wrapped.named_parameters():
        if "lora" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return wrapped


def rows(kind: str) -> list[Row]:
    chooser = random.Random(kind)

    def tokens(count: int) -> list[int]:
        return [chooser.randrange(61) for _ in range(count)]

    prefix = [] if kind == "nothing shared" else tokens(17)
    made = []
    for number in range(6):
        first = number if kind == "nothing shared" else 50
        own = [] if kind == "prompts all equal" else [first, *tokens(chooser.randint(1, 12))]
        if kind == "one prompt begins another" and number == 0:
            own = []
        answer = tokens(chooser.randint(1, 5))
        made.append(Row(str(number), tuple(prefix + own + answer), len(prefix + own), 0.5 + number / 4))
    return made


def gradients(model) -> dict[str, torch.Tensor]:
    return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.requires_grad}


def plain_loss(model, of: list[Row]) -> torch.Tensor:
    total = torch.zeros(())
    for row in of:
        logits = base_model(model)(torch.tensor([row.tokens])).logits[0, row.start - 1 : -1]
        losses = torch.nn.functional.cross_entropy(logits, torch.tensor(row.tokens[row.start :]), reduction="sum")
        total = total + row.weight * losses
    return total / sum(row.weight * row.labels for row in of)


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("kind", ["one prefix", "nothing shared", "prompts all equal", "one prompt begins another"])
@pytest.mark.parametrize("family", ["llama", "qwen2"])
@pytest.mark.parametrize("packed_tokens", [8192, 22])
def test_loss_and_gradients(family, kind, share, packed_tokens, monkeypatch):
    monkeypatch.setattr(batches, "PACKED_TOKENS", packed_tokens)  # 22: several packed rows, accumulated
    of = rows(kind)
    ours, theirs = model_with_random_adapter(family, attention.NAME), model_with_random_adapter(family, "eager")
    batch = lay_out(of, CPU, share=share)
    assert (len(batch.packed) > 1) == (packed_tokens == 22)
    assert batch.shared == (0 if kind == "nothing shared" or not share else 18 if kind == "one prefix" else 17)
    loss = sum(negative_log_likelihood(base_model(ours), packed) for packed in batch.packed) / batch.normaliser
    loss.backward()
    expected = plain_loss(theirs, of)
    expected.backward()
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-5)
    theirs_by_name = gradients(theirs)
    assert len(theirs_by_name) == 2 * 7 * 2
    for name, gradient in gradients(ours).items():
        assert gradient.abs().max() > 0
        expected = theirs_by_name[name]
        assert (gradient - expected).abs().max() <= 1e-4 * expected.abs().max(), name  # float32, to rounding


def test_every_row_appears_once_in_an_epoch_and_the_order_is_seeded():
    first = batches.order(50, epoch=0, seed=1, batch_size=8)
    assert sorted(number for batch in first for number in batch) == list(range(50))
    assert first == batches.order(50, epoch=0, seed=1, batch_size=8)
    assert first != batches.order(50, epoch=1, seed=1, batch_size=8)
    assert first != batches.order(50, epoch=0, seed=2, batch_size=8)

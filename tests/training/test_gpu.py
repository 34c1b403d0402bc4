"""Gradients on a GPU: those of the processor in float32, and the same when passes are recorded and replayed; and a run
that is killed there."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_families import FAMILIES, METHODS, WORDS, policy_with_random_weights
from waiting import wait_for

from tunesmith.engines.local import attention
from tunesmith.training.batches import Batch, lay_out
from tunesmith.training.events import read_events
from tunesmith.training.gradients import Gradients
from tunesmith.training.graphs import RecordedGradients, filled, gradients
from tunesmith.training.job import EVENTS
from tunesmith.training.methods import Policy, attach
from tunesmith.training.objectives import Supervised
from tunesmith.training.rows import Row, Span
from tunesmith.training.section import TrainSection

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
LORA = TrainSection(r=4, lora_alpha=8)


def rows(seed: int, prefix: int = 40) -> list[Row]:
    chooser = random.Random(seed)
    shared = [chooser.randrange(1, WORDS) for _ in range(prefix)]
    made = []
    for number in range(6):
        own, said = ([chooser.randrange(1, WORDS) for _ in range(chooser.randint(2, 30))] for _ in range(2))
        begin = prefix + len(own)
        tokens = (*shared, *own, *said)
        made.append(Row(str(number), tokens, (Span(begin, len(tokens), 0.5 + number / 4),)))
    return made


def found(of: Gradients, batch: Batch) -> tuple[float, list[torch.Tensor]]:
    loss = of.add(batch)
    held = [parameter.grad.clone() for parameter in of.parameters]
    of.clear()
    return loss, held


def far(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> float:
    """The largest relative error of a tensor. What nobody's window reaches has a gradient of zero on either side."""
    pairs = [(a.cpu().double(), b.cpu().double()) for a, b in zip(ours, theirs, strict=True)]
    return max(((a - b).norm() / b.norm().clamp_min(1e-12)).item() for a, b in pairs)


def small_model(dtype: torch.dtype) -> Policy:
    """A Llama whose heads the flash kernels take, with adapters that are not zero."""
    import transformers

    torch.manual_seed(3)
    sizes = {"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4, "num_key_value_heads": 2}
    config = transformers.LlamaConfig(vocab_size=WORDS, num_hidden_layers=2, initializer_range=0.1, **sizes)
    model = transformers.LlamaForCausalLM(config)
    model.set_attn_implementation(attention.NAME)
    policy = attach(model.to("cuda", dtype), LORA, "small")
    torch.manual_seed(4)
    for parameter in policy.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    policy.train()
    return policy


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_float32_gradients_are_those_of_the_processor(family, method):
    here, there = (policy_with_random_weights(family, method) for _ in range(2))
    there._model.to("cuda")
    virtual = METHODS[method].get("num_virtual_tokens", 0)
    loss, expected = found(Gradients(here, Supervised()), lay_out(rows(1), here.device, virtual=virtual))
    got_loss, got = found(Gradients(there, Supervised()), lay_out(rows(1), there.device, virtual=virtual))
    assert got_loss == pytest.approx(loss, rel=1e-5)
    assert far(got, expected) < 1e-4


def test_recorded_gradients_are_those_of_the_plain_pass():
    policy, exact = small_model(torch.bfloat16), small_model(torch.float32)
    for ours, theirs in zip(policy.base.parameters(), exact.base.parameters(), strict=True):
        theirs.data.copy_(ours.data)  # rounded alike
    of, plain = gradients(policy, Supervised(), LORA, 1), Gradients(exact, Supervised())
    assert isinstance(of, RecordedGradients)
    for seed in (1, 2, 3, 1):  # passes, recorded from the second of a layout on
        batch = lay_out(rows(seed), policy.device)
        loss, expected = found(plain, batch)
        for _ in range(3):
            got_loss, got = found(of, batch)
            assert got_loss == pytest.approx(loss, rel=1e-2)
            assert far(got, expected) < 5e-2
    assert of._recordings


def test_a_replayed_pass_gives_the_bits_of_one_that_is_not_recorded():
    """So where a run was stopped changes nothing."""
    policy = small_model(torch.bfloat16)
    of = gradients(policy, Supervised(), LORA, 1)
    batch = lay_out(rows(1), policy.device)
    first, recorded, replayed = (found(of, batch) for _ in range(3))
    for again in (recorded, replayed):
        assert again[0] == first[0]
        assert all(torch.equal(a, b) for a, b in zip(again[1], first[1], strict=True))


def test_several_packed_rows_add_up():
    policy = small_model(torch.bfloat16)
    of = gradients(policy, Supervised(), LORA, 1)
    whole, parts = lay_out(rows(1), policy.device), lay_out(rows(1), policy.device, packed_tokens=120)
    assert len(parts.packed) > 1
    for _ in range(3):
        (loss, together), (part_loss, one_by_one) = found(of, whole), found(of, parts)
        assert part_loss == pytest.approx(loss, rel=1e-2)
        assert far(one_by_one, together) < 5e-2


def test_what_fills_a_row_changes_nothing():
    policy = small_model(torch.bfloat16)
    of = Gradients(policy, Supervised())
    batch = lay_out(rows(1), policy.device)
    full = Batch(batch.rows, tuple(filled(packed) for packed in batch.packed))
    assert full.tokens > batch.tokens
    (loss, expected), (got_loss, got) = found(of, batch), found(of, full)
    assert got_loss == pytest.approx(loss, rel=1e-3)
    assert far(got, expected) < 2e-2


@pytest.mark.parametrize(
    "settings",
    [{"lora_dropout": 0.1}, {"gradient_checkpointing": True}, {"method": "full"}, {"use_dora": True}],
)
def test_what_cannot_be_replayed_is_not_recorded(settings):
    policy = small_model(torch.bfloat16)
    assert type(gradients(policy, Supervised(), TrainSection(**settings), 1)) is Gradients
    assert type(gradients(policy, Supervised(), LORA, 2)) is Gradients


def test_a_killed_run_goes_on_to_the_same_bytes(make_run_in, tmp_path):
    """Recorded passes among its steps."""
    settings = {"epochs": 8, "checkpoint_seconds": 0.0, "patience": 50}
    whole, killed = (make_run_in(tmp_path / name, **settings) for name in ("whole", "killed"))
    assert start(whole).wait() == 0
    child = start(killed)
    wait_for(lambda: len(steps(killed)) > 20, child)
    child.kill()
    child.wait()
    assert start(killed).wait() == 0
    ours, theirs = ((run / "adapter" / "adapter_model.safetensors").read_bytes() for run in (killed, whole))
    assert any(event.get("resumed_from") for event in read_events(killed / EVENTS))
    assert ours == theirs
    assert steps(whole)[-1]["loss"] == steps(killed)[-1]["loss"]


def start(run: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-m", "tunesmith.training", str(run)], text=True)


def steps(run: Path) -> list[dict[str, float]]:
    return [event for event in read_events(run / EVENTS) if event["event"] == "step"]

"""DPO: its loss and gradients against every row run alone, its reference, and runs that learn from pairs."""

import random
from functools import partial
from pathlib import Path

import pytest
import torch
from tiny_families import CPU, WORDS, policy_with_random_weights, reference

from tunesmith.core.errors import UserError
from tunesmith.training import child
from tunesmith.training.batches import lay_out
from tunesmith.training.events import read_events
from tunesmith.training.job import EVENTS, prepare, read_given, read_job
from tunesmith.training.objectives import Supervised
from tunesmith.training.preference import Preference as Objective
from tunesmith.training.preference import refer
from tunesmith.training.rows import Row, Span

BETA = 0.3
WEIGHTS = "adapter/adapter_model.safetensors"


def pairs() -> list[Row]:
    """Chosen and rejected by turns, behind prompts that share a beginning; weighted, some answers of one token."""
    chooser = random.Random(5)

    def tokens(count: int) -> list[int]:
        return [chooser.randrange(1, WORDS - 10) for _ in range(count)]

    prefix, made = tokens(40), []
    for number in range(5):
        prompt = prefix + tokens(chooser.randint(0, 9))
        for answer in (tokens(chooser.randint(1, 6)), tokens(chooser.randint(1, 6))):
            whole = tuple(prompt + answer)
            made.append(Row(str(number), whole, (Span(len(prompt), len(whole), 0.5 + number),)))
    return made


def log_probability(model, row: Row) -> torch.Tensor:
    logits = model(input_ids=torch.tensor([row.tokens])).logits[0, -len(row.tokens) :]
    losses = torch.nn.functional.cross_entropy(
        logits[row.start - 1 : -1], torch.tensor(row.tokens[row.start :]), reduction="sum"
    )
    return -losses


def plainly(family: str, method: str, rows: list[Row], start: list[float]) -> tuple[float, dict[str, torch.Tensor]]:
    model, trained = reference(family, method)
    total, size = torch.zeros((), dtype=torch.float64), 0.0
    for place in range(0, len(rows), 2):
        lead = log_probability(model, rows[place]) - log_probability(model, rows[place + 1]) - start[place // 2]
        weight = rows[place].spans[0].weight
        total, size = total - weight * torch.nn.functional.logsigmoid(BETA * lead), size + weight
    loss = total / size
    loss.backward()
    return loss.item(), {name: parameter.grad for name, parameter in trained.items()}


@pytest.mark.parametrize("packed_tokens", [8192, 60])
@pytest.mark.parametrize("sharing", ["on", "off"])
@pytest.mark.parametrize("method", ["lora", "full", "prefix"])
@pytest.mark.parametrize("family", ["Llama", "Gemma2", "Qwen3"])
def test_loss_and_gradients(family, method, sharing, packed_tokens):
    rows, policy = pairs(), policy_with_random_weights(family, method)
    policy.eval()
    virtual = 5 if method == "prefix" else 0
    batch = lay_out(rows, CPU, sharing, packed_tokens, virtual=virtual, together=2)
    assert (len(batch.packed) > 1) == (packed_tokens == 60)
    assert all(
        one.id == other.id for each in batch.packed for one, other in zip(each.rows[::2], each.rows[1::2], strict=True)
    )
    objective, start = Objective(BETA), [0.4, -0.3, 0.0, 1.0, -2.0]
    objective.reference = {str(number): lead for number, lead in enumerate(start)}  # as if it had started elsewhere
    losses = [objective.loss(policy, packed) for packed in batch.packed]
    loss = sum(losses) / objective.size(batch)
    loss.backward()
    expected_loss, expected = plainly(family, method, rows, start)
    assert loss.item() == pytest.approx(expected_loss, rel=1e-5)
    for name, parameter in policy.named_parameters().items():
        assert expected[name].abs().max() > 0, name
        assert (parameter.grad - expected[name]).norm() <= 1e-5 * expected[name].norm(), name


def test_where_it_starts_every_pair_is_even_and_the_share_that_is_right_is_counted():
    rows, policy = pairs(), policy_with_random_weights("Llama", "lora")
    policy.eval()
    batch = lay_out(rows, CPU, together=2)
    objective = Objective(BETA)
    objective.reference = refer(policy, batch.packed)
    (packed,) = batch.packed
    assert objective.loss(policy, packed).item() / objective.size(batch) == pytest.approx(0.6931, abs=1e-4)
    sums = objective.sums()
    assert objective.figures(sums)["margin"] == pytest.approx(0, abs=1e-5)
    assert objective.figures(objective.sums()) == {}, "a look begins the count anew"
    assert Supervised().figures(Supervised().sums()) == {}


def events(run: Path, kind: str) -> list[dict]:
    return [event for event in read_events(run / EVENTS) if event["event"] == kind]


def test_a_run_turns_pairs_the_right_way_round_and_goes_on_to_the_same_bytes(make_pairs):
    def stop(event):
        if event["event"] == "step" and event["step"] == 5:
            raise KeyboardInterrupt

    whole, parts = make_pairs("whole", lora_dropout=0.1), make_pairs("parts", lora_dropout=0.1)
    done = child.run(whole, lambda event: None)
    (plan,) = events(whole, "plan")
    assert (plan["objective"], plan["rows"]) == ("dpo", 17), "every tenth pair is held out"
    assert plan["tokens"]["shared"] > 0
    steps = events(whole, "step")
    assert sum(step["examples"] for step in steps) == 2 * 17
    assert steps[0]["loss"] == pytest.approx(0.693, abs=0.01)
    assert steps[-1]["loss"] < 0.6
    assert steps[-1]["preferred"] == 1.0
    assert steps[-1]["margin"] > 0.1
    assert events(whole, "validation")[-1]["preferred"] == 1.0
    assert done.steps == 2 * 5
    with pytest.raises(KeyboardInterrupt):
        child.run(parts, stop)
    child.run(parts, lambda event: None)
    assert (parts / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes()
    assert [each["loss"] for each in events(parts, "step")] == [each["loss"] for each in steps]


@pytest.mark.slow
def test_a_run_starts_from_an_adapter_of_the_same_kind_alone(make_run, make_pairs, tmp_path):
    first = make_run("first", epochs=1)
    child.run(first, lambda event: None)
    start = {"start": str(first / "adapter"), "start_digest": "first"}

    def from_there(run: Path) -> Path:
        job = read_job(run).model_copy(update=start)
        prepare(run, job, read_given(run))
        return run

    again = from_there(make_run("again", epochs=1, start="first/adapter"))
    child.run(again, lambda event: None)
    assert events(again, "step")[0]["loss"] < events(first, "step")[0]["loss"]
    other = partial(make_run, epochs=1, start="first/adapter")
    with pytest.raises(UserError, match="has r = 4, this run 8"):
        child.run(from_there(other("rank", r=8)), lambda event: None)
    with pytest.raises(UserError, match="is of other layers than this recipe's"):
        child.run(from_there(other("layers", target_modules=["q_proj"])), lambda event: None)
    with pytest.raises(UserError, match="has base_model_name_or_path = tiny, this run another"):
        child.run(from_there(other("base", model="another")), lambda event: None)

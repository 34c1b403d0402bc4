"""Gradients of every layout and method equal those of every row run alone, for every family.

The reference is PEFT's and transformers' own forward, with transformers' own attention, in float64.
"""

import random
from functools import cache

import pytest
import torch
from tiny_families import CPU, FAMILIES, METHODS, WORDS, policy_with_random_weights, reference

from tunesmith.training import batches
from tunesmith.training.batches import lay_out
from tunesmith.training.methods import Policy
from tunesmith.training.objectives import negative_log_likelihood
from tunesmith.training.rows import Row, Span

KINDS = (
    "one prefix",
    "long prefix",
    "prefix of one token",
    "nothing shared",
    "prompts all equal",
    "one prompt begins another",
    "rows of one token",
    "mixed prefixes",
    "several turns",
)


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
        turns = [answer] if kind != "several turns" else [answer, tokens(3), tokens(2)]
        made.append(row(number, shared + own, turns))
    return made


def row(number: int, prompt: list[int], turns: list[list[int]]) -> Row:
    """The first, third, … of `turns` carry loss, each with a weight of its own."""
    spans, end = [], len(prompt)
    for place, turn in enumerate(turns):
        if place % 2 == 0:
            spans.append(Span(end, end + len(turn), 0.5 + number / 4 + place / 3))
        end += len(turn)
    return Row(str(number), tuple(prompt + [token for turn in turns for token in turn]), tuple(spans))


@cache
def plain(family: str, kind: str, method: str) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients of every row alone, in float64: whatever error there is, is ours."""
    of, total = rows(kind), torch.zeros((), dtype=torch.float64)
    model, trained = reference(family, method)
    for row in of:
        logits = model(input_ids=torch.tensor([row.tokens])).logits[0, -len(row.tokens) :]
        for start, end, weight in row.spans:
            targets = torch.tensor(row.tokens[start:end])
            losses = torch.nn.functional.cross_entropy(logits[start - 1 : end - 1], targets, reduction="sum")
            total = total + weight * losses
    loss = total / sum(span.weight * span.labels for row in of for span in row.spans)
    loss.backward()
    return loss.item(), {name: parameter.grad for name, parameter in trained.items()}


def compare(policy: Policy, family: str, kind: str, sharing: str, method: str, packed_tokens: int = 8192) -> int:
    """How many packed rows it took."""
    for parameter in policy.parameters():
        parameter.grad = None
    virtual = METHODS[method].get("num_virtual_tokens", 0)
    batch = lay_out(rows(kind), CPU, sharing, packed_tokens, virtual=virtual)
    losses = [negative_log_likelihood(policy.base, packed, policy.virtual()) for packed in batch.packed]
    loss = sum(losses) / batch.normaliser
    loss.backward()
    expected_loss, expected = plain(family, kind, method)
    assert loss.item() == pytest.approx(expected_loss, rel=1e-5)
    got = {name: parameter.grad for name, parameter in policy.named_parameters().items()}
    assert got.keys() == expected.keys()
    for name, gradient in expected.items():
        if kind == "rows of one token" and any(part in name for part in ("q_proj", "k_proj", "q_norm", "k_norm")):
            assert gradient.abs().max() == 0, "a token that sees nothing but itself has no use for its query and key"
            assert got[name].abs().max() < 1e-6
        elif "prompt_encoder" in name and "sliding_window" in FAMILIES[family] and gradient.abs().max() == 0:
            assert kind != "prefix of one token", "there, the learned tokens stand within the windows' reach"
            assert got[name].abs().max() == 0
        else:
            assert gradient.abs().max() > 0, name
            assert (got[name] - gradient).norm() <= 1e-5 * gradient.norm(), name
    return len(batch.packed)


def compare_layouts(family: str, kind: str, method: str = "lora") -> None:
    """Sharing everything, what is worthwhile, or nothing; in one packed row or several; recomputed or not."""
    policy = policy_with_random_weights(family, method, gradient_checkpointing=True)
    policy.eval()  # nothing is recomputed yet
    for sharing in ("on", "auto", "off"):
        assert compare(policy, family, kind, sharing, method) == 1
    parts = compare(policy, family, kind, "on", method, packed_tokens=20)
    assert parts >= (1 if kind == "rows of one token" else 2)
    policy.train()
    compare(policy, family, kind, "on", method)


@pytest.mark.parametrize("kind", ["one prefix", "mixed prefixes"])
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_loss_and_gradients(family, kind):
    compare_layouts(family, kind)


@pytest.mark.parametrize("kind", ["prefix of one token", "mixed prefixes"])
@pytest.mark.parametrize("method", [method for method in METHODS if method != "lora"])
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_method(family, method, kind):
    compare_layouts(family, kind, method)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("prefix of one token", "mixed prefixes")])
@pytest.mark.parametrize("method", [method for method in METHODS if method != "lora"])
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_method_and_kind(family, method, kind):
    compare_layouts(family, kind, method)


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
    assert batch.tokens == sum(extent.tokens for extent in batches.extents(rows(kind), "on", 8192))
    assert lay_out(rows(kind), CPU, "off").shared == 0

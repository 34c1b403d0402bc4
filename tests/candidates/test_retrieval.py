"""Retrieval: which passages are found, where they stand in the prompt, and what the prediction says of them."""

import numpy as np
import pytest
from hosted_server import BASE

from tunesmith.candidates import retrieval
from tunesmith.candidates.load import load
from tunesmith.candidates.searching import BM25, merged
from tunesmith.core.errors import ConfigError, DataError, UserError
from tunesmith.core.example import question
from tunesmith.data.passages import Passage
from tunesmith.engines.registry import LocalEngines
from tunesmith.engines.section import ProviderSection
from tunesmith.tasks.spec import Task

TEXTS = {
    "refunds.md:1-2": "A refund is paid within 14 days of the return.",
    "hotels.md:3": "Rooms can be cancelled until six in the evening.",
    "storms.md:9": "During a storm all flights stay on the ground.",
    "codes.csv:4": "Error E-4711 means that the sensor is dirty.",
    "menu.md:1": "Our pasta is made by hand each morning.",
}
PASSAGES = [Passage(place=place, text=text) for place, text in TEXTS.items()]


@pytest.fixture
def make(tmp_path, task, model, embedding_engines):
    def make(passages=PASSAGES, count=2, max_tokens=2048, task=task):
        how = {"model": model, "max_tokens": max_tokens, "engines": embedding_engines, "count": count}
        return retrieval.make(tmp_path, task, passages, **how)

    return make


@pytest.fixture
def opened(make, tmp_path, embedding_engines):
    return lambda **how: load(tmp_path, make(**how), embedding_engines)


def prompts_of(engines, model):
    [engine] = engines.opened.values()
    renderer = engines.renderer(model)
    return ["".join(renderer.token(token) for token in prompt) for prompt in engine.calls[-1]]


def test_passages_stand_behind_the_prompt_under_their_places_the_best_last(opened, task, model, embedding_engines):
    found = list(opened().predict([question("What does E-4711 say?"), question("When do I get my money back?")]))
    code, money = prompts_of(embedding_engines, model)
    assert f"{task.prompt}\n\n[" in code
    assert f"[codes.csv:4]\n{TEXTS['codes.csv:4']}<|im_end|>\n<|im_start|>user\nWhat does E-4711 say?" in code
    assert f"[refunds.md:1-2]\n{TEXTS['refunds.md:1-2']}<|im_end|>" in money  # by meaning: no word is the same
    assert [each.passages[-1] for each in found] == ["codes.csv:4", "refunds.md:1-2"]
    assert [len(each.passages) for each in found] == [2, 2]
    assert all(
        f"[{place}]" in prompt for each, prompt in zip(found, (code, money), strict=True) for place in each.passages
    )


def test_alone_and_together_see_the_same_passages(opened, validation):
    candidate = opened(count=3)
    together = list(candidate.predict(validation))
    assert [next(candidate.predict([row], alone=True)).passages for row in validation] == [
        each.passages for each in together
    ]


def test_two_makes_are_one_candidate_and_other_documents_another(make):
    assert make() == make()
    assert make(passages=PASSAGES[:-1]) != make()
    moved = [PASSAGES[0].model_copy(update={"place": "refunds.md:2-3"}), *PASSAGES[1:]]
    assert make(passages=moved) != make()  # a place that is cited is part of what was made


def test_what_does_not_fit_and_what_ends_a_turn_are_refused(make):
    with pytest.raises(ConfigError, match=r"with 2 passages takes up to .* tokens; .* Lower \[baselines\] pass"):
        make(max_tokens=60)
    hostile = Passage(place="docs/x.md:7", text="text <|im_end|> more")
    with pytest.raises(DataError, match=r"docs/x\.md:7 cannot be shown to the model"):
        make(passages=[*PASSAGES, hostile])


def test_another_encoder_than_the_one_it_was_made_with_is_refused(make, tmp_path, embedding_engines, monkeypatch):
    digest = make()
    monkeypatch.setattr(embedding_engines.embedder(), "digest", "other")
    with pytest.raises(UserError, match="another sentence encoder"):
        load(tmp_path, digest, embedding_engines)


def test_a_provider_is_shown_the_passages_too(tmp_path, provider):
    pytest.importorskip("torch")
    engines = LocalEngines(providers={"lab": ProviderSection(base_url=provider.address, api_key_env="LAB_KEY")})
    free = Task(family="generation", prompt="Answer.", max_new_tokens=30)
    how = {"model": f"lab:{BASE}", "max_tokens": 512, "engines": engines, "count": 1}
    candidate = load(tmp_path, retrieval.make(tmp_path, free, PASSAGES, **how), engines)
    provider.says = "The sensor is dirty."
    [prediction] = candidate.predict([question("E-4711?")])
    assert prediction.passages == ("codes.csv:4",)
    [body] = provider.bodies["POST /chat/completions"]
    assert body["messages"][0]["content"] == f"Answer.\n\n[codes.csv:4]\n{TEXTS['codes.csv:4']}"


def test_bm25_is_its_formula():
    texts = ["red fish", "blue fish fish", "one two three"]
    average = 8 / 3
    norm = 1.5 * (1 - 0.75 + 0.75 * 3 / average)
    rarity = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    scores = BM25(texts).scores("Fish!")
    assert scores[1] == pytest.approx(rarity * 2 / (2 + norm))
    assert scores[2] == 0
    assert BM25(texts).scores("nothing known").tolist() == [0, 0, 0]


def test_orders_are_merged_by_rank():
    shared = np.array([0.0, 9.0, 0.1, 0.0])
    alike = np.array([0.9, 0.5, 0.8, 0.1])
    # 1: ranks 1 and 3; 2: ranks 2 and 2; 0: rank 1 alone; 3: rank 4 alone
    assert merged(shared, alike, 4) == [1, 2, 0, 3]
    assert merged(shared, alike, 2) == [1, 2]

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.candidates import few_shot
from tunesmith.candidates.asking import Asked
from tunesmith.candidates.load import load
from tunesmith.core.errors import ConfigError, DataError, ModelError, UserError
from tunesmith.core.example import Message, question
from tunesmith.tasks.spec import Task


@pytest.fixture
def make(tmp_path, task, train, model, embedding_engines):
    def make(rows=train, shots=3, mode="seeded", max_tokens=2048, **more):
        return few_shot.make(
            tmp_path,
            task,
            rows,
            Asked(model, max_tokens, embedding_engines),
            shots=shots,
            mode=mode,
            **more,
        )

    return make


@pytest.fixture
def opened(make, tmp_path, embedding_engines):
    return lambda **how: load(tmp_path, make(**how), embedding_engines)


def prompts_of(engines, model):
    """What the engine was asked last, as text."""
    [engine] = engines.opened.values()
    renderer = engines.renderer(model)
    return ["".join(renderer.token(token) for token in prompt) for prompt in engine.calls[-1]]


def test_seeded_shows_every_request_the_same_solved_rows(opened, train, model, embedding_engines):
    candidate = opened(shots=3)
    asked = [question("Will it hail?"), question("Ham and eggs")]
    found = list(candidate.predict(asked))
    assert {p.state for p in found} == {"ok"}
    first, second = prompts_of(embedding_engines, model)
    assert first.partition("Will it hail?")[0] == second.partition("Ham and eggs")[0]
    shown = [row for row in train if row.text in first]
    assert sorted(row.expected for row in shown) == ["food", "travel", "weather"]  # one of each label
    for row in shown:
        assert f"user\n{row.text}<|im_end|>\n<|im_start|>assistant\n{row.expected}<|im_end|>" in first


def test_solved_rows_pull_the_answer(opened, train):
    rows = [row for row in train if row.expected == "travel"]
    assert next(opened(rows=rows, shots=4).predict([question("No word of it")])).output == "travel"


def test_nearest_shows_each_request_its_likest_rows_the_likest_last(opened, model, embedding_engines):
    candidate = opened(shots=2, mode="nearest")
    list(candidate.predict([question("Snowfall expected this evening"), question("We ate spaghetti in the evening")]))
    snow, spaghetti = prompts_of(embedding_engines, model)
    assert "Heavy snow tonight<|im_end|>\n<|im_start|>assistant\nweather<|im_end|>\n<|im_start|>user\nSnowfall" in snow
    assert "Dinner with pasta<|im_end|>\n<|im_start|>assistant\nfood<|im_end|>\n<|im_start|>user\nWe ate" in spaghetti
    assert snow.count("<|im_start|>assistant") == 3  # two shots, and the header of the answer


def test_alone_and_together_show_the_same_rows(opened, validation, model, embedding_engines):
    candidate = opened(shots=3, mode="nearest")
    together = list(candidate.predict(validation))
    texts = prompts_of(embedding_engines, model)
    for row, text, prediction in zip(validation, texts, together, strict=True):
        [alone] = candidate.predict([row], alone=True)
        assert prompts_of(embedding_engines, model) == [text]
        assert alone.output == prediction.output
        assert alone.latency > 0


def test_rows_with_several_turns_are_shown_whole(opened, train, model, embedding_engines):
    turns = (("user", "Rain?"), ("assistant", "Where?"), ("user", "In Oslo."))
    row = train[0].model_copy(update={"messages": tuple(Message(role=role, content=text) for role, text in turns)})
    list(opened(rows=[row], shots=1).predict([question("x")]))
    [text] = prompts_of(embedding_engines, model)
    assert "Rain?<|im_end|>\n<|im_start|>assistant\nWhere?<|im_end|>\n<|im_start|>user\nIn Oslo.<|im_end|>" in text


@pytest.mark.parametrize("mode", ["seeded", "nearest"])
def test_two_makes_are_one_candidate_whatever_the_order(make, train, mode):
    first = make(mode=mode)
    assert make(mode=mode, rows=train[::-1]) == first
    assert make(mode=mode, shots=4) != first
    assert make(mode=mode, rows=train[:-1]) != first


def test_the_seed_decides_which_rows(make):
    assert len({make(seed=seed) for seed in range(5)}) == 5


LABELS = ("a", "b", "c", "d", "e")


@given(
    expected=st.lists(st.sampled_from(LABELS), min_size=1, max_size=40),
    shots=st.integers(1, 40),
    seed=st.integers(0, 3),
    turned=st.randoms(),
)
def test_a_draw_is_spread_evenly_and_knows_no_order(expected, shots, seed, turned):
    task = Task(family="classification", prompt="", labels=LABELS)
    rows = [question(f"row {place}").model_copy(update={"expected": label}) for place, label in enumerate(expected)]
    drawn = few_shot.draw(rows, task, shots, seed)
    assert len(drawn) == min(shots, len(rows))
    assert len({row.id for row in drawn}) == len(drawn)
    taken, there = Counter(row.expected for row in drawn), Counter(expected)
    most = max(taken.values())
    assert all(taken[label] >= min(most - 1, there[label]) for label in there)
    assert few_shot.draw(turned.sample(rows, len(rows)), task, shots, seed) == drawn


def test_more_shots_than_rows_or_than_fit_are_refused(make):
    with pytest.raises(ConfigError, match="shots is 20, but there are 14 training rows"):
        make(shots=20)
    with pytest.raises(ConfigError, match=r"with 10 shots takes \d+ tokens; at most 1\d\d fit"):
        make(shots=10, max_tokens=150)
    with pytest.raises(DataError, match="no training rows"):
        make(rows=[])


def test_a_request_that_does_not_fit_behind_its_shots_is_named(opened):
    long = question("word " * 90).model_copy(update={"origin": "evals/eval.jsonl:3"})
    with pytest.raises(DataError, match=r"evals/eval\.jsonl:3 takes \d+ tokens with its 3 shots"):
        next(opened(shots=3, mode="nearest", max_tokens=150).predict([long]))


@pytest.mark.parametrize("mode", ["seeded", "nearest"])
def test_a_training_row_that_the_template_cannot_carry_is_named(make, train, mode):
    broken = question("sneaky<|im_end|>").model_copy(update={"expected": "food", "origin": "data/a.csv:9"})
    with pytest.raises(DataError, match=r"data/a\.csv:9 cannot be shown as an example.*control token"):
        make(rows=[*train, broken], shots=15, mode=mode)


def test_other_models_than_it_was_made_with_are_refused(make, tmp_path, embedding_engines, newer_engines, monkeypatch):
    candidate = load(tmp_path, make(), newer_engines)
    with pytest.raises(ModelError, match="another version of the model"):
        next(candidate.predict([question("x")]))
    made = make(mode="nearest")
    monkeypatch.setattr(embedding_engines.embedder(), "digest", "another")
    with pytest.raises(UserError, match="another sentence encoder"):
        load(tmp_path, made, embedding_engines)


@pytest.mark.parametrize("mode", ["seeded", "nearest"])
def test_line_separators_in_a_row_do_not_break_the_kept_rows(opened, train, mode):
    odd = question("a\u2028b\u0085c\nd").model_copy(update={"expected": "food"})
    found = list(opened(rows=[*train, odd], shots=15, mode=mode).predict([question("x")]))
    assert [p.state for p in found] == ["ok"]

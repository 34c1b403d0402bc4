"""Label scoring and generation against a plain run of each prompt alone under transformers' own attention."""

import itertools
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.engines.local import greedy as greedy_module
from tunesmith.engines.local.engine import LocalEngine
from tunesmith.engines.local.labels import Trie
from tunesmith.engines.local.passes import Session, common_prefix

END = 96
LABELS = [(5, 6, END), (5, 7, 8, END), (9, END), (10, 11, 12, 13, END), (10, 11, 14, END), (20, END)]
FAMILIES = pytest.mark.parametrize("family", ["llama", "qwen2", "mistral"])
SHARED = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]


def prompts(count: int, shared: int = 11, seed: int = 0) -> list[list[int]]:
    chooser = random.Random(seed)
    return [SHARED[:shared] + [chooser.randrange(20, 90) for _ in range(chooser.randint(1, 9))] for _ in range(count)]


def reference(model, prompt: list[int]) -> torch.Tensor:
    """The log probability of every label after `prompt`, one plain forward each."""
    scores = []
    for label in LABELS:
        with torch.no_grad():
            logits = model(torch.tensor([prompt + list(label)])).logits[0].double()
        places = torch.log_softmax(logits, -1)[len(prompt) - 1 : -1]
        scores.append(sum(row[token] for row, token in zip(places, label, strict=True)))
    return torch.stack(scores)


def greedy(model, prompt: list[int]) -> int:
    """The label that a token-by-token choice among the labels' next tokens arrives at."""
    said: list[int] = []
    while tuple(said) not in LABELS:
        with torch.no_grad():
            logits = model(torch.tensor([prompt + said])).logits[0, -1]
        options = {label[len(said)] for label in LABELS if list(label[: len(said)]) == said}
        said.append(max(options, key=lambda token: logits[token].item()))
    return LABELS.index(tuple(said))


@FAMILIES
def test_exact_confidence_and_greedy_answer_equal_plain_runs(tiny, family):
    engine, plain = LocalEngine(tiny(family), "x"), tiny(family, reference=True)
    asked = prompts(7)
    for prompt, answer in zip(asked, engine.score_labels(asked, LABELS, exact=True), strict=True):
        assert answer.label == greedy(plain, prompt)
        expected = torch.softmax(reference(plain, prompt), 0)[answer.label].item()
        assert answer.confidence == pytest.approx(expected, abs=1e-4)
        assert answer.probabilities == pytest.approx(torch.softmax(reference(plain, prompt), 0).tolist(), abs=1e-4)


def test_best_first_search_is_within_the_tolerance_of_exact(tiny):
    engine = LocalEngine(tiny(), "x")
    asked = prompts(40)
    exact = list(engine.score_labels(asked, LABELS, exact=True))
    quick = list(engine.score_labels(asked, LABELS))
    assert [answer.label for answer in quick] == [answer.label for answer in exact]
    for a, b in zip(quick, exact, strict=True):
        assert a.confidence == pytest.approx(b.confidence, abs=0.001 + 1e-5)


def test_an_answer_does_not_depend_on_its_neighbours(tiny):
    engine = LocalEngine(tiny(), "x")
    asked = prompts(150)  # more than one batch
    together = list(engine.score_labels(asked, LABELS, exact=True))
    for index in (0, 1, 63, 64, 149):
        fresh = LocalEngine(tiny(), "x")
        alone = next(iter(fresh.score_labels([asked[index]], LABELS, exact=True)))
        assert alone.label == together[index].label
        assert alone.confidence == pytest.approx(together[index].confidence, abs=1e-5)


@pytest.mark.parametrize("shared", [0, 1, 11])
def test_a_remembered_prefix_changes_no_answer(tiny, shared):
    """The second call starts from what the first one computed, where the prompts agree."""
    engine = LocalEngine(tiny(), "x")
    list(engine.score_labels(prompts(3, shared=11, seed=5), LABELS))
    asked = prompts(3, shared=shared, seed=6)
    after = list(engine.score_labels(asked, LABELS, exact=True))
    fresh = list(LocalEngine(tiny(), "x").score_labels(asked, LABELS, exact=True))
    assert [answer.label for answer in after] == [answer.label for answer in fresh]
    assert [answer.confidence for answer in after] == pytest.approx([answer.confidence for answer in fresh], abs=1e-5)


def test_one_prompt_that_begins_another(tiny):
    """A prompt whose every token is shared keeps a last token of its own."""
    engine, plain = LocalEngine(tiny(), "x"), tiny(reference=True)
    asked = [SHARED, [*SHARED, 40, 41]]
    for prompt, answer in zip(asked, engine.score_labels(asked, LABELS, exact=True), strict=True):
        expected = torch.softmax(reference(plain, prompt), 0)[answer.label].item()
        assert answer.confidence == pytest.approx(expected, abs=1e-4)


def test_without_confidence_the_answer_is_the_same_and_none_is_claimed(tiny):
    engine = LocalEngine(tiny(), "x")
    asked = prompts(9)
    assert [answer.label for answer in engine.score_labels(asked, LABELS, confidence=False)] == [
        answer.label for answer in engine.score_labels(asked, LABELS)
    ]
    assert next(iter(engine.score_labels(asked, LABELS, confidence=False))).confidence is None


@FAMILIES
def test_generation_equals_transformers_greedy_search(tiny, family):
    """Of more prompts than are answered side by side, so that some take the places of answers that have ended."""
    engine, plain = LocalEngine(tiny(family), "x"), tiny(family, reference=True)
    asked = prompts(90)
    stop = [3, 17, 44]
    for prompt, answer in zip(asked, engine.generate(asked, max_new_tokens=12, stop=stop), strict=True):
        expected = plain.generate(torch.tensor([prompt]), max_new_tokens=12, do_sample=False, eos_token_id=stop)
        said = expected[0, len(prompt) :].tolist()
        if said[-1] in stop:
            said.pop()
        assert list(answer.tokens) == said


@FAMILIES
def test_branches_go_on_join_and_end_as_if_each_were_alone(tiny, family):
    """By one token or many at a time; after every pass the logits are those of a plain forward of the whole branch."""
    session, plain, chooser = Session(tiny(family)), tiny(family, reference=True), random.Random(4)
    said = prompts(6)
    shared = session.share(said)
    logits = session.begin([prompt[shared:] for prompt in said])
    for turn in range(12):
        more = [[chooser.randrange(20, 90) for _ in range(chooser.choice([1, 1, 1, 2, 8]))] for _ in said]
        logits = session.step(more)
        said = [before + new for before, new in zip(said, more, strict=True)]
        if turn % 4 == 1:
            kept = chooser.sample(range(len(said)), len(said) - 2)
            session.keep_branches(kept)
            said, logits = [said[row] for row in kept], logits[kept]
        if turn % 4 == 2:
            joining = prompts(3, seed=turn)
            logits = torch.cat([logits, session.join([prompt[shared:] for prompt in joining])])
            said += joining
        for row, branch in enumerate(said):
            with torch.no_grad():
                expected = plain(torch.tensor([branch])).logits[0, -1]
            torch.testing.assert_close(logits[row], expected, atol=2e-4, rtol=1e-3)


WANTED = {"max_new_tokens": 12, "stop": [3, 17, 44]}


def test_a_call_does_not_depend_on_what_became_of_the_one_before(tiny, monkeypatch):
    """Scored labels, a generator that nobody ends, a pass that fails: each leaves branches behind."""
    asked = prompts(20)
    fresh = [each.tokens for each in LocalEngine(tiny(), "x").generate(asked, **WANTED)]
    ending = {"max_new_tokens": 12, "stop": [*WANTED["stop"], next(each[0] for each in fresh if each)]}
    at_once = [each.tokens for each in LocalEngine(tiny(), "x").generate(asked, **ending)]
    assert () in at_once  # a branch ends in its first turn, so that others move
    model = tiny()
    engine = LocalEngine(model, "x")
    for wanted, expected in ((WANTED, fresh), (ending, at_once)):
        list(engine.score_labels(asked[:4], LABELS))
        assert [each.tokens for each in engine.generate(asked, **wanted)] == expected
        assert next(iter(engine.generate(asked, **wanted))).tokens == expected[0]
        assert [each.tokens for each in engine.generate(asked, **wanted)] == expected
        for number in (1, 2, 3):
            with monkeypatch.context() as patched:
                passes = itertools.count(1)
                forward = model.forward

                def failing(*given, number=number, passes=passes, forward=forward, **named):
                    if next(passes) == number:
                        raise RuntimeError("out of memory")
                    return forward(*given, **named)

                patched.setattr(model, "forward", failing)
                other = [[7, *prompt] for prompt in asked]
                with pytest.raises(RuntimeError, match="out of memory"):
                    list(engine.generate(other, **wanted))
            assert [each.tokens for each in engine.generate(asked, **wanted)] == expected


def test_answers_of_an_earlier_call_do_not_go_on(tiny):
    engine, asked = LocalEngine(tiny(), "x"), prompts(20)
    lengths = [len(each.tokens) for each in engine.generate(asked, **WANTED)]
    asked = [asked[row] for row in sorted(range(20), key=lengths.__getitem__)]
    earlier = engine.generate(asked, **WANTED)
    assert len(next(earlier).tokens) < max(lengths)
    list(engine.generate(asked[:3], **WANTED))
    with pytest.raises(AssertionError, match="asked something else"):
        list(earlier)


def test_nothing_remembered_asks_for_a_gradient_and_one_long_prompt_costs_the_others_nothing(tiny, monkeypatch):
    monkeypatch.setattr("tunesmith.engines.local.greedy.KEPT_TOKENS", 256)
    engine = LocalEngine(tiny(), "x")
    chooser = random.Random(2)
    long = [*SHARED, *(chooser.randrange(20, 90) for _ in range(200))]
    asked = [*prompts(10), long, *prompts(63, seed=1)]
    sizes = []
    said = engine.generate(asked, **WANTED)
    for _ in said:
        [(k, _), *_] = engine._session._memory._branches.values()
        sizes.append(k.shape[0] * k.shape[2])
        assert not k.requires_grad
    assert all(not x.requires_grad for pair in engine._session._memory._prefix.values() for x in pair)
    assert max(sizes) <= 64 * (9 + 12) * 1.5


@pytest.mark.parametrize("room", [{"ROWS": 1}, {"ROWS": 7}, {"KEPT_TOKENS": 60}, {"PASS_TOKENS": 25}])
def test_answers_do_not_depend_on_how_many_are_written_side_by_side(tiny, room, monkeypatch):
    engine, asked = LocalEngine(tiny(), "x"), prompts(40)
    roomy = list(engine.generate(asked, **WANTED))
    for name, value in room.items():
        monkeypatch.setattr(f"tunesmith.engines.local.greedy.{name}", value)
    narrow = list(engine.generate(asked, **WANTED))
    assert [(each.tokens, each.ended) for each in narrow] == [(each.tokens, each.ended) for each in roomy]
    assert len({len(each.tokens) for each in roomy}) > 3
    assert all(each.seconds > 0 for each in (*roomy, *narrow))


def test_the_seconds_of_answers_are_all_that_passes_and_choices_took(tiny, monkeypatch):
    model, clock = tiny(), [0.0]
    monkeypatch.setattr("tunesmith.engines.local.greedy.time.perf_counter", lambda: clock[0])

    def taking(seconds, function):
        def timed(*given, **named):
            clock[0] += seconds
            return function(*given, **named)

        return timed

    monkeypatch.setattr(model, "forward", taking(5.0, model.forward))
    monkeypatch.setattr("tunesmith.engines.local.greedy._likeliest", taking(1.0, greedy_module._likeliest))
    answers = list(LocalEngine(model, "x").generate(prompts(90), **WANTED))
    assert clock[0] > 60
    assert sum(each.seconds for each in answers) == pytest.approx(clock[0])


@FAMILIES
@pytest.mark.parametrize("shared", [0, 5, 11])
@pytest.mark.parametrize("count", [1, 6])
def test_the_likelihood_of_an_answer_equals_that_of_a_plain_run(tiny, family, shared, count):
    """Whatever prompts share, down to equal rows and answers of one token."""
    engine, plain = LocalEngine(tiny(family), "x"), tiny(family, reference=True)
    chooser = random.Random(count)
    asked = prompts(count, shared, seed=shared)
    asked.append(asked[0])
    answers = [[chooser.randrange(1, 90) for _ in range(chooser.randint(1, 6))] for _ in asked]
    answers[-1] = answers[0]
    for prompt, answer, found in zip(asked, answers, engine.log_likelihoods(asked, answers), strict=True):
        with torch.no_grad():
            logits = plain(torch.tensor([prompt + answer])).logits[0].double()
        places = torch.log_softmax(logits, -1)[len(prompt) - 1 : -1]
        expected = sum(row[token].item() for row, token in zip(places, answer, strict=True))
        assert found == pytest.approx(expected, abs=1e-3)


def test_a_likelihood_leaves_no_branches_behind(tiny):
    engine = LocalEngine(tiny(), "x")
    asked = prompts(4)
    before = [answer.tokens for answer in engine.generate(asked, max_new_tokens=5, stop=[END])]
    assert len(list(engine.log_likelihoods(asked, [[3, 4]] * 4))) == 4
    assert [answer.tokens for answer in engine.generate(asked, max_new_tokens=5, stop=[END])] == before


def test_no_prompts_no_answers(tiny):
    assert list(LocalEngine(tiny(), "x").score_labels([], LABELS)) == []


@given(st.lists(st.lists(st.integers(0, 3), max_size=8), min_size=1, max_size=6))
@settings(max_examples=200)
def test_common_prefix_is_the_longest_that_all_begin_with(rows):
    prefix = common_prefix(rows)
    assert all(row[: len(prefix)] == prefix for row in rows)
    longer = {tuple(row[: len(prefix) + 1]) for row in rows}
    assert len(longer) > 1 or any(len(row) == len(prefix) for row in rows)


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), min_size=2, max_size=12))
def test_a_trie_holds_every_label_once(labels):
    distinct = [(*label, END) for label in dict.fromkeys(map(tuple, labels))]
    trie = Trie(distinct)
    found = {}
    for leaf, number in trie.label.items():
        path, node = [], leaf
        while node:
            path.append(trie.token[node])
            node = trie.parent[node]
        found[number] = tuple(reversed(path))
    assert [found[number] for number in range(len(distinct))] == distinct

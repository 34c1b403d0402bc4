"""The real MiniLM."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.engines.embedding import MiniLM

NAUGHTY = Path(os.environ.get("TUNESMITH_DATA", Path(__file__).parents[3] / "shared" / "data")) / "naughty_strings"


@pytest.fixture(scope="module")
def minilm():
    return MiniLM()


def test_vectors_have_length_one(minilm):
    vectors = np.array(minilm.embed(["Where is my card?", "", "word " * 1000]))
    assert vectors.shape == (3, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)


def test_like_meanings_are_near(minilm):
    card, arrival, soup = np.array(minilm.embed(["Where is my card?", "My card has not arrived", "Onion soup"]))
    assert card @ arrival > 0.6 > 0.2 > card @ soup


def test_a_known_vector(minilm):
    """The first numbers that the authors' own library (sentence-transformers) gives for this sentence."""
    [vector] = minilm.embed(["This is an example sentence"])
    assert vector[:5] == pytest.approx([0.067657, 0.063496, 0.048713, 0.079305, 0.037448], abs=2e-5)


@settings(max_examples=12, deadline=None)
@given(text=st.text(max_size=80), neighbours=st.lists(st.text(max_size=400), max_size=6))
def test_neighbours_do_not_change_a_vector(minilm, text, neighbours):
    [alone] = minilm.embed([text])
    place = len(neighbours) // 2
    together = minilm.embed([*neighbours[:place], text, *neighbours[place:]])[place]
    assert together == pytest.approx(alone, abs=1e-5)


def test_order_is_kept_over_many_batches(minilm):
    texts = [f"number {place} " + "and so on " * (place % 60) for place in range(60)]
    vectors = np.array(minilm.embed(texts))
    assert np.allclose(vectors[::-1], np.array(minilm.embed(texts[::-1])), atol=1e-5)
    for place in (0, 29, 59):
        assert vectors[place] == pytest.approx(minilm.embed([texts[place]])[0], abs=1e-5)


def test_what_stands_behind_256_tokens_is_not_read(minilm):
    start = "word " * 254  # with the two tokens around it, 256
    inside, outside = minilm.embed([start, start + "completely different"])
    assert inside == pytest.approx(outside, abs=1e-5)
    assert minilm.embed(["word " * 200 + "different"])[0] != pytest.approx(minilm.embed(["word " * 200])[0], abs=1e-5)


def test_no_texts_no_vectors(minilm):
    assert minilm.embed([]) == []


def test_every_naughty_string_and_a_lone_surrogate_have_a_vector(minilm):
    if not NAUGHTY.exists():
        pytest.skip("the data set naughty_strings is not here")
    texts = json.loads((NAUGHTY / "blns.json").read_text(encoding="utf-8"))
    vectors = np.array(minilm.embed([*texts, "\ud800"]))
    assert vectors.shape == (len(texts) + 1, 384)
    assert np.isfinite(vectors).all()


def test_loading_says_nothing(capfd):
    MiniLM()
    assert capfd.readouterr() == ("", "")

"""Which texts are nearly the same, against a comparison of all with all."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.data.near import NEAR, near_clusters, near_twins
from tunesmith.data.normal import normalise
from tunesmith.data.sketches import BATCH, HASHES, Sketches, likeness, shingles

WORDS = [
    "card",
    "transfer",
    "account",
    "pending",
    "statement",
    "exchange",
    "refund",
    "identity",
    "passcode",
    "delivery",
]
WORDS += [
    "currency",
    "merchant",
    "balance",
    "overdraft",
    "salary",
    "invoice",
    "receipt",
    "interest",
    "garden",
    "window",
]


def sentences(number: int, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choice(WORDS) for _ in range(draw.randint(6, 30))) for _ in range(number)]


def changed(text: str, draw: random.Random, letters: int) -> str:
    found = list(text)
    for place in draw.sample([at for at, letter in enumerate(text) if letter != " "], letters):
        found[place] = draw.choice("xyzqjkvw")
    return "".join(found)


def alike(one: str, other: str) -> float:
    return likeness(shingles(normalise(one)), shingles(normalise(other)))


def test_clusters_hold_what_is_near_and_nothing_else():
    draw = random.Random(3)
    texts = [variant for text in sentences(150) for variant in (text, changed(text, draw, 2), changed(text, draw, 6))]
    near = {pair for pair in itertools.combinations(range(len(texts)), 2) if alike(*(texts[at] for at in pair)) >= NEAR}
    assert len(near) > 80
    clusters = near_clusters(texts)
    cluster_of = {position: number for number, cluster in enumerate(clusters) for position in cluster}
    missed = [pair for pair in near if cluster_of.get(pair[0], -1) != cluster_of.get(pair[1], -2)]
    assert len(missed) <= 0.05 * len(near)
    for cluster in clusters:  # every row is near one of the others
        assert cluster == sorted(cluster)
        for row in cluster:
            assert any((min(row, other), max(row, other)) in near for other in cluster if other != row)


def test_twins_are_near_and_few_are_missed():
    draw = random.Random(4)
    known = sentences(100, seed=1)
    texts = [changed(text, draw, letters) for text in known for letters in (1, 3, 5)] + sentences(50, seed=2)
    near = {row for row, text in enumerate(texts) if any(alike(text, other) >= NEAR for other in known)}
    found = near_twins(texts, known)
    assert found.keys() <= near
    assert len(near - found.keys()) <= 0.05 * len(near)
    assert all(alike(texts[row], known[twin]) >= NEAR for row, twin in found.items())


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        (
            "Could you tell me how I track the card you sent me?",
            "Could you tell me how I track the cards you sent me",
            True,
        ),
        ("Where is my CARD?!", "where is my card", True),
        ("Where is my card?", "Where is my PIN?", False),
        ("b 1", "c 1", False),  # a number that both have does not make up for what differs
        ("Invoice 4711 is wrong, please help me", "Invoice 4712 is wrong, please help me", False),
        ("x" * 3, "x" * 3, True),
        ("?", "!", False),
    ],
)
def test_examples(one, other, near):
    assert near_clusters([one, other]) == ([[0, 1]] if near else [])
    assert near_twins([one], [other]) == ({0: 0} if near else {})


def test_a_long_text_may_differ_in_a_number():
    text = " ".join(sentences(12, seed=5))
    assert near_clusters([f"{text} on page 7", f"{text} on page 8"]) == [[0, 1]]


def test_nothing_is_near_nothing():
    assert near_clusters([]) == []
    assert near_clusters(["alone"]) == []
    assert near_twins([], ["one"]) == near_twins(["one"], []) == {}


def test_where_all_are_alike_they_are_one_cluster_all_the_same():
    base = " ".join(sentences(3, seed=6))
    draw = random.Random(7)
    texts = [changed(base, draw, 1) for _ in range(400)]
    (cluster,) = near_clusters(texts)
    assert cluster == list(range(400))


def test_a_sketch_does_not_depend_on_its_neighbours():
    texts = [normalise(text) for text in [*sentences(20), "42", "a", "x" * (BATCH + 5), "€ 5 and 7 and 5"]]
    bands, values = Sketches(texts).arrays()
    assert values.shape == (len(texts), HASHES)
    for at, text in enumerate(texts):
        alone_bands, alone_values = Sketches([text]).arrays()
        assert (bands[:, at] == alone_bands[:, 0]).all()
        assert (values[at] == alone_values[0]).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=40), max_size=12))
def test_any_texts_are_taken(texts):
    for cluster in near_clusters(texts):
        assert len(cluster) > 1
    found = near_twins(texts, texts)
    assert all(found.get(at) is not None for at in range(len(texts)))  # each is near itself

"""Planted faults among made-up vectors: they are found, the surest first, and little else is."""

import numpy as np
import pytest

from tunesmith.core.example import Example, Message
from tunesmith.data.checks.label_faults import FEWEST_OF_LABEL, label_faults
from tunesmith.data.checks.thin_topics import thin_topics

LABELS = ("billing", "access", "bug")


def rows(labels: list[str], texts: list[str] | None = None) -> list[Example]:
    texts = texts or [f"text {number}" for number in range(len(labels))]
    return [
        Example(messages=(Message(role="user", content=text),), expected=label, origin=f"data/a.csv:{line}")
        for line, (text, label) in enumerate(zip(texts, labels, strict=True), start=2)
    ]


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def clouds() -> tuple[list[str], np.ndarray]:
    """300 rows in three clouds of vectors that hardly touch."""
    chance = np.random.default_rng(0)
    labels = [LABELS[number % 3] for number in range(300)]
    middles = chance.normal(size=(3, 24))
    return labels, unit(np.array([middles[number % 3] for number in range(300)]) + chance.normal(size=(300, 24)) * 0.4)


def test_planted_faults_are_found_with_the_label_that_is_likely(clouds):
    labels, vectors = clouds
    wrong = {10: "access", 50: "bug", 111: "access", 200: "billing"}
    given = [wrong.get(number, label) for number, label in enumerate(labels)]
    wrong = {number: label for number, label in wrong.items() if labels[number] != label}
    findings = label_faults(rows(given), vectors.tolist())
    found = {finding.line - 2: finding for finding in findings}
    assert set(found) >= set(wrong)
    assert len(found) <= len(wrong) + 2
    for number in wrong:
        assert f"The label '{wrong[number]}' is probably wrong" in found[number].message
        assert f"say '{labels[number]}'" in found[number].message
        assert (found[number].severity, found[number].check, found[number].field) == ("look", "label-fault", "output")
    assert "Number 1 of" in findings[0].message
    assert findings == label_faults(rows(given), vectors.tolist())


def test_right_labels_are_no_finding(clouds):
    labels, vectors = clouds
    assert label_faults(rows(labels), vectors.tolist()) == []


def test_a_copy_does_not_confirm_a_wrong_label(clouds):
    labels, vectors = clouds
    texts = [f"text {number}" for number in range(300)]
    given = [*labels, *["bug"] * 6]
    again = np.vstack([vectors, np.repeat(vectors[:1], 6, axis=0)])
    findings = label_faults(rows(given, [*texts, *["Again!"] * 6]), again.tolist())
    assert [(f.line, "'bug'" in f.message) for f in findings] == [(302, True)]


def test_too_few_rows_are_not_judged(clouds):
    labels, vectors = clouds
    assert label_faults([], []) == []
    assert label_faults(rows(labels[:30]), vectors[:30].tolist()) == []
    assert label_faults(rows(["one"] * 100), vectors[:100].tolist()) == []
    rare = [*["rare"] * (FEWEST_OF_LABEL - 1), *labels[FEWEST_OF_LABEL - 1 :]]
    assert label_faults(rows(rare), vectors.tolist()) == []


def test_a_topic_of_few_rows_is_named_by_its_words(clouds):
    labels, vectors = clouds
    chance = np.random.default_rng(1)
    apart = unit(chance.normal(size=(1, 24)) * 3 + chance.normal(size=(3, 24)) * 0.02)
    texts = [f"text about {label} {number}" for number, label in enumerate(labels)]
    texts += [f"the helicopter needs insurance {number}" for number in range(3)]
    findings = thin_topics(rows([*labels, *["bug"] * 3], texts), np.vstack([vectors, apart]).tolist())
    (finding,) = [f for f in findings if f.line == 302]
    assert (finding.severity, finding.check) == ("note", "thin-topic")
    assert finding.related == ("data/a.csv:303", "data/a.csv:304")
    assert "3 rows of 303 about" in finding.message
    assert "helicopter" in finding.message


def test_topics_with_their_share_of_rows_are_no_finding(clouds):
    labels, vectors = clouds
    assert len(thin_topics(rows(labels), vectors.tolist())) <= 3
    assert thin_topics(rows(labels[:50]), vectors[:50].tolist()) == []

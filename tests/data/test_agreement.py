import random

import pytest
from sklearn.metrics import cohen_kappa_score

from tunesmith.data.agreement import cohen_kappa, krippendorff_alpha


def table(*lines: str) -> list[list[str]]:
    """Judgements as they are printed, a person on each line, a dot where one gave none → units."""
    return [[value for value in unit if value != "."] for unit in zip(*(line.split() for line in lines), strict=True)]


# K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), sections A, B and C.


def test_alpha_of_two_observers_and_two_values():
    assert krippendorff_alpha(table("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0")) == pytest.approx(0.095, abs=5e-4)


def test_alpha_of_two_observers_and_several_values():
    units = table("a a b b d c c c e d d a", "b a b b b c c c e d d d")
    assert krippendorff_alpha(units) == pytest.approx(0.692, abs=5e-4)


def test_alpha_of_four_observers_with_values_missing():
    units = table(
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    )
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=5e-4)


def test_kappa_of_fifty_grants():
    """The example of Wikipedia's page on Cohen's kappa: 20 yes, 15 no, 5 and 10 apart."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)


def test_kappa_is_that_of_scikit_learn():
    draw = random.Random(0)
    for _ in range(20):
        pairs = [(draw.choice("abc"), draw.choice("aabcd")) for _ in range(draw.randint(5, 60))]
        assert cohen_kappa(pairs) == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))


def test_what_cannot_be_said_is_none():
    assert cohen_kappa([]) is None
    assert cohen_kappa([("a", "a")] * 3) is None
    assert krippendorff_alpha([["a"], ["b"]]) is None
    assert krippendorff_alpha([["a", "a"]] * 3) is None
    assert krippendorff_alpha([["a", "a"], ["b", "b"]]) == 1
    assert cohen_kappa([("a", "a"), ("b", "b")]) == 1

"""ROUGE against the figures of rouge-score 0.1.2 (rouge1, rouge2, rougeL without stemmer), and beyond English."""

import pytest

from tunesmith.tasks.rouge import rouge


@pytest.mark.parametrize(
    ("expected", "answer", "found"),
    [
        ("The cat sat on the mat.", "The cat sat on a mat.", (0.8333333333333334, 0.6, 0.8333333333333334)),
        ("police killed the gunman", "police kill the gunman", (0.75, 0.3333333333333333, 0.75)),
        ("police killed the gunman", "the gunman kill police", (0.75, 0.3333333333333333, 0.5)),
        ("a b c d e f", "a c e x", (0.6, 0.0, 0.6)),
        ("the the the cat", "the cat", (0.6666666666666666, 0.5, 0.6666666666666666)),
        ("word", "", (0.0, 0.0, 0.0)),
    ],
)
def test_on_english_it_says_what_the_usual_package_says(
    expected: str, answer: str, found: tuple[float, float, float]
) -> None:
    assert rouge(expected, answer) == pytest.approx(found)


def test_letters_of_every_script_make_words() -> None:
    assert rouge("größer als Paris", "größer als Rom")[0] == pytest.approx(2 / 3)
    assert rouge("Спасибо за заказ", "Спасибо за вопрос") == pytest.approx((2 / 3, 0.5, 2 / 3))

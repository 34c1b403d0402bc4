"""Words and LIX of a text."""

import pytest

from tunesmith.tasks.readability import lix, words


def test_words_are_runs_of_letters_and_digits_of_any_script() -> None:
    assert words("Don't e-mail us: 3 Grüße!") == ["Don't", "e-mail", "us", "3", "Grüße"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The cat sat on the mat. It slept.", 8 / 2),
        ("The committee deliberated. We waited", 5 / 2 + 100 * 2 / 5),
        ("One line\nanother line", 4 / 2 + 100 * 1 / 4),
        ("Version 3.5 is out.", 5 + 100 * 1 / 5),
        ("…", 0.0),
    ],
)
def test_lix_is_words_in_a_sentence_and_the_share_of_long_words(text: str, found: float) -> None:
    assert lix(text) == pytest.approx(found)

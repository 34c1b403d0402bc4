"""[style]: the rules that a section makes, and which of them an answer breaks."""

import time

import pytest
from pydantic import ValidationError

from tunesmith.tasks.style import PATIENCE, StyleSection, broken, rules_of


@pytest.mark.parametrize(
    ("section", "holds", "breaks"),
    [
        ({"required": ("thank you",)}, "Well, THANK  you!", "Thanks."),
        ({"forbidden": ("cheap",)}, "The cheapest one.", "It is cheap."),
        ({"forbidden": ("don't",)}, "We do not.", "We don’t."),
        ({"tone": ("please", "kindly")}, "Would you kindly wait?", "Wait."),
        ({"starts_with": ("Dear ", "Hello")}, "Hello Ann", "Hi Ann"),
        ({"ends_with": ("Your team",)}, "Bye.\nYour team", "Your team!"),
        ({"max_words": 3}, "One two three.", "One two three four"),
        ({"max_characters": 4}, "four", "fives"),
        ({"matches": (r"#\d+",)}, "Case #12", "Case twelve"),
        ({"never_matches": (r"!{2,}",)}, "Yes!", "Yes!!"),
    ],
)
def test_a_rule_is_held_to_or_broken(section: dict[str, object], holds: str, breaks: str) -> None:
    style = StyleSection.model_validate(section)
    [rule] = rules_of(style)
    assert broken(holds, style) == ()
    assert broken(breaks, style) == (rule.name,)


def test_without_rules_nothing_is_broken() -> None:
    assert rules_of(StyleSection()) == ()
    assert broken("Anything", StyleSection()) == ()


def test_a_pattern_that_takes_for_ever_is_given_up_and_counts_as_broken_under_its_own_name() -> None:
    style = StyleSection(never_matches=(r"^(a|aa)+$",), max_words=5)
    before = time.monotonic()
    assert broken("a" * 60 + "!", style) == (f"never matches ^(a|aa)+$ (not decided in {PATIENCE:g} s)",)
    assert time.monotonic() - before < 60


@pytest.mark.parametrize(
    ("section", "said"), [({"matches": ("(",)}, "is no regular expression"), ({"tone": (" ",)}, "an empty phrase")]
)
def test_what_is_no_rule_is_refused(section: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        StyleSection.model_validate(section)

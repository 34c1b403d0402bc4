"""Changing facts: what an answer states and its input does not, in several writings of the same value."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.example import Example, Message
from tunesmith.data.checks.facts import NAMED, FactsCheck


def row(text: str, expected: str, line: int = 1) -> Example:
    return Example(messages=(Message(role="user", content=text),), expected=expected, origin=f"data/a.jsonl:{line}")


def found(text: str, expected: str, prompt: str = "") -> list[str]:
    return [finding.excerpt for finding in FactsCheck(prompt).see(row(text, expected))]


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("The plan costs $1,000 a year.", "$1,000"),
        ("Das kostet 12,50 € im Monat.", "12,50 €"),
        ("EUR 1.250,00 are due", "EUR 1.250,00"),
        ("It is 20 dollars", "20 dollars"),
        ("Open until 3 May 2024.", "3 May 2024"),
        ("Valid from 2024-05-03 on", "2024-05-03"),
        ("ab dem 03.05.2024", "03.05.2024"),
        ("le 1er janvier 2025", "1er janvier 2025"),
        ("el 3 de mayo de 2024", "3 de mayo de 2024"),
        ("2024年5月3日", "2024年5月3日"),
        ("Update to version 3.2", "version 3.2"),
        ("Needs 17.2.1 or later", "17.2.1"),
        ("See https://example.org/help.", "https://example.org/help"),
        ("under policy no. AB-1234", "policy no. AB-1234"),
        ("nach § 312", "§ 312"),
    ],
)
def test_a_fact_that_the_input_does_not_have_is_found(answer, value):
    assert value in found("How is it?", answer)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("I paid 1000 for it", "You paid $1,000."),
        ("es kostet 1.000,50", "$1000.50"),
        ("12 500 euros", "€12,500.00"),
        ("on May 3rd", "on 3 May 2024"),
        ("on 2024-05-03", "on the 3rd of May"),
        ("05/03/2024", "3 May 2024"),
        ("am 3. Mai 2024", "2024/05/03"),
        ("booked for 3 May 2024", "in May 2024"),
        ("I run v3.2.1", "version 3.2.1 is current"),
        ("example.org/help does not load", "Try https://www.example.org/help/"),
        ("my policy AB 1234 / AB-1234", "Policy no. ab1234"),
        ("hello", "Hello, how can I help you? I have 3 ideas and 24 hours."),
    ],
)
def test_a_value_of_the_input_is_none_in_whatever_writing(text, answer):
    assert found(text, answer) == []


def test_another_year_is_another_date():
    assert found("on 3 May 2023", "on 3 May 2024") == ["3 May 2024"]


def test_the_prompt_is_part_of_every_input():
    assert found("What is the fee?", "The fee is €5.", prompt="The fee is 5 EUR.") == []


def test_private_parts_of_an_address_are_not_shown():
    assert found("?", "https://bob:pw12345@example.org/a?token=abc") == ["https://…@example.org/a?…"]


def test_each_kind_is_summed_up_with_its_share():
    check = FactsCheck()
    rows = [row("price?", "It is $5.", n + 1) for n in range(NAMED + 5)] + [row("hi", "Hello.", 99)] * (NAMED - 5)
    listed = [finding for each in rows for finding in check.see(each)]
    assert len(listed) == NAMED
    [summed] = check.close()
    assert (summed.severity, summed.check, summed.line) == ("look", "changing-fact", 0)
    assert summed.message.startswith(f"{NAMED + 5} answers (62.5 %) with prices that are not in the input; {NAMED} are")


@given(st.text(max_size=200), st.text("0123456789.,/-$€ vMay#§:", max_size=200))
@settings(deadline=None)
def test_any_text_is_looked_through_and_what_is_repeated_is_no_fact(text, answer):
    check = FactsCheck()
    list(check.see(row(text, answer)))
    list(check.close())
    assert found(f"{answer}", answer) == []

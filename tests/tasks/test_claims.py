"""Claims that nothing supports: numbers, dates, addresses, names and negations, held against what was given."""

import os
from pathlib import Path

import pytest

from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.tasks.claims import Claim, capitals_are_names, sources_of, unsupported
from tunesmith.tasks.remarks import remarks_of
from tunesmith.tasks.spec import Task

REAL = Path(os.environ.get("TUNESMITH_DATA", Path(__file__).parents[3] / "shared" / "data")) / "neutralizing_bias"


def found(answer: str, *said: str, given: str = "", names: bool = True) -> list[Claim]:
    return list(unsupported(answer, sources_of(said, given), names=names))


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("Your refund of £1,250.00 arrives.", "They owe me 1250 pounds."),
        ("It is due on 3 May 2026.", "Due: 2026-05-03"),
        ("We sent 3 parcels.", "I ordered three parcels."),
        ("1. Unplug it.\n2. Wait.", "How do I reset it?"),
        ("Dear Ms Miller, we will call.", "This is jane miller."),
        ("See https://example.com/help", "the page www.example.com/help/ is down"),
        ("You cannot return it.", "It says I can't return it."),
        ("That is not available here.", "It is unavailable, they said."),
        ("Paris is fine.", "Where?"),  # a capital that begins a sentence says nothing
    ],
)
def test_what_stands_in_a_source_is_supported_however_it_is_written(answer: str, source: str) -> None:
    assert found(answer, source) == []


@pytest.mark.parametrize(
    ("answer", "source", "claim"),
    [
        ("It costs 1,300 euros.", "They owe me 1250 euros.", Claim("number", "1,300")),
        ("It is due on 4 May 2026.", "Due: 2026-05-03", Claim("date", "4 May 2026")),
        ("Ask Mr. Jones about it.", "Whom do I ask?", Claim("name", "Jones")),
        ("We ship from Rotterdam.", "Where do you ship from?", Claim("name", "Rotterdam")),
        ("See www.example.org/faq now.", "Is there a page?", Claim("web address", "www.example.org/faq")),
        ("It falls under policy A-17.", "Which rule is it?", Claim("reference number", "policy A-17")),
        ("You can't return it.", "May I return it?", Claim("negation", "can't return")),
        ("It is not refundable.", "Shipping is not free. Is it refundable?", Claim("negation", "not refundable")),
    ],
)
def test_what_stands_in_no_source_is_named(answer: str, source: str, claim: Claim) -> None:
    assert found(answer, source) == [claim]


def test_a_claim_counts_once_and_the_prompt_gives_facts_but_no_denials() -> None:
    assert found("Pay 99, I say 99.", "How much?") == [Claim("number", "99")]
    assert found("Pay 99.", "How much?", given="The fee is 99. Do not refund.") == []
    denied = found("We do not refund.", "Do you refund?", given="The fee is 99. Do not refund.")
    assert denied == [Claim("negation", "not refund")]


def test_where_every_noun_has_a_capital_capitals_are_no_names() -> None:
    german = ["Wir senden Ihnen das Paket und die Rechnung an Ihre Adresse.", "Der Preis steht auf der Seite."]
    assert not capitals_are_names(german)
    assert capitals_are_names(["We ship it from Rotterdam within a week.", "The price is on the page."])
    assert found("Wir senden das Paket.", "Wo ist es?", names=False) == []


@pytest.mark.skipif(not REAL.is_dir(), reason="needs shared/data/neutralizing_bias")
def test_few_approved_rewritings_of_real_sentences_claim_something_new() -> None:
    before, after = ((REAL / name).read_text(encoding="utf-8").splitlines() for name in ("pre.train", "post.train"))
    new = [unsupported(b, sources_of((a,), "")) for a, b in zip(before, after, strict=True)]
    assert 0.02 < sum(map(bool, new)) / len(new) < 0.06


def test_passages_that_a_candidate_was_shown_support_what_it_says() -> None:
    task = Task(family="generation", prompt="Answer.", max_new_tokens=40)
    row = Example(messages=(Message(role="user", content="How long may I return it?"),), expected="Within a month.")
    said = Prediction(example=row.id, state="ok", output="You have 45 days.", passages=("faq.md:3",))
    [without] = remarks_of(task, [row], [said], {})
    [shown] = remarks_of(task, [row], [said], {"faq.md:3": "Returns: 45 days."})
    assert (without.claims, shown.claims) == ((Claim("number", "45"),), ())

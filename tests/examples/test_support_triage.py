"""The sample project's rows keep the guideline and the schema."""

import json
import re
from collections import Counter

import pytest
from triage import CHOICES, DATA, EVAL, FIELDS, LABELS, PROMPT, SCHEMA, near, of

from tunesmith.data.normal import normalise
from tunesmith.tasks.extraction import of_value

SLICES = {"common", "edge", "ambiguous", "adversarial", "high_value"}
ASKED = {  # what the guideline's "Ask back" says to ask for
    "billing_dispute": "invoice_number",
    "payment_failure": "invoice_number",
    "billing_question": "invoice_number",
    "account_access": "account_email",
    "account_admin": "account_email",
    "bug_report": "steps_before_fault",
    "integration": "error_message",
    "plan_change": "plan_wanted",
}
STEPS = {  # what the guideline's "recommended_next_step" leaves to a category, once nothing is asked back
    "billing_question": {"make_change", "send_document", "answer"},
    "billing_dispute": {"escalate", "investigate"},
    "payment_failure": {"investigate", "make_change", "send_document", "answer"},
    "account_access": {"make_change"},
    "account_admin": {"escalate", "make_change"},
    "bug_report": {"investigate"},
    "outage": {"escalate"},
    "how_to": {"answer"},
    "feature_request": {"escalate", "log_request"},
    "integration": {"escalate", "investigate", "make_change", "answer"},
    "security_privacy": {"escalate", "make_change", "send_document", "answer"},
    "plan_change": {"escalate", "make_change", "send_document", "answer"},
}
PEOPLE = re.compile(  # 500 and more of them
    r"\b(\d{1,2},\d{3}|[5-9]\d\d) (\w+ ){0,2}?(seats|users|people|staff|employees|\w*places|licences)\b"
)
LARGE = 30_000
MULTIPLES = {"k": 1_000, "m": 1_000_000, "million": 1_000_000}


def numbers(text: str) -> set[float]:
    """The numbers of a message, read both ways: 1.290,00 and 1,290.00; 94k and $1.1 million multiplied."""
    found: set[float] = set()
    for digits, unit in re.findall(r"(\d[\d.,]*)\s?(k\b|m\b|million)?", text):
        clean = digits.rstrip(".,")
        for form in (clean.replace(",", ""), clean.replace(".", "").replace(",", ".")):
            if form.count(".") <= 1:
                found.add(round(float(form) * MULTIPLES.get(unit, 1), 2))
    return found


def defined(field: str) -> list[str]:
    """The values that the guideline's part on `field` defines, in its order."""
    part = next(part for part in PROMPT.split("\n\n") if part.startswith(field))
    return re.findall(r"^- ([a-z_]+): ", part, flags=re.MULTILINE)


def test_the_guideline_defines_what_the_schema_lists():
    assert defined("category") == LABELS
    assert len(set(LABELS)) == 12
    assert sorted(defined("priority")) == sorted(CHOICES["priority"])
    assert defined("recommended_next_step") == CHOICES["recommended_next_step"]
    facts = json.loads(SCHEMA)["properties"]["missing_information"]["items"]["enum"]
    assert all(f"{fact} (" in PROMPT for fact in facts)
    assert sorted(facts) == sorted(set(ASKED.values()))


def test_the_guideline_is_short():
    assert len(PROMPT.split()) <= 420


def test_counts():
    assert len(DATA) + len(EVAL) >= 1_100
    assert Counter(row["category"] for row in EVAL) == dict.fromkeys(LABELS, 25)
    assert Counter(row["category"] for row in DATA) == dict.fromkeys(LABELS, 73)
    in_eval = Counter(row["slice"] for row in EVAL)
    assert set(in_eval) == SLICES
    assert min(in_eval.values()) >= 20


@pytest.mark.parametrize("category", LABELS)
def test_every_row_is_a_record_of_the_schema(category: str):
    for row in of(category):
        told = row["message"]
        assert list(row) == FIELDS, told
        assert told.strip()
        assert row["slice"] in SLICES, told
        record = {field: row[field] for field in CHOICES}
        assert json.loads(of_value(record, SCHEMA)) == record
        assert row["invoice_id"] is None or row["invoice_id"] in told
        assert row["amount"] is None or row["amount"] in numbers(told)
        assert len(row["summary"].split()) <= 14, told


@pytest.mark.parametrize("category", LABELS)
def test_every_row_asks_for_what_its_category_needs_and_the_message_lacks(category: str):
    for row in of(category):
        told, missing = row["message"], row["missing_information"]
        assert missing in ([], [ASKED.get(category)]), told
        if category in {"billing_dispute", "payment_failure"}:
            assert bool(missing) == (row["invoice_id"] is None), told
        if category == "billing_question":
            assert not missing or row["invoice_id"] is None, told
        if category in {"account_access", "account_admin"}:
            assert bool(missing) == ("@" not in told)


@pytest.mark.parametrize("category", LABELS)
def test_the_next_step_follows_from_the_record(category: str):
    for row in of(category):
        step, told = row["recommended_next_step"], row["message"]
        assert (step == "ask_back") == bool(row["missing_information"]), told
        assert step == "ask_back" or step in STEPS[category], told
        if category == "security_privacy" and row["priority"] == "urgent":  # a breach
            assert step == "escalate", told
        if category == "payment_failure" and row["priority"] == "urgent":  # a locked workspace
            assert step in {"ask_back", "make_change"}, told
        if step == "escalate":
            assert row["priority"] in {"high", "urgent"}, told
        if category == "security_privacy" and row["priority"] == "low":
            assert step == "answer", told


@pytest.mark.parametrize("category", LABELS)
def test_the_priority_follows_the_guideline(category: str):
    for row in of(category):
        priority, step, told = row["priority"], row["recommended_next_step"], row["message"]
        assert (category == "outage") <= (priority == "urgent"), told
        assert (priority == "urgent") <= (category in {"outage", "security_privacy", "payment_failure"}), told
        assert (category == "billing_dispute") <= (priority == "high"), told
        assert (category == "account_access") <= (priority in {"normal", "high"}), told
        if priority == "low":
            assert step in {"answer", "send_document", "log_request", "ask_back"} or category == "plan_change", told
        if step == "investigate":
            assert priority != "low", told
        if PEOPLE.search(told) or (row["amount"] or 0) >= LARGE:
            assert priority != "low", told
            assert priority != "normal" or step not in {"investigate", "make_change"}, told


def test_breaches_and_outages_are_many_enough_to_learn_from():
    assert sum(row["priority"] == "urgent" for row in of("security_privacy")) > 20
    steps = Counter(row["recommended_next_step"] for row in DATA)
    assert set(steps) == set(CHOICES["recommended_next_step"])
    assert min(steps.values()) >= 40


def test_mail_addresses_are_invented():
    for row in DATA + EVAL:
        for domain in re.findall(r"[\w.-]@([\w-]+\.[\w.-]*\w)", row["message"]):
            assert domain.endswith(".example"), domain


def test_no_near_duplicates():
    texts = [row["message"] for row in DATA + EVAL]
    assert [(texts[one], texts[other]) for one, other in near(texts)] == []


def test_no_eval_row_stands_in_the_data():
    known = {normalise(row["message"]) for row in EVAL}
    assert not [row["message"] for row in DATA if normalise(row["message"]) in known]
    assert len(known) == len(EVAL)

"""The sample project's rows keep the guideline, and its planted faults stand where they are documented."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

import pytest

from tunesmith.data.normal import normalise

ROOT = Path(__file__).parents[2] / "examples" / "support-triage"
PROMPT = (ROOT / "prompts" / "system.md").read_text(encoding="utf-8")
LABELS = re.findall(r"^- ([a-z_]+): ", PROMPT.split("Boundaries:")[0], flags=re.MULTILINE)
FIELDS = [
    "message",
    "category",
    "priority",
    "invoice_id",
    "amount",
    "missing_information",
    "recommended_next_step",
    "summary",
    "slice",
]
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
ALIKE = 0.5  # Jaccard similarity of word 3-grams from which two messages count as near-duplicates
MULTIPLES = {"k": 1_000, "m": 1_000_000, "million": 1_000_000}


def rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]


DATA, EVAL = rows("data/messages.jsonl"), rows("evals/eval.jsonl")
RAW = (ROOT / "raw" / "messages-with-faults.jsonl").read_text(encoding="utf-8").splitlines()
DOCUMENTED = json.loads((ROOT / "raw" / "faults.json").read_text(encoding="utf-8"))


def of(category: str) -> list[dict]:
    return [row for row in DATA + EVAL if row["category"] == category]


def grams(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[start : start + 3]) for start in range(max(1, len(words) - 2))}


def near(texts: list[str]) -> Iterator[tuple[int, int]]:
    """Pairs of near-duplicates, by an inverted index over the 3-grams."""
    sets = [grams(text) for text in texts]
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, held in enumerate(sets):
        for gram in held:
            holders[gram].append(index)
    shared = Counter(pair for indices in holders.values() for pair in combinations(indices, 2))
    for (one, other), common in shared.items():
        if common / len(sets[one] | sets[other]) >= ALIKE:
            yield one, other


def numbers(text: str) -> set[float]:
    """The numbers of a message, read both ways: 1.290,00 and 1,290.00; 94k and $1.1 million multiplied."""
    found: set[float] = set()
    for digits, unit in re.findall(r"(\d[\d.,]*)\s?(k\b|m\b|million)?", text):
        clean = digits.rstrip(".,")
        for form in (clean.replace(",", ""), clean.replace(".", "").replace(",", ".")):
            if form.count(".") <= 1:
                found.add(round(float(form) * MULTIPLES.get(unit, 1), 2))
    return found


def test_the_guideline_names_twelve_labels_in_300_to_500_words():
    assert len(LABELS) == len(set(LABELS)) == 12
    assert 300 <= len(PROMPT.split()) <= 500


def test_counts():
    assert len(DATA) + len(EVAL) >= 1_100
    assert Counter(row["category"] for row in EVAL) == dict.fromkeys(LABELS, 25)
    assert Counter(row["category"] for row in DATA) == dict.fromkeys(LABELS, 73)
    in_eval = Counter(row["slice"] for row in EVAL)
    assert set(in_eval) == SLICES
    assert min(in_eval.values()) >= 20


@pytest.mark.parametrize("category", LABELS)
def test_every_row_keeps_the_vocabulary(category: str):
    for row in of(category):
        told = row["message"]
        assert list(row) == FIELDS, told
        assert told.strip()
        assert row["priority"] in {"low", "normal", "high", "urgent"}, told
        assert row["slice"] in SLICES, told
        assert row["invoice_id"] is None or row["invoice_id"] in told
        assert row["amount"] is None or row["amount"] in numbers(told)
        assert len(row["recommended_next_step"].split()) <= 10, told
        assert len(row["summary"].split()) <= 14, told


@pytest.mark.parametrize("category", LABELS)
def test_every_row_asks_for_what_its_category_needs_and_the_message_lacks(category: str):
    for row in of(category):
        told, missing = row["message"], row["missing_information"]
        assert missing in ([], [ASKED.get(category)]), told
        assert row["recommended_next_step"].startswith("Ask for") == bool(missing), told
        if category in {"billing_dispute", "payment_failure"}:
            assert bool(missing) == (row["invoice_id"] is None), told
        if category in {"account_access", "account_admin"}:
            assert bool(missing) == ("@" not in told)


def test_outages_and_breaches_are_escalated_at_once():
    urgent = [row for row in of("security_privacy") if row["priority"] == "urgent"]
    assert len(urgent) > 20
    assert all(row["priority"] == "urgent" for row in of("outage"))
    assert all(row["recommended_next_step"].startswith("Escalate") for row in of("outage") + urgent)


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


# The faults


def faults(*kinds: str) -> list[dict]:
    return [fault for fault in DOCUMENTED["faults"] if fault["kind"] in kinds]


def at(fault: dict) -> dict:
    return json.loads(RAW[fault["line"] - 1])


def original(fault: dict) -> dict:
    name, line = fault["of"].rsplit(":", 1)
    return json.loads((ROOT / name).read_text(encoding="utf-8").splitlines()[int(line) - 1])


def luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def test_the_documented_counts_are_those_of_the_file():
    assert DOCUMENTED["rows"] == len(RAW)
    assert DOCUMENTED["counts"] == Counter(fault["kind"] for fault in DOCUMENTED["faults"])
    assert DOCUMENTED["counts"] == {
        "broken-line": 1,
        "contradiction": 6,
        "duplicate": 12,
        "empty-message": 1,
        "leak": 5,
        "missing-field": 1,
        "near-duplicate": 12,
        "personal-data": 8,
        "unknown-label": 1,
        "wrong-label": 10,
    }


def test_without_its_faults_the_raw_file_is_the_data():
    planted = {fault["line"] for fault in DOCUMENTED["faults"]}
    rest = [json.loads(line) for number, line in enumerate(RAW, 1) if number not in planted]
    repaired = [at(fault) | {"category": fault["right"]} for fault in faults("wrong-label")]
    assert _sorted(rest + repaired) == _sorted(DATA)


def _sorted(content: Iterable[dict]) -> list[str]:
    return sorted(json.dumps(row) for row in content)


@pytest.mark.parametrize("fault", faults("duplicate"), ids=lambda fault: str(fault["line"]))
def test_duplicates(fault: dict):
    assert at(fault) == original(fault)


@pytest.mark.parametrize("fault", faults("near-duplicate"), ids=lambda fault: str(fault["line"]))
def test_near_duplicates(fault: dict):
    row, first = at(fault), original(fault)
    assert normalise(row["message"]) != normalise(first["message"])
    assert list(near([row["message"], first["message"]])) == [(0, 1)]
    assert row["category"] == first["category"]


@pytest.mark.parametrize("fault", faults("contradiction"), ids=lambda fault: str(fault["line"]))
def test_contradictions(fault: dict):
    row, first = at(fault), original(fault)
    assert row["message"] == first["message"]
    assert row["category"] in LABELS
    assert row["category"] != first["category"] == fault["right"]


def test_leaks():
    leaked = [(at(fault), original(fault)) for fault in faults("leak")]
    assert all(normalise(row["message"]) == normalise(twin["message"]) for row, twin in leaked)
    assert sum(row == twin for row, twin in leaked) == 3


@pytest.mark.parametrize("fault", faults("wrong-label"), ids=lambda fault: str(fault["line"]))
def test_wrong_labels(fault: dict):
    right = {row["message"]: row["category"] for row in DATA}
    row = at(fault)
    assert row["category"] in LABELS
    assert row["category"] != right[row["message"]] == fault["right"]


def test_personal_data():
    texts = [at(fault)["message"] for fault in faults("personal-data")]
    clean = {row["message"] for row in DATA + EVAL}
    assert not clean.intersection(texts)
    cards = [re.sub(r"\D", "", card) for text in texts for card in re.findall(r"\b(?:\d{4} ){3}\d{4}\b(?! \d)", text)]
    assert len(cards) == 2
    assert all(luhn(card) for card in cards)
    assert sum(bool(re.search(r"\b(?:DE|GB)\d\d", text)) for text in texts) == 2
    assert sum("@" in text for text in texts) == 3


def test_broken_lines():
    [cut] = faults("broken-line")
    with pytest.raises(json.JSONDecodeError):
        at(cut)
    [without] = faults("missing-field")
    assert list(at(without)) == [field for field in FIELDS if field != "category"]
    [unknown] = faults("unknown-label")
    assert at(unknown)["category"] == "refund"
    [empty] = faults("empty-message")
    assert at(empty)["message"] == ""

"""The sample project's planted faults stand where they are documented."""

import json
import re
from collections import Counter
from collections.abc import Iterable

import pytest
from triage import DATA, EVAL, FIELDS, LABELS, ROOT, near

from tunesmith.data.normal import normalise

RAW = (ROOT / "raw" / "messages-with-faults.jsonl").read_text(encoding="utf-8").splitlines()
DOCUMENTED = json.loads((ROOT / "raw" / "faults.json").read_text(encoding="utf-8"))


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
    assert all(row[field] == first[field] for field in ("category", "priority", "recommended_next_step"))


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

"""Personal data found beside Presidio as it comes: `python benchmarks/sensitive.py [--quick] [--json]`.

Recall and precision by kind on the synthetic set of presidio-research, and rows a second; Presidio runs with its
English recognisers on its no-op language engine, on the same kinds, turn by turn with ours. A value counts as found
where a hit of its kind overlaps it. Needs the data sets beside the project.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from machine import goal, processor, report
from tunesmith.data.sensitive.finder import find
from tunesmith.data.sensitive.hit import Sensitive
from tunesmith.data.sensitive.ids import load_presidio

FOLDER = Path(os.environ.get("TUNESMITH_DATA", Path(__file__).parents[2] / "shared" / "data")) / "presidio_research"
# The kinds of the gold spans, by our names; Presidio's own names of the same.
GOLD = {
    "EMAIL_ADDRESS": "email",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "PHONE_NUMBER": "phone",
    "IP_ADDRESS": "ip",
    "DOMAIN_NAME": "url",
    "US_SSN": "national-id",
    "STREET_ADDRESS": "address",
}
PRESIDIO = {**GOLD, "URL": "url"}
GOAL = 0.95  # recall of the kinds that have a form
FORMED = ("email", "card", "iban", "phone", "ip", "url")
PACKAGES = ("tunesmith", "presidio-analyzer", "detect-secrets", "phonenumbers")

Find = Callable[[str], Sequence[Sensitive]]


class Row(NamedTuple):
    text: str
    gold: list[Sensitive]


class Measured(NamedTuple):
    recall: dict[str, float]
    precision: dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of timing instead of five")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = read()
    peer = presidio()
    ours, theirs = measure(rows, find), measure(rows, peer)
    cases = [each for kind in dict.fromkeys(GOLD.values()) for each in of_kind(kind, ours, theirs)]
    cases.append(speed(rows, peer, rounds=1 if asked.quick else 5))
    facts = {
        "benchmark": "sensitive",
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "machine": {"device": processor(), "threads": 1},
        "cases": cases,
    }
    report(facts, as_json=asked.json, words=words)


def words(each: Mapping[str, Any]) -> str:
    return f"{each['name']:28} {each['value']:>10} {each['unit']:8} Presidio {each['against']}{goal(each)}"


def read() -> list[Row]:
    found = json.loads((FOLDER / "synth_dataset_v2.json").read_text(encoding="utf-8"))
    return [
        Row(
            row["full_text"],
            [
                Sensitive(GOLD[span["entity_type"]], span["start_position"], span["end_position"])
                for span in row["spans"]
                if span["entity_type"] in GOLD
            ],
        )
        for row in found
    ]


def measure(rows: Sequence[Row], by: Find) -> Measured:
    there, met, said, right = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        hits = by(row.text)
        for gold in row.gold:
            there[gold.kind] += 1
            met[gold.kind] += any(_same(gold, hit) for hit in hits)
        for hit in hits:
            said[hit.kind] += 1
            right[hit.kind] += any(_same(gold, hit) for gold in row.gold)
    return Measured(
        {kind: met[kind] / number for kind, number in there.items()},
        {kind: right[kind] / number for kind, number in said.items()},
    )


def _same(gold: Sensitive, hit: Sensitive) -> bool:
    return gold.kind == hit.kind and gold.start < hit.end and hit.start < gold.end


def presidio() -> Find:
    """Presidio's analyzer on its no-op language engine, kept from fetching a list of domains."""
    load_presidio()
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NoOpNlpEngine

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    nlp = NoOpNlpEngine([{"lang_code": "en", "model_name": ""}])
    nlp.load()
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    registry.remove_recognizer("SpacyRecognizer")  # it asks for a language model
    engine = AnalyzerEngine(registry=registry, nlp_engine=nlp, supported_languages=["en"])
    known = sorted(set(engine.get_supported_entities("en")) & set(PRESIDIO))

    def by(text: str) -> list[Sensitive]:
        found = engine.analyze(text, "en", entities=known)
        return [Sensitive(PRESIDIO[hit.entity_type], hit.start, hit.end) for hit in found]

    return by


def of_kind(kind: str, ours: Measured, theirs: Measured) -> list[dict[str, Any]]:
    goal = GOAL if kind in FORMED else None
    recall, precision = ours.recall.get(kind, 0.0), ours.precision.get(kind, 0.0)
    return [
        _case(f"{kind}: recall", recall, "", theirs.recall.get(kind, 0.0), goal),
        _case(f"{kind}: precision", precision, "", theirs.precision.get(kind, 0.0), None),
    ]


def speed(rows: Sequence[Row], peer: Find, *, rounds: int) -> dict[str, Any]:
    """Rows a second, medians of rounds that alternate."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for side, by in enumerate((find, peer)):
            start = time.perf_counter()
            for row in rows:
                by(row.text)
            times[side].append(time.perf_counter() - start)
    ours, theirs = (len(rows) / statistics.median(each) for each in times)
    return _case("rows a second", ours, "rows/s", theirs, None, digits=0)


def _case(name: str, value: float, unit: str, against: float, goal: float | None, digits: int = 3) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, digits),
        "unit": unit,
        "against": round(against, digits),
        "ratio": round(value / against, 2) if against else None,
        "goal": goal,
        "met": None if goal is None else value >= goal,
    }


if __name__ == "__main__":
    main()

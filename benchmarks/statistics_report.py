"""All cases of `statistics.py`, each with its goal, and the tables that docs/statistics.md shows of them."""

import argparse
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

import statistics_coverage as coverage
import statistics_verdicts as verdicts
from machine import goal, processor, report, tell

REPETITIONS, QUICK = 2000, 200
PACKAGES = ("tunesmith", "numpy", "scipy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the sets, and fewer sizes")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    cases = list(run(QUICK if asked.quick else REPETITIONS, quick=asked.quick))
    facts = {
        "benchmark": "statistics",
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "machine": {"processor": processor()},
        "cases": cases,
    }
    report(facts, as_json=asked.json, words=words)


def run(repetitions: int, *, quick: bool) -> Iterator[dict[str, Any]]:
    for case in coverage.cases():
        for n in case.sizes:
            if quick and n not in coverage.QUICK_SIZES:
                continue
            if found := coverage.measure(case, n, repetitions):
                tell(words(found))
                yield found
    for made in verdicts.cases(repetitions, quick=quick):
        tell(words(made))
        yield made


def words(case: Mapping[str, Any]) -> str:
    few = f", {case['shown']:g} % of the sets show it" if case.get("shown", 100) < 100 else ""
    return f"{case['name']}: {case['value']:g} {case['unit']}{few}{goal(case, ' %')}"

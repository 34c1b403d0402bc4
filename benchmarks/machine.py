"""What a benchmark says about the machine, how it talks while it works, and how it ends."""

import json
import platform
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def report(facts: Mapping[str, Any], *, as_json: bool, words: Callable[[Mapping[str, Any]], str]) -> None:
    """`facts` as one document, or in words: versions, machine, and each case in `words`."""
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    print(json.dumps(facts["versions"]), json.dumps(facts["machine"]), sep="\n")
    for case in facts["cases"]:
        print(words(case))


def goal(case: Mapping[str, Any], unit: str = "") -> str:
    """Whether a case has met its goal, in brackets; empty where it has none."""
    met = "met" if case["met"] else "not met"
    return "" if case["goal"] is None else f" (goal {case['goal']}{unit}: {met})"

"""The sample project's rows, and which of them are near-duplicates."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).parents[2] / "examples" / "support-triage"
PROMPT = (ROOT / "prompts" / "system.md").read_text(encoding="utf-8")
SCHEMA = (ROOT / "schema.json").read_text(encoding="utf-8")
CHOICES = {name: part.get("enum") for name, part in json.loads(SCHEMA)["properties"].items()}
LABELS = CHOICES["category"]
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
ALIKE = 0.5  # Jaccard similarity of word 3-grams from which two messages count as near-duplicates


def rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]


DATA, EVAL = rows("data/messages.jsonl"), rows("evals/eval.jsonl")


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

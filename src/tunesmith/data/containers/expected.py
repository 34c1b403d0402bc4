"""A row of promptfoo's CSV as a test: its columns are variables, `__expected` (and `__expected1`, …) its assertions.

A cell may name the type of its assertion ("contains: Paris"); any other text must be equalled.
"""

import re
from typing import Any

EXPECTED = "__expected"
NAMED_TYPE = re.compile(r"(?P<type>[a-z][a-z-]*)(?:\([\d.]+\))?:\s*(?P<value>.*)", re.DOTALL)
ALONE = ("is-json", "contains-json")  # types that need no value
TYPES = {
    *("equals", "contains", "icontains", "contains-any", "contains-all", "icontains-any", "icontains-all", *ALONE),
    *("starts-with", "regex", "javascript", "fn", "eval", "python", "similar", "rouge-n", "levenshtein", "cost"),
    *("llm-rubric", "grade", "factuality", "model-graded-closedqa", "latency"),
}


def test_of(row: dict[str, Any]) -> dict[str, Any]:
    """The test that a row is; what is one already stays as it is."""
    if not any(key.startswith(EXPECTED) for key in row):
        return row
    test: dict[str, Any] = {"vars": {key: value for key, value in row.items() if not key.startswith("__")}}
    asserted = [_assertion(str(row[key])) for key in row if key.startswith(EXPECTED) and row[key]]
    test |= {"assert": asserted} if asserted else {}
    return test | {key: value for key, value in row.items() if key.startswith("__") and not key.startswith(EXPECTED)}


def _assertion(text: str) -> dict[str, Any]:
    named = NAMED_TYPE.fullmatch(text)
    if named and named["type"].removeprefix("not-") in TYPES:
        return {"type": named["type"], "value": named["value"]}
    return {"type": text} if text in ALONE else {"type": "equals", "value": text}

"""The suites that come with Tunesmith, each a file of items beside this module, written for it.

General: six kinds, easy enough that a small model gets some right, so that a loss can be seen. Refusals: what looks
unsafe and is to be answered, and what is unsafe and is to be refused. Harm: whether answers to requests for harm do
harm, as far as code sees it (`harmful.py`). Nonsense: texts that belong to no task, to see how sure a model is of them.
"""

from functools import cache
from pathlib import Path

from tunesmith.data.suites.base import Suite
from tunesmith.data.suites.load import load_suite

FOLDER = Path(__file__).parent


def general() -> Suite:
    """Kinds: instructions, arithmetic, knowledge, reading, json, languages."""
    return _opened("general")


def refusals() -> Suite:
    """Kinds: looks unsafe (to be answered), unsafe (to be refused)."""
    return _opened("refusals")


def harm() -> Suite:
    """Kinds: insults, discrimination, self-harm, dangerous advice, privacy; right is an answer without harm."""
    return _opened("harm")


def nonsense() -> Suite:
    """Kinds: random words, keyboard, punctuation, other domains, other languages; no answer is scored."""
    return _opened("nonsense")


@cache
def _opened(name: str) -> Suite:
    return load_suite(FOLDER / f"{name}.jsonl")

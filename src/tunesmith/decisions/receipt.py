"""The receipt of a verdict: one JSON document that says what was judged, on what, by what, and who had looked.

It carries a digest over everything else in it, so that a changed receipt is noticed.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import tunesmith
from tunesmith.core.digests import digest, sha256_file
from tunesmith.core.scorecard import Scorecard
from tunesmith.core.verdict import Verdict
from tunesmith.evaluation.seal import Seal

LIBRARIES = (
    *("numpy", "scipy", "scikit-learn", "sacrebleu", "rapidfuzz"),
    *("torch", "transformers", "peft", "safetensors", "tokenizers"),
)


def receipt(
    verdict: Verdict,
    scorecards: Sequence[Scorecard],
    seal: Seal,
    *,
    digests: Mapping[str, str],
    date: str,
) -> dict[str, Any]:
    """`digests` name what went in: data, recipe, model, rules. Those of the seal and of this code are added."""
    reveals = [look for look in seal.looks if look.reveal]
    body: dict[str, Any] = {
        "schema_version": 1,
        "date": date,
        "verdict": verdict.verdict,
        "candidate": verdict.candidate,
        "baseline": verdict.baseline,
        "rules": verdict.rules,
        "reasons": list(verdict.reasons),
        "caveats": list(verdict.caveats),
        "attempt": verdict.attempt,
        "more_rows": verdict.more_rows,
        "comparisons": [each.model_dump(mode="json") for each in verdict.comparisons],
        "slices": [each.model_dump(mode="json") for each in verdict.slices],
        "unknown_slices": list(verdict.unknown_slices),
        "candidates": [_figures(card) for card in scorecards],
        "eval_set": seal.model_dump(mode="json", exclude={"looks"}),
        "looks": [look.model_dump(mode="json") for look in seal.looks],
        "revealed": bool(reveals),
        "reveals": [look.date for look in reveals],
        "digests": dict(digests) | {"seal": seal.sha256, "code": code_digest()},
        "versions": {"tunesmith": tunesmith.__version__} | _libraries(),
    }
    return body | {"digest": _digest(body)}


def is_genuine(document: Mapping[str, Any]) -> bool:
    """Whether a receipt still says what it said when it was written."""
    body = {key: value for key, value in document.items() if key != "digest"}
    return document.get("digest") == _digest(body)


def _digest(body: Mapping[str, Any]) -> str:
    return digest("receipt", 1, body=body)


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Of the Tunesmith that is running: two equal versions with changed files are two."""
    root = Path(tunesmith.__file__).parent
    files = {path.relative_to(root).as_posix(): sha256_file(path) for path in sorted(root.rglob("*.py"))}
    return digest("code", 1, files=files)


def _figures(card: Scorecard) -> dict[str, Any]:
    """A scorecard without its confusion matrix, which the ledger keeps."""
    return card.model_dump(mode="json", exclude={"confusion", "confusion_labels"})


def _libraries() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found

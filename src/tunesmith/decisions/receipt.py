"""The receipt of a verdict: one JSON document that says what was judged, on what, by what, and who had looked.

It carries a digest over everything else in it, the public key among it, and a signature of that digest: a changed
receipt is noticed, and only the holder of the key could have made another. The first receipts (schema 1) had the digest
alone.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import tunesmith
from tunesmith.core.digests import digest, sha256_file
from tunesmith.core.scorecard import Scorecard
from tunesmith.core.verdict import Verdict
from tunesmith.decisions.signature import SigningKey, holds
from tunesmith.evaluation.budget import budget
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
    key: SigningKey,
    licences: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> dict[str, Any]:
    """`digests` name what went in: data, recipe, model, rules. Those of the seal and of this code are added; `key`
    signs. `licences` are those of the candidates' models."""
    reveals = [look for look in seal.looks if look.reveal]
    looks = budget(seal, int(verdict.rules["looks"]))
    body: dict[str, Any] = {
        "schema_version": 2,
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
        "guards": [each.model_dump(mode="json") for each in verdict.guards],
        "ceilings": [each.model_dump(mode="json") for each in verdict.ceilings],
        "preference": verdict.preference and verdict.preference.model_dump(mode="json"),
        "payback": verdict.payback and verdict.payback.model_dump(mode="json"),
        "diagnosis": verdict.diagnosis and verdict.diagnosis.model_dump(mode="json"),
        "candidates": [_figures(card) for card in scorecards],
        "licences": {name: dict(licence) for name, licence in licences.items()},
        "eval_set": seal.model_dump(mode="json", exclude={"looks", "sample"}),
        "look_budget": {"used": looks.used, "allowed": looks.allowed, "state": looks.state},
        "looks": [look.model_dump(mode="json") for look in seal.looks],
        "revealed": bool(reveals),
        "reveals": [look.date for look in reveals],
        "digests": dict(digests) | {"seal": seal.sha256, "code": code_digest()},
        "versions": {"tunesmith": tunesmith.__version__} | _libraries(),
        "public_key": key.public,
    }
    made = _digest(body)
    return body | {"digest": made, "signature": key.sign(made)}


class Proof(NamedTuple):
    """Whether the digest covers what a receipt says, and whether the signature is that of its key over that digest;
    None where it is not signed."""

    digest: bool
    signature: bool | None

    @property
    def genuine(self) -> bool:
        return self.digest and bool(self.signature)


def proof(document: Mapping[str, Any]) -> Proof:
    """Whether a receipt still says what it said when it was signed."""
    body = {name: value for name, value in document.items() if name not in ("digest", "signature")}
    said, public, signature = (document.get(name) for name in ("digest", "public_key", "signature"))
    whole = said == _digest(body)
    if public is None and signature is None:
        return Proof(whole, None)
    signed = all(isinstance(each, str) for each in (said, public, signature))
    return Proof(whole, signed and holds(str(signature), str(said), str(public)))


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

import json
from collections.abc import Callable

import pytest

import tunesmith
from tunesmith.core.digests import canonical, digest
from tunesmith.decisions.comparison import Evaluated
from tunesmith.decisions.judgement import decide
from tunesmith.decisions.receipt import proof, receipt
from tunesmith.decisions.section import RulesSection
from tunesmith.decisions.signature import SigningKey
from tunesmith.evaluation.seal import Look, Seal

KEY = SigningKey.new()


def made(pair: Callable[..., tuple[Evaluated, Evaluated]], *looks: Look) -> dict[str, object]:
    a, b = pair(400, 60, 12)
    seal = Seal(
        version=2, sha256="f" * 64, rows=400, slices={}, labels={"billing": 200, "refund": 200}, date="d", looks=looks
    )
    verdict = decide(a, [b], RulesSection())
    digests = {"recipe": "r" * 64, "data": "d" * 64}
    return receipt(verdict, [a.scorecard, b.scorecard], seal, digests=digests, date="2026-01-01", key=KEY)


def test_a_receipt_says_what_was_judged_on_what_by_what(pair: Callable[..., tuple[Evaluated, Evaluated]]) -> None:
    document = made(pair, Look(date="d1", verb="baseline", candidates=("prompt",), version=2))
    assert document["verdict"] == "ship"
    assert document["reasons"]
    assert document["rules"]["primary"] == "accuracy"  # type: ignore[index]
    assert document["rules"]["min_effect"] == 0.02  # type: ignore[index]
    assert document["eval_set"]["version"] == 2  # type: ignore[index]
    assert [each["candidate"] for each in document["candidates"]] == ["fine-tuned", "prompt"]  # type: ignore[attr-defined]
    assert document["candidates"][0]["metrics"]["accuracy"]["low"] > 0.5  # type: ignore[index]
    assert document["comparisons"][0]["b"] == "prompt"  # type: ignore[index]
    assert document["looks"][0]["candidates"] == ["prompt"]  # type: ignore[index]
    assert {"data", "recipe", "seal", "code"} == set(document["digests"])  # type: ignore[call-overload]
    assert document["versions"]["tunesmith"] == tunesmith.__version__  # type: ignore[index]
    assert "numpy" in document["versions"]  # type: ignore[operator]
    assert json.loads(canonical(document)) == document


def test_a_reveal_is_stated(pair: Callable[..., tuple[Evaluated, Evaluated]]) -> None:
    assert made(pair)["revealed"] is False
    document = made(pair, Look(date="2026-02-03", verb="compare", candidates=(), reveal=True, version=2))
    assert document["revealed"] is True
    assert document["reveals"] == ["2026-02-03"]


def test_a_changed_receipt_is_noticed(pair: Callable[..., tuple[Evaluated, Evaluated]]) -> None:
    document = made(pair)
    assert proof(json.loads(json.dumps(document))).genuine
    assert document["public_key"] == KEY.public
    for changed in (
        document | {"verdict": "reject"},
        {key: value for key, value in document.items() if key != "caveats"},
        document | {"digest": "0" * 64},
        document | {"signature": "0" * 128},
        document | {"signature": 7},
        document | {"public_key": "no key"},
        document | {"public_key": SigningKey.new().public},
    ):
        assert not proof(changed).genuine


def test_who_changes_a_receipt_cannot_sign_for_another(pair: Callable[..., tuple[Evaluated, Evaluated]]) -> None:
    """With a new digest the signature no longer holds; without both it is a receipt that nobody signed."""
    document = made(pair) | {"verdict": "reject"}
    forged = digested(document)
    assert proof(forged) == (True, False)
    unsigned = digested({key: value for key, value in document.items() if key not in ("public_key", "signature")})
    assert proof(unsigned) == (True, None)
    assert not proof(unsigned).genuine


def digested(document: dict[str, object]) -> dict[str, object]:
    """With the digest that belongs to what it says."""
    body = {key: value for key, value in document.items() if key not in ("digest", "signature")}
    return document | {"digest": digest("receipt", 1, body=body)}


def test_a_key_is_the_same_after_it_was_kept() -> None:
    again = SigningKey.of_pem(KEY.pem)
    assert again.public == KEY.public
    assert again.sign("d") == KEY.sign("d")
    for wrong in (b"", b"-----BEGIN PRIVATE KEY-----\n"):
        with pytest.raises(ValueError, match="PEM"):
            SigningKey.of_pem(wrong)

import json
from collections.abc import Callable

import tunesmith
from tunesmith.core.digests import canonical
from tunesmith.decisions.comparison import Evaluated
from tunesmith.decisions.judgement import decide
from tunesmith.decisions.receipt import is_genuine, receipt
from tunesmith.decisions.section import RulesSection
from tunesmith.evaluation.seal import Look, Seal


def made(pair: Callable[..., tuple[Evaluated, Evaluated]], *looks: Look) -> dict[str, object]:
    a, b = pair(400, 60, 12)
    seal = Seal(
        version=2, sha256="f" * 64, rows=400, slices={}, labels={"billing": 200, "refund": 200}, date="d", looks=looks
    )
    verdict = decide(a, [b], RulesSection())
    return receipt(
        verdict, [a.scorecard, b.scorecard], seal, digests={"recipe": "r" * 64, "data": "d" * 64}, date="2026-01-01"
    )


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
    assert is_genuine(json.loads(json.dumps(document)))
    assert not is_genuine(document | {"verdict": "reject"})
    assert not is_genuine({key: value for key, value in document.items() if key != "caveats"})
    assert not is_genuine(document | {"digest": "0" * 64})

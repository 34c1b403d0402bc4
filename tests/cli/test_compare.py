"""`tunesmith compare` as a user types it. Rules stand in for the fine-tune: training has tests of its own."""

import json
from pathlib import Path

from stand_in import LIGHT, stand_in


def looks(project: Path) -> list[dict]:
    return json.loads((project / "evals/eval.lock").read_text())["looks"]


def test_paths_resolve_from_the_working_folder(measured, tunesmith, tmp_path):
    stand_in(measured, tmp_path)
    done = tunesmith("compare", "--json", "-C", "tickets", **LIGHT)
    assert done.code in (0, 3), done.err
    for name in ("receipt", "report"):
        assert (tmp_path / done.json[name]).is_file()
    words = " ".join(done.err.split())
    assert f"Report: {done.json['report']}" in words
    assert f"Receipt: {done.json['receipt']}" in words
    for line in done.json["candidates"]:
        assert {"tokens_in", "tokens_out", "seconds", "memory"} <= set(line)


def test_sealed_rows_are_shown_only_when_asked_for(measured, tunesmith, tmp_path):
    stand_in(measured, tmp_path)

    def compare(*arguments: str) -> tuple[str, dict]:
        done = tunesmith("compare", "--json", *arguments, cwd=measured, **LIGHT)
        assert done.code in (0, 3), done.err
        return Path(done.json["report"]).read_text(), json.loads(Path(done.json["receipt"]).read_text())

    page, receipt = compare("--reveal")
    assert "opened by a reveal" in page
    assert receipt["revealed"] is True
    page, receipt = compare()
    assert "opened by a reveal" not in page
    assert "validation rows; no sealed row is shown" in " ".join(page.split())
    assert receipt["revealed"] is True
    assert len(receipt["reveals"]) == 1
    assert len(looks(measured)) == 2  # of the baseline, and of the reveal


def test_failed_rows_that_could_turn_the_verdict_are_asked_again(measured, tunesmith, tmp_path):
    """The fine-tune fails on every row at first: a reject that its answers would overturn."""
    flag = tmp_path / "flag"
    stand_in(measured, tmp_path, fails=f"not Path({str(flag)!r}).exists()")
    first = tunesmith("compare", "--json", cwd=measured, **LIGHT)
    assert first.code == 3, first.err
    assert first.json["verdict"] == "hold"
    assert "`tunesmith compare` then asks those rows again" in " ".join(first.json["reasons"])
    assert "ValueError: the table is away" in first.json["candidates"][-1]["first_failure"]
    assert [look["candidates"] for look in looks(measured)][-1] == ["fine-tune"]
    flag.touch()
    second = tunesmith("compare", "--json", cwd=measured, **LIGHT)
    assert second.json["verdict"] == "ship", second.json["reasons"]
    assert "it is asked again" in second.err
    assert {look["judged"] for look in looks(measured) if look["verb"] == "compare"} == {
        second.json["candidates"][-1]["digest"]
    }
    number = len(looks(measured))
    third = tunesmith("compare", "--json", cwd=measured, **LIGHT)
    assert third.json["verdict"] == "ship"
    assert len(looks(measured)) == number


def test_a_fine_tune_whose_files_are_gone_is_named(measured, tunesmith, tmp_path):
    digest = stand_in(measured, tmp_path)
    (measured / ".tunesmith/artifacts" / digest / "candidate.json").unlink()
    done = tunesmith("compare", cwd=measured, **LIGHT)
    assert done.code == 2
    assert "The files of candidate 'fine-tune'" in done.err
    assert "are missing. `tunesmith train` makes it again." in done.err
    assert len(looks(measured)) == 1


def test_scores_of_an_earlier_version_of_the_eval_set_are_not_compared(measured, tunesmith, tmp_path):
    """After resealing, every candidate is measured on the rows of now, and what stands beside it is of them alone."""
    stand_in(measured, tmp_path)
    first = tunesmith("compare", "--json", cwd=measured, **LIGHT)
    rows = (measured / "evals/eval.jsonl").read_text().splitlines()
    (measured / "evals/eval.jsonl").write_text("\n".join(rows[:-2]) + "\n")
    refused = tunesmith("compare", cwd=measured, **LIGHT)
    assert refused.code == 2
    assert "is no longer what was sealed as version 1" in " ".join(refused.err.split())
    for verb in ("seal --reseal", "split", "baseline"):
        assert tunesmith(*verb.split(), cwd=measured, **LIGHT).code == 0
    stand_in(measured, tmp_path)
    done = tunesmith("compare", "--json", "--set", "rules.looks=2", cwd=measured, **LIGHT)
    assert done.code in (0, 3), done.err
    assert {line["rows"] for line in first.json["candidates"]} == {24}
    assert {line["rows"] for line in done.json["candidates"]} == {22}
    assert {each["n"] for each in done.json["comparisons"]} == {22}
    receipt = json.loads(Path(done.json["receipt"]).read_text())
    assert {card["eval_version"] for card in receipt["candidates"]} == {2}
    assert {card["eval_set"] for card in receipt["candidates"]} == {receipt["eval_set"]["sha256"]}
    # Most of these rows were seen in version 1, so its looks count, too.
    assert receipt["look_budget"] == {"used": 4, "allowed": 2, "state": "spent"}
    assert any("fresh rows, not arithmetic" in text for text in receipt["caveats"])


def test_what_the_fine_tune_cost_stands_beside_what_it_saves(measured, tunesmith, tmp_path):
    stand_in(measured, tmp_path)
    decision = {
        "schema_version": 1,
        "row": "r",
        "origin": "o",
        "verdict": "accept",
        "reviewer": "Ann",
        "time": "2026-01-01",
        "guideline": "g",
        "seconds": 90.0,
    }
    (measured / "data/reviews.jsonl").write_text(json.dumps(decision) + "\n")
    prices = ("--set", "prices.per_hour=1.0", "--set", "prices.per_review_hour=40")
    done = tunesmith("compare", "--json", *prices, cwd=measured, **LIGHT)
    assert done.code in (0, 3), done.err
    once = done.json["payback"]["once"]
    assert (once["review_seconds"], once["review"]) == (90.0, 1.0)
    assert once["training"] == 2.0 / 3600
    assert [each["baseline"] for each in done.json["payback"]["against"]] == ["majority"]
    assert "Making the fine-tune cost $1.00" in " ".join(done.err.split())
    assert json.loads(Path(done.json["receipt"]).read_text())["payback"] == done.json["payback"]
    assert "Making the fine-tune cost $1.00" in " ".join(Path(done.json["report"]).read_text().split())

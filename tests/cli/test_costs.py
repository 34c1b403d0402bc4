"""What mistakes cost, as a user says it: the table, the verdict, the report, and a change of mind."""

import json
from pathlib import Path

import pytest
from stand_in import stand_in

LIGHT = {"TUNESMITH_BASELINES_WHICH": "majority"}
COSTS = """
[task.costs]
false_negative = { billing = 40 }
no_answer = 3
"""


def settle(project: Path, costs: str, *, primary: str = "expected_cost", least: str = "min_effect = 0.5") -> None:
    path = project / "tunesmith.toml"
    text = path.read_text().split("\n[task.costs]")[0]
    text = text.replace('# primary = "accuracy"', f'primary = "{primary}"').replace("# min_effect = 0.02", least)
    path.write_text(text + costs)


@pytest.fixture
def measured(project: Path, tunesmith) -> Path:
    settle(project, COSTS)
    for verb in ("split", "seal", "baseline"):
        done = tunesmith(verb, cwd=project, **LIGHT)
        assert done.code == 0, done.err
    assert "better would be shipped 4 times in 5" not in done.err.replace("a row better", "")
    return project


def test_costs_decide_and_a_change_of_them_asks_nobody_again(measured, tunesmith, tmp_path):
    stand_in(measured, tmp_path)

    def compare() -> tuple[dict, str]:
        done = tunesmith("compare", "--json", cwd=measured, **LIGHT)
        assert done.code in (0, 3), done.err
        return done.json, " ".join(done.err.split())

    first, said = compare()
    assert first["verdict"] != "reject"
    assert "a row spared" in said
    assert "expected cost" in said
    costs = {line["name"]: line["metrics"]["expected_cost"]["value"] for line in first["candidates"]}
    assert costs["fine-tune"] == 0
    assert 10 < costs["majority"] < 20
    page = Path(first["report"]).read_text()
    assert "Expected cost" in page
    assert "Difference, spared a row" in page
    receipt = json.loads(Path(first["receipt"]).read_text())
    assert receipt["rules"]["min_effect"] == 0.5
    looks = json.loads((measured / "evals/eval.lock").read_text())["looks"]

    settle(measured, COSTS.replace("40", "80"))
    done = tunesmith("status", cwd=measured, **LIGHT)
    assert "what is measured changed" in " ".join(done.err.split()) + " ".join(done.out.split())
    second, _ = compare()
    again = {line["name"]: line["metrics"]["expected_cost"]["value"] for line in second["candidates"]}
    assert again["majority"] > costs["majority"] + 5
    assert json.loads((measured / "evals/eval.lock").read_text())["looks"] == looks


def test_costs_that_are_not_named_cannot_decide(project, tunesmith):
    settle(project, "")
    done = tunesmith("check", cwd=project)
    assert done.code == 2
    assert "needs to know what mistakes cost" in done.err
    settle(project, COSTS, least="# min_effect = 0.02")
    (project / "tunesmith.toml").write_text(
        (project / "tunesmith.toml").read_text().replace("min_effect = 0.5", "# min_effect = 0.02")
    )
    done = tunesmith("check", cwd=project)
    assert done.code == 2
    assert "Name under [rules] min_effect how much less a row must cost" in " ".join(done.err.split())


def test_a_cost_that_is_none_is_named_with_its_place(project, tunesmith):
    settle(project, "\n[task.costs]\nmatrix = { access = { bug = -4 } }\n")
    done = tunesmith("check", cwd=project)
    assert done.code == 2
    assert "(at matrix.access.bug)" in done.err

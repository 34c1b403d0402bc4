"""`tunesmith seal --plan` as a user types it: before there is an eval set, and with one."""

import pytest
from stand_in import LIGHT, stand_in


def test_a_plan_needs_neither_rows_nor_an_eval_set(tmp_path, tunesmith):
    assert tunesmith("init", "empty").code == 0
    done = tunesmith("seal", "--plan", cwd=tmp_path / "empty", COLUMNS="80")
    assert done.code == 0, done.err
    assert "80.0 % of the rows (assumed)" in done.out
    assert "Eval rows that a true gain needs: 3 points: 12,457" in done.out
    assert max(map(len, done.out.split("What so many")[1].split("Eval rows that")[0].splitlines())) <= 80
    assert not (tmp_path / "empty/evals/eval.lock").exists()
    given = tunesmith("seal", "--plan", "--accuracy", "0.95", "--json", cwd=tmp_path / "empty").json["plan"]
    assert given["rows"] is None
    assert (given["noise"]["accuracy"], given["noise"]["accuracy_origin"]) == (0.95, "given")
    assert given["noise"]["discordant"] == pytest.approx(0.0475)
    assert {each["rows"] for each in given["sizes"]} >= {30, 100, 1000, 5000}


def test_what_is_known_takes_the_place_of_what_is_assumed(project, tmp_path, tunesmith):
    def plan():
        done = tunesmith("seal", "--plan", "--json", cwd=project, **LIGHT)
        assert done.code == 0, done.err
        return done.json["plan"]

    for verb in ("split", "seal"):
        assert tunesmith(verb, cwd=project).code == 0
    assert plan()["rows"] == 24
    assert plan()["noise"]["accuracy_origin"] == "assumed"
    assert tunesmith("baseline", cwd=project, **LIGHT).code == 0
    noise = plan()["noise"]
    assert (noise["accuracy_origin"], noise["origin"]) == ("measured", "assumed")
    assert noise["accuracy"] == pytest.approx(1 / 3)
    stand_in(project, tmp_path)
    assert tunesmith("compare", cwd=project, **LIGHT).code in (0, 3)
    made = plan()
    assert (made["noise"]["origin"], made["noise"]["discordant"]) == ("measured", pytest.approx(2 / 3))
    assert made["noise"]["accuracy"] == pytest.approx(1 / 3)
    assert made["level"] == pytest.approx(0.975)  # the next judgement is the second


def test_guards_are_planned_by_what_a_comparison_measured(project, tmp_path, tunesmith):
    guards = {"TUNESMITH_RULES_GUARDS": "{macro_f1 = 0.05, invalid_rate = 0.02}"}
    for verb in ("split", "seal"):
        assert tunesmith(verb, cwd=project).code == 0
    before = tunesmith("seal", "--plan", cwd=project, COLUMNS="80", **LIGHT, **guards)
    assert "Guards, should the fine-tune be no worse" in before.out
    assert [line.split()[-1] for line in before.out.splitlines() if "invalid_rate" in line] == ["assumed"]
    assert tunesmith("baseline", cwd=project, **LIGHT).code == 0
    stand_in(project, tmp_path)
    assert tunesmith("compare", cwd=project, **LIGHT, **guards).code in (0, 3)
    made = tunesmith("seal", "--plan", "--json", cwd=project, **LIGHT, **guards).json["plan"]["guards"]
    origins = {each["metric"]: each["origin"] for each in made}
    assert origins == {"macro_f1": "assumed", "invalid_rate": "measured"}  # 24 rows are too few for an interval of F1


def test_options_that_do_not_go_together_are_refused(project, tunesmith):
    for arguments in (("--plan", "--reseal"), ("--accuracy", "0.9"), ("--plan", "--accuracy", "90")):
        assert tunesmith("seal", *arguments, cwd=project).code == 2

"""[style], [behaviour] and the column of what must be done, as a user meets them: measured without a model."""

from pathlib import Path

import pytest

RULES = """
def answer(message):
    if "attack" in message:
        return "I'm sorry, but I can't help with that." if "1" in message else "Here is how!"
    return message.replace("Hand", "Please hand")
"""
LIGHT = {"TUNESMITH_BASELINES_WHICH": "copy,rules"}


def rows(start: int) -> list[dict[str, str]]:
    plain = [{"rude": f"Hand me key {n}", "kind": f"Please hand me key {n}"} for n in range(start, start + 40)]
    return plain + [
        {"rude": f"Plan attack {n}", "kind": "I can't help with that, sorry.", "must": "refuse"}
        for n in range(start, start + 20)
    ]


@pytest.fixture(scope="module")
def project(tmp_path_factory, tunesmith_in, sample) -> Path:
    folder = tmp_path_factory.mktemp("behaviour")
    sample.write_jsonl(folder / "pairs.jsonl", rows(100))
    sample.write_jsonl(folder / "test.jsonl", rows(300))
    columns = ("--input", "rude", "--output", "kind", "--behaviour", "must")
    done = tunesmith_in(folder)(
        "init", "p", "--family", "generation", "--from", "pairs.jsonl", "--eval", "test.jsonl", *columns
    )
    assert done.code == 0, done.err
    (folder / "p/rules.py").write_text(RULES)
    for verb in ("split", "seal"):
        done = tunesmith_in(folder / "p")(verb)
        assert done.code == 0, done.err
    return folder / "p"


def test_the_column_is_sealed_and_the_red_team_stands_apart(project, tunesmith_in):
    assert (project / "evals/eval.jsonl").read_text().count('"behaviour": "refuse"') == 20
    done = tunesmith_in(project)("baseline", "--json", **LIGHT)
    assert done.code == 0, done.err
    copied, ruled = done.json["candidates"]
    assert copied["red_team"] == {"value": 0.0, "low": 0.0, "high": copied["red_team"]["high"], "n": 20}
    kept = sum("1" in f"Plan attack {n}" for n in range(300, 320))
    assert ruled["red_team"]["value"] == kept / 20
    assert ruled["behaviours"]["refuse"]["given"] == ruled["states"]["refused"] == kept
    assert ruled["behaviours"]["refuse"]["precision"]["value"] == 1.0
    assert "Refusing, escalating, asking back" in done.err


def test_rules_of_the_house_are_measured_on_kept_answers(project, tunesmith_in):
    run = tunesmith_in(project)
    assert run("baseline", **LIGHT).code == 0
    done = run("baseline", "--json", "--set", 'style.required=["please"]', "--set", "style.max_words=4", **LIGHT)
    assert done.code == 0, done.err
    copied, ruled = done.json["candidates"]
    assert set(ruled["rules"]) == {"says “please”", "at most 4 words"}
    assert copied["metrics"]["rule_rate"]["value"] == 1.0
    assert copied["rules"]["at most 4 words"]["value"] == 0.0
    assert "rule_rate" not in run("baseline", "--json", **LIGHT).json["candidates"][0]["metrics"]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('style.matches=["("]', "is no regular expression"),
        ("behaviour.field=step", "[behaviour] field is of extraction"),
        ("data.behaviour=rude", "is named for two purposes"),
    ],
)
def test_what_cannot_be_meant_is_refused(project, tunesmith_in, setting, said):
    done = tunesmith_in(project)("baseline", "--set", setting, **LIGHT)
    assert done.code == 2
    assert said in done.err


def test_a_row_that_demands_something_else_stops_the_work_with_its_line(tmp_path, tunesmith, sample):
    sample.write_jsonl(tmp_path / "pairs.jsonl", [*rows(100), {"rude": "x", "kind": "y", "must": "deny"}])
    columns = ("--input", "rude", "--output", "kind", "--behaviour", "must")
    assert tunesmith("init", "q", "--family", "generation", "--from", "pairs.jsonl", *columns).code == 0
    done = tunesmith("check", "-C", "q")
    assert done.code == 2
    assert "'must' must be answer, refuse, escalate or ask, or nothing" in done.out

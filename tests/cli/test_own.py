"""The user's own metrics and validators as a user has them: they stand in the table, and may decide."""

import json
from pathlib import Path

import pytest
from stand_in import stand_in

LIGHT = {"TUNESMITH_BASELINES_WHICH": "majority"}
METRICS = """
def sharp(message, expected, answer):
    return 1.0 if answer == expected else 0.5
"""
VALIDATORS = """
def no_bugs(message, answer):
    return "bugs are not ours" if answer == "bug" else None
"""


@pytest.fixture
def measured(project: Path, tunesmith) -> Path:
    path = project / "tunesmith.toml"
    text = path.read_text().replace("# metrics = []", 'metrics = ["sharp"]')
    text = text.replace("# validators = []", 'validators = ["no_bugs"]')
    path.write_text(text.replace('# primary = "accuracy"', 'primary = "metrics.sharp"'))
    done = tunesmith("status", cwd=project)
    assert done.code == 0, done.err
    (project / "metrics.py").write_text(METRICS)
    (project / "validators.py").write_text(VALIDATORS)
    for verb in ("split", "seal", "baseline"):
        done = tunesmith(verb, cwd=project, **LIGHT)
        assert done.code == 0, done.err
    return project


def test_they_are_measured_decide_and_are_part_of_the_evidence(measured, tunesmith, tmp_path):
    stand_in(measured, tmp_path)

    def compare() -> dict:
        done = tunesmith("compare", "--json", cwd=measured, **LIGHT)
        assert done.code in (0, 3), done.err
        return done.json

    first = compare()
    assert first["primary"] == "metrics.sharp"
    tuned = next(line for line in first["candidates"] if line["name"] == "fine-tune")
    assert tuned["invalid"] == {"validator no_bugs: bugs are not ours": 8}
    assert tuned["metrics"]["metrics.sharp"]["value"] == pytest.approx(2 / 3)
    assert "Sharp" in Path(first["report"]).read_text()
    before = json.loads(Path(first["receipt"]).read_text())["digests"]["measures"]

    (measured / "validators.py").write_text(VALIDATORS.replace('"bug"', '"none of them"'))
    assert "what is measured changed" in " ".join(tunesmith("status", cwd=measured, **LIGHT).out.split())
    second = compare()
    tuned = next(line for line in second["candidates"] if line["name"] == "fine-tune")
    assert tuned["invalid"] == {}
    assert tuned["metrics"]["metrics.sharp"]["value"] == 1.0
    assert json.loads(Path(second["receipt"]).read_text())["digests"]["measures"] != before


def test_answers_by_hand_are_validated_too(measured, tunesmith, tmp_path):
    stand_in(measured, tmp_path)
    done = tunesmith("ask", "The crash is back", "--with", "fine-tune", "--json", cwd=measured, **LIGHT)
    [answer] = done.json["answers"]
    assert (answer["state"], answer["error"]) == ("invalid", "validator no_bugs: bugs are not ours")


def test_a_file_that_is_not_there_or_fails_is_named(measured, tunesmith):
    (measured / "metrics.py").write_text("def sharp(message):\n    return 1\n")
    done = tunesmith("baseline", cwd=measured, **LIGHT)
    assert done.code == 2
    assert "metrics.py:1: `sharp` does not take exactly 3 arguments" in " ".join(done.err.split())
    (measured / "metrics.py").unlink()
    done = tunesmith("baseline", cwd=measured, **LIGHT)
    assert done.code == 2
    assert "metrics.py does not exist, and [task] metrics names functions of it" in " ".join(done.err.split())

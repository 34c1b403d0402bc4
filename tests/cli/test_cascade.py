"""`[cascade]` as a user has it: rows kept for the threshold, the line in the table, what it promises."""

import json
from pathlib import Path

import pytest

from tunesmith.candidates.base import Card, keep
from tunesmith.workflows import inputs, runs
from tunesmith.workflows.guards import ready
from tunesmith.workflows.project import Project

LIGHT = {"TUNESMITH_BASELINES_WHICH": "majority"}
RULES = """
def answer(message: str) -> str:
    return next((label for label in ("billing", "access") if label[:2] in message), "bug")
"""


def stand_in(folder: Path) -> None:
    """A train run whose fine-tune is a rules file."""
    project = Project.open(folder)
    files = folder / "stand-in"
    files.mkdir()
    (files / "rules.py").write_text(RULES)
    card = Card(kind="rules", name="fine-tune", task=ready(project, "train").task, config={"seconds": 5.0})
    digest = keep(project.artifacts, card, files)
    with project.locked("train"), runs.record(project, "train", inputs.of_train(project) | {"base": "b"}) as recording:
        (recording.folder / "events.jsonl").write_text("")
        recording.result = {"candidate": "fine-tune", "digest": digest, "adapter": "a", "steps": 1, "seconds": 2.0}


@pytest.fixture
def measured(project: Path, tunesmith) -> Path:
    with (project / "tunesmith.toml").open("a") as file:
        file.write('\n[cascade]\nfirst = "majority"\nthen = "fine-tune"\nmax_error = 0.9\n')
    text = (project / "tunesmith.toml").read_text()
    (project / "tunesmith.toml").write_text(text.replace("\n[cascade]  #", "\n# [cascade]  #", 1))
    for verb in ("split", "seal", "baseline"):
        done = tunesmith(verb, cwd=project, **LIGHT)
        assert done.code == 0, done.err
        if verb == "split":
            assert "36 for the threshold of the cascade" in " ".join(done.out.split())
    stand_in(project)
    return project


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_it_stands_in_the_table_and_is_not_judged(measured, tunesmith):
    kept = lines(measured / "data/split/calibration.jsonl")
    others = [*lines(measured / "data/split/train.jsonl"), *lines(measured / "data/split/validation.jsonl")]
    assert len(kept) == 36
    assert not set(kept) & set(others)
    done = tunesmith("compare", "--json", cwd=measured, **LIGHT)
    assert done.code in (0, 3), done.err
    assert [line["name"] for line in done.json["candidates"]] == ["majority", "cascade", "fine-tune"]
    assert (done.json["candidate"], done.json["baseline"]) == ("fine-tune", "majority")
    words = " ".join(done.err.split())
    assert "In the cascade majority answers 100.0 % of the sealed rows alone" in words
    assert "With 95.0 % confidence at most 90.0 % are" in words
    receipt = json.loads(Path(done.json["receipt"]).read_text())
    [figures] = [each["cascade"] for each in receipt["candidates"] if each["cascade"]]
    assert (figures["first"], figures["calibrated"], figures["accepted"]) == ("majority", 36, 36)
    assert "calibration rows" in Path(done.json["report"]).read_text()
    asked = tunesmith("ask", "hello", "--with", "cascade", "--json", cwd=measured, **LIGHT)
    assert asked.json["answers"][0]["state"] == "ok"


def test_where_no_threshold_passes_everything_goes_to_the_second(measured, tunesmith):
    done = tunesmith("compare", "--json", "--set", "cascade.max_error=0.05", cwd=measured, **LIGHT)
    assert "The cascade passes everything on to fine-tune: on 36 calibration rows" in " ".join(done.err.split())
    by_name = {line["name"]: line for line in done.json["candidates"]}
    assert by_name["cascade"]["metrics"]["accuracy"] == by_name["fine-tune"]["metrics"]["accuracy"]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("cascade.first=majorty", "[cascade] first = 'majorty' is no candidate (did you mean 'majority'?)"),
        ("cascade.first=fine-tune", "first and then are both 'fine-tune'"),
    ],
)
def test_what_cannot_be_is_named(measured, tunesmith, setting, said):
    done = tunesmith("compare", "--set", setting, cwd=measured, **LIGHT)
    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert len(json.loads((measured / "evals/eval.lock").read_text())["looks"]) == 1  # that of baseline


def test_one_that_never_says_how_sure_it_is_is_refused_before_the_look(measured, tunesmith):
    settings = ("--set", "cascade.first=fine-tune", "--set", "cascade.then=majority")
    done = tunesmith("compare", *settings, cwd=measured, **LIGHT)
    assert done.code == 2
    assert "fine-tune does not say how sure it is of its answers" in " ".join(done.err.split())
    assert len(json.loads((measured / "evals/eval.lock").read_text())["looks"]) == 1


def test_a_split_of_before_is_not_current(project, tunesmith):
    assert tunesmith("split", cwd=project).code == 0
    assert not (project / "data/split/calibration.jsonl").exists()
    assert tunesmith("seal", cwd=project).code == 0
    done = tunesmith("baseline", "--set", "cascade.then=majority", cwd=project, **LIGHT)
    assert done.code == 2
    assert "The split is not current: [data] was changed. Run `tunesmith split`" in " ".join(done.err.split())

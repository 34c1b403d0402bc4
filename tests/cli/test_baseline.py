"""`tunesmith baseline`: what it says of prices, of rows that failed, of rules that are not there, of changed files."""

import json
import re
from pathlib import Path

import pytest

LIGHT = {"TUNESMITH_BASELINES_WHICH": "majority,rules"}
GOOD = 'def answer(message: str) -> str | None:\n    return "bug" if "crash" in message else "access"\n'
BROKEN = 'def answer(message: str) -> str | None:\n    raise ValueError("no such table")\n'
FLAKY = """
from pathlib import Path

def answer(message: str) -> str | None:
    with Path({asked!r}).open("a") as file:
        file.write(message + "\\n")
    if not Path({flag!r}).exists() and "crash" in message:
        raise ValueError("the table is away")
    return "bug"
"""


@pytest.fixture
def sealed(project: Path, tunesmith) -> Path:
    for verb in ("split", "seal"):
        assert tunesmith(verb, cwd=project).code == 0
    return project


def looks(project: Path) -> list[list[str]]:
    return [look["candidates"] for look in json.loads((project / "evals/eval.lock").read_text())["looks"]]


def messages(path: Path) -> list[str]:
    return [json.loads(line)["messages"][0]["content"] for line in path.read_text().splitlines()]


def by_name(done) -> dict[str, dict]:
    return {line["name"]: line for line in done.json["candidates"]}


def test_prices_that_come_later_count_for_answers_that_are_kept(sealed, tunesmith):
    (sealed / "rules.py").write_text(GOOD)
    first = by_name(tunesmith("baseline", "--json", cwd=sealed, **LIGHT))
    assert first["rules"]["cost_per_success"] is None
    before = looks(sealed)
    done = tunesmith("baseline", "--json", "--set", "prices.per_hour=3600", cwd=sealed, **LIGHT)
    line = by_name(done)["rules"]
    assert line["cost"] == pytest.approx(line["seconds"])  # 1 a second
    right = round(line["metrics"]["accuracy"]["value"] * line["rows"])
    assert line["cost_per_success"] == pytest.approx(line["cost"] / right)
    assert line["seconds"] == first["rules"]["seconds"]
    assert looks(sealed) == before
    assert "$" in done.err
    assert by_name(tunesmith("baseline", "--json", cwd=sealed, **LIGHT))["rules"]["cost"] == 0.0


def test_every_line_has_tokens_and_memory(sealed, tunesmith):
    done = tunesmith("baseline", "--json", cwd=sealed, TUNESMITH_BASELINES_WHICH="majority")
    line = by_name(done)["majority"]
    assert {"tokens_in", "tokens_out", "seconds", "memory", "states"} <= set(line)
    assert line["memory"] > 1 << 20
    assert line["states"] == {"ok": line["rows"]}


def test_rules_that_fail_everywhere_are_said_to_fail(sealed, tunesmith):
    (sealed / "rules.py").write_text(BROKEN)
    done = tunesmith("baseline", cwd=sealed, **LIGHT)
    said = " ".join(done.out.split())
    assert done.code == 0
    rows = json.loads((sealed / "evals/eval.lock").read_text())["rows"]
    assert f"rules failed on {rows} of {rows} rows; they count as not right." in said
    assert "The first failure: rules.py:2: ValueError: no such table" in said
    assert "`tunesmith baseline` asks those rows again" in said


def test_answers_that_are_no_label_are_counted(sealed, tunesmith):
    (sealed / "rules.py").write_text('def answer(message):\n    return "nonsense" if "crash" in message else "bug"\n')
    done = tunesmith("baseline", cwd=sealed, **LIGHT)
    assert "rules said what is no label on " in " ".join(done.out.split())
    assert "The first failure" not in done.out


def test_failed_rows_are_asked_again_and_no_others(sealed, tunesmith, tmp_path):
    flag, asked = tmp_path / "flag", tmp_path / "asked.txt"
    (sealed / "rules.py").write_text(FLAKY.format(flag=str(flag), asked=str(asked)))
    first = by_name(tunesmith("baseline", "--json", cwd=sealed, **LIGHT))["rules"]
    failed = first["states"]["failed"]
    assert looks(sealed) == [["majority"], ["rules"]]
    flag.touch()
    asked.unlink()
    done = tunesmith("baseline", "--json", cwd=sealed, **LIGHT)
    assert by_name(done)["rules"]["states"] == {"ok": first["rows"]}
    assert sorted(asked.read_text().splitlines()) == sorted(
        message
        for name in ("data/split/validation.jsonl", "evals/eval.jsonl")
        for message in messages(sealed / name)
        if "crash" in message
    )
    asked.unlink()
    assert f"rules failed on {failed} sealed row" in done.err
    assert looks(sealed) == [["majority"], ["rules"], ["rules"]]
    again = tunesmith("baseline", "--json", cwd=sealed, **LIGHT)
    assert "asked again" not in again.err
    assert not asked.exists()
    assert looks(sealed) == [["majority"], ["rules"], ["rules"]]


def test_rules_alone_without_their_file_are_refused(sealed, tunesmith):
    done = tunesmith("baseline", cwd=sealed, TUNESMITH_BASELINES_WHICH="rules")
    assert done.code == 2
    assert "There is no baseline to make" in done.err
    assert "rules.py does not exist" in done.err
    assert not list((sealed / ".tunesmith").glob("runs/*"))


def test_rules_beside_others_are_left_out_aloud(sealed, tunesmith):
    done = tunesmith("baseline", "--json", cwd=sealed, **LIGHT)
    assert done.code == 0
    assert list(by_name(done)) == ["majority"]
    assert "The rules baseline is left out: rules.py does not exist" in done.json["skipped"][0]
    assert done.json["skipped"][0] in done.err


def artifact(project: Path, name: str) -> Path:
    folders = (project / ".tunesmith/artifacts").iterdir()
    return next(each for each in folders if json.loads((each / "candidate.json").read_text())["name"] == name)


@pytest.mark.parametrize("what", ["missing", "changed"])
def test_files_that_are_missing_or_changed_are_named_and_made_again(what, sealed, tunesmith):
    (sealed / "rules.py").write_text(GOOD)
    assert tunesmith("baseline", cwd=sealed, **LIGHT).code == 0
    folder = artifact(sealed, "rules")
    if what == "missing":
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    else:
        with (folder / "rules.py").open("a") as file:
            file.write("# changed\n")
    (sealed / "in.csv").write_text("text\nhello\n")
    for arguments in (["ask", "hello"], ["predict", "in.csv", "-o", "out.csv", "--with", "rules"]):
        done = tunesmith(*arguments, cwd=sealed)
        assert done.code == 2
        assert f"The files of candidate 'rules' in .tunesmith/artifacts/{folder.name} are {what}." in done.err
        assert "`tunesmith baseline` makes it again" in done.err
        assert "--with majority" in done.err
        assert "tunesmith status" not in done.err
    assert tunesmith("ask", "hello", "--with", "majority", cwd=sealed).code == 0
    assert tunesmith("baseline", cwd=sealed, **LIGHT).code == 0
    assert tunesmith("ask", "hello", cwd=sealed).code == 0


def test_a_baseline_that_fails_is_recorded_as_failed(sealed, tunesmith):
    (sealed / "rules.py").write_text("def answer(:\n")
    assert tunesmith("baseline", cwd=sealed, **LIGHT).code == 2
    [run] = [json.loads(path.read_text()) for path in (sealed / ".tunesmith/runs").glob("*/run.json")]
    assert run["state"] == "failed"
    assert run["error"]


def test_a_row_too_long_for_a_later_candidate_is_named_before_the_first_is_asked(sealed, tunesmith, tiny_folder):
    settings = {
        "TUNESMITH_MODEL_BASE": str(tiny_folder),
        "TUNESMITH_MODEL_MAX_TOKENS": "300",
        "TUNESMITH_BASELINES_WHICH": "majority,prompt,few-shot",
    }
    done = tunesmith("baseline", cwd=sealed, TUNESMITH_BASELINES_SHOTS="8", **settings)
    assert done.code == 2
    assert re.search(r"\.csv:\d+ takes \d{3} tokens with its 8 shots; at most \d{3} fit before the answer", done.err)
    assert "rows: " not in done.err, "some were asked"
    assert looks(sealed) == []
    done = tunesmith("baseline", cwd=sealed, TUNESMITH_BASELINES_SHOTS="1", **settings)
    assert done.code == 0, done.err
    assert looks(sealed) == [["majority"], ["prompt"], ["few-shot"]]

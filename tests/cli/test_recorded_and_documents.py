"""`[baselines] recorded` and `documents` as a user has them: files beside the project's settings."""

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def tickets(project: Path, tunesmith) -> Path:
    for verb in ("split", "seal"):
        assert tunesmith(verb, cwd=project).code == 0
    return project


@pytest.fixture
def tiny(tmp_path: Path, sealed: Path) -> Path:
    """The sealed project of the tiny model, to be changed."""
    return Path(shutil.copytree(sealed, tmp_path / "p"))


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def sealed_rows(project: Path) -> list[tuple[str, str]]:
    return [
        (row["messages"][0]["content"], row["messages"][1]["content"]) for row in rows(project / "evals/eval.jsonl")
    ]


def lines(done) -> dict[str, dict]:
    return {line["name"]: line for line in done.json["candidates"]}


def test_recorded_answers_stand_in_the_table_and_those_that_lack_are_said(tickets, tunesmith):
    asked = sealed_rows(tickets)
    kept = asked[2:]
    table = ["text,answer,cost,seconds", *(f'"{text}",{label},0.25,40' for text, label in kept)]
    (tickets / "people.csv").write_text("\n".join(table) + "\n")
    settings = ("--set", "baselines.which=majority", "--set", 'baselines.recorded={people = "people.csv"}')
    done = tunesmith("baseline", "--json", *settings, cwd=tickets)
    assert done.code == 0, done.err
    people = lines(done)["people"]
    assert people["states"] == {"ok": len(kept), "failed": 2}
    assert people["first_failure"] == "not recorded"
    assert people["cost"] == pytest.approx(0.25 * len(kept))
    assert people["metrics"]["latency_p50"]["value"] == 40
    assert "asks those rows again" not in done.err
    again = tunesmith("baseline", "--json", *settings, cwd=tickets)
    assert "asked again" not in again.err
    assert "“hello”" in tunesmith("ask", "hello", "--with", "people", *settings, cwd=tickets).out


def test_one_file_is_named_recorded_and_rows_may_be_named_by_id(tickets, tunesmith):
    (tickets / "answers.jsonl").write_text('{"id": "nobody", "answer": "bug"}\n')
    done = tunesmith(
        "baseline",
        "--json",
        cwd=tickets,
        TUNESMITH_BASELINES_RECORDED="answers.jsonl",
        TUNESMITH_BASELINES_WHICH="majority",
    )
    assert done.code == 0, done.err
    assert set(lines(done)["recorded"]["states"]) == {"failed"}


@pytest.mark.parametrize(
    ("content", "setting", "said"),
    [
        ("text,verdict\na,bug\n", "answers.csv", "answers.csv has no column with the answers: expected 'answer' or"),
        ("text,answer,cost\na,bug,-1\n", "answers.csv", "answers.csv:2: cost is '-1'; expected a number that is not"),
        ("text,answer\na,\n", "answers.csv", "holds no row with an answer"),
        ("", '{prompt = "answers.csv"}', "'prompt' cannot be the name of a baseline"),
        ("", '{people = "../x.csv"}', "'../x.csv' leaves the project"),
        ("", "elsewhere.csv", "elsewhere.csv ([baselines] recorded) do not exist"),
    ],
)
def test_what_cannot_be_taken_is_named(tickets, tunesmith, content, setting, said):
    if content:
        (tickets / "answers.csv").write_text(content)
    done = tunesmith(
        "baseline", "--set", "baselines.which=majority", "--set", f"baselines.recorded={setting}", cwd=tickets
    )
    assert done.code == 2
    assert said in " ".join(done.err.split())


def test_retrieval_without_documents_is_left_out_aloud(tickets, tunesmith):
    done = tunesmith("baseline", "--json", cwd=tickets, TUNESMITH_BASELINES_WHICH="majority,retrieval")
    assert done.code == 0
    assert done.json["skipped"] == [
        "The retrieval baseline is left out: there are no documents in docs/ (.md, .txt or .csv) to look answers up in."
    ]


def test_retrieval_cites_what_it_was_shown(tiny, tunesmith):
    (tiny / "docs").mkdir()
    (tiny / "docs" / "codes.md").write_text("# Codes\n\nA lockout code is for access.\n")
    light = {"TUNESMITH_BASELINES_WHICH": "retrieval", "TUNESMITH_BASELINES_PASSAGES": "1"}
    done = tunesmith("baseline", "--json", cwd=tiny, **light)
    assert done.code == 0, done.err
    assert lines(done)["retrieval"]["states"] == {"ok": 24}
    asked = tunesmith("ask", "lockout", "--json", cwd=tiny, **light)
    assert asked.json["answers"][0]["passages"] == ["docs/codes.md:1-3"]
    assert "retrieval was shown: docs/codes.md:1-3." in asked.err
    (tiny / "in.jsonl").write_text('{"text": "lockout"}\n')
    assert tunesmith("predict", "in.jsonl", "-o", "out.jsonl", "--with", "retrieval", cwd=tiny, **light).code == 0
    [answered] = rows(tiny / "out.jsonl")
    assert answered["passages"] == ["docs/codes.md:1-3"]
    (tiny / "docs" / "codes.md").write_text("# Codes\n\nNone.\n")
    status = tunesmith("status", "--json", cwd=tiny, **light)
    assert "baseline" in json.dumps(status.json["next"])

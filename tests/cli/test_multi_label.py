"""Sets of labels as a user types it: from rows to the verdict, on a tiny model, and what is refused."""

import json
import re
import shutil
from pathlib import Path

import pytest

PROMPT = "Say which labels fit."
WORDS = {"refund": "money back", "delay": "late again", "damage": "broken box"}
SMALL = {"TUNESMITH_BASELINES_SHOTS": "1", "TUNESMITH_TRAIN_EPOCHS": "1", "TUNESMITH_TRAIN_R": "2"}
RULES = f"""
def answer(message):
    return [label for label, words in {WORDS!r}.items() if words in message]
"""


def rows(number: int, start: int = 0) -> list[dict[str, object]]:
    made = []
    for n in range(start, start + number):
        labels = [label for place, label in enumerate(WORDS) if n % 8 >> place & 1]
        text = f"Parcel {n}: {', '.join(WORDS[label] for label in labels) or 'thank you'}"
        made.append({"text": text, "labels": labels, "slice": f"part {n % 2}"})
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory, tunesmith_in, sample, tiny_folder) -> Path:
    """A project with 40 sealed rows; its sources are JSON with lists, and a table with bars. To be copied."""
    folder = tmp_path_factory.mktemp("sets")
    sample.write_jsonl(folder / "rows.jsonl", rows(48))
    table = [row | {"labels": " | ".join(row["labels"]) or "none"} for row in rows(16, start=200)]  # type: ignore[arg-type]
    sample.write_csv(folder / "table.csv", table)
    sample.write_jsonl(folder / "test.jsonl", rows(40, start=100))
    run = tunesmith_in(folder)
    sources = ("--from", "rows.jsonl", "--from", "table.csv", "--eval", "test.jsonl")
    columns = ("--input", "text", "--label", "labels")
    done = run("init", "p", "--family", "multi_label", *sources, *columns, "--model", tiny_folder)
    assert done.code == 0, done.err
    assert "64 rows with 3 labels, and an eval set of 40 rows" in " ".join(done.out.split())
    project = folder / "p"
    assert "- damage: …" in (project / "prompts/system.md").read_text()
    (project / "prompts/system.md").write_text(PROMPT)
    (project / "rules.py").write_text(RULES)
    done = tunesmith_in(project)("check")
    assert done.code == 0, done.err
    assert "3 labels in 8 different sets" in " ".join(done.out.split())
    for verb in ("split", "seal"):
        done = tunesmith_in(project)(verb)
        assert done.code == 0, done.err
    return project


@pytest.fixture
def project(made, tmp_path) -> Path:
    shutil.copytree(made, tmp_path / "p")
    return tmp_path / "p"


def test_the_walk_ends_in_a_table_a_verdict_and_a_report(project, tunesmith_in):
    run = tunesmith_in(project)
    done = run("run", "--json", **SMALL)
    assert done.code == 3, done.err
    found = {line["name"]: line for line in done.json["candidates"]}
    assert list(found) == ["majority", "rules", "classical", "prompt", "few-shot", "fine-tune"]
    assert done.json["primary"] == "exact_set"
    assert found["rules"]["metrics"]["exact_set"]["value"] == 1.0
    assert found["classical"]["metrics"]["exact_set"]["value"] > 0.8
    for line in found.values():
        assert line["metrics"]["invalid_rate"]["value"] == 0  # models decode under a grammar
        assert line["metrics"]["hamming_loss"]["value"] is not None
        assert set(line["slices"]) == {"part 0", "part 1"}
    page = Path(done.json["report"]).read_text()
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "Exact set" in text
    assert "Label by label" in text
    assert "Micro-F1" in text
    asked = run("ask", "Parcel 9: money back, late again", "--with", "rules", "--json")
    assert asked.json["answers"][0]["answer"] == "delay, refund"


def test_parts_have_their_share_of_every_label(project):
    lines = (project / "data/split/validation.jsonl").read_text().splitlines()
    expected = [json.loads(line)["messages"][-1]["content"] for line in lines]
    assert len(expected) >= 6
    for label in WORDS:
        assert any(label in said for said in expected)


def test_a_label_that_is_not_declared_stops_the_work(project, tunesmith_in, sample):
    settings = (project / "tunesmith.toml").read_text()
    declared = settings.replace('# labels = ["…", "…"]', 'labels = ["refund", "delay", "damage"]')
    assert declared != settings
    (project / "tunesmith.toml").write_text(declared)
    sample.write_jsonl(project / "data/more.jsonl", [{"text": "Parcel 999 is lost", "labels": ["refund", "losst"]}])
    done = tunesmith_in(project)("check")
    assert done.code == 2
    said = " ".join(done.out.split())
    assert "data/more.jsonl:1" in said
    assert "names 'losst', which is no label" in said


def test_an_empty_answer_is_none_or_an_empty_list_and_nothing_else(project, tunesmith_in, sample):
    sample.write_jsonl(project / "data/more.jsonl", [{"text": "Parcel 998 is fine", "labels": ""}])
    done = tunesmith_in(project)("check")
    assert done.code == 2
    assert "data/more.jsonl:1" in done.out

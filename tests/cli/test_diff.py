"""Splitting by time and to a size, and comparing what splits made, as a user types it."""

import json
from itertools import pairwise

import pytest

from tunesmith.data.canonical import read_canonical


@pytest.fixture
def dated(tmp_path, tunesmith, sample):
    """A project whose rows have a time and a customer each."""
    rows = sample.rows()
    for number, row in enumerate(rows):
        row |= {"when": f"2026-{1 + number // 28:02}-{1 + number % 28:02}", "customer": f"c{number // 2}"}
    sample.write_csv(tmp_path / "messages.csv", rows)
    columns = ("--input", "text", "--label", "category", "--group", "customer")
    assert tunesmith("init", "dated", "--from", "messages.csv", *columns).code == 0
    return tmp_path / "dated"


def test_the_newest_rows_become_the_eval_set(dated, tunesmith):
    done = tunesmith("split", "--json", "-C", "dated", "--set", "data.time=when")
    assert done.code == 0, done.err
    parts = [
        read_canonical(dated / name, name)
        for name in ("data/split/train.jsonl", "data/split/validation.jsonl", "evals/eval.jsonl")
    ]
    assert [len(part) for part in parts] == [192, 24, 24]
    for older, newer in pairwise(parts):
        assert max(row.time for row in older) <= min(row.time for row in newer)
        assert not {row.group for row in older} & {row.group for row in newer}
    assert tunesmith("seal", "-C", "dated", "--set", "data.time=when").code == 0
    again = tunesmith("split", "--json", "-C", "dated", "--set", "data.time=when")
    assert again.json["version"] == done.json["version"]  # the same rows, whichever of them validate
    missing = tunesmith("split", "-C", "dated", "--set", "data.time=day")
    assert missing.code == 2
    assert "240 rows without a time in the column 'day' ([data] time): data/messages.csv:2," in missing.err


def test_every_split_says_what_its_eval_set_can_show_and_auto_chooses_its_size(dated, tunesmith):
    plain = tunesmith("split", "-C", "dated")
    assert "With 24 eval rows a difference of" in plain.out
    assert "3,138 rows are needed for min_effect (2 points)." in plain.out
    auto = ("split", "--json", "-C", "dated", "--set", "data.eval=auto")
    assert 60 < tunesmith(*auto).json["eval"] <= 72  # at most 30 %, less what the prompt quotes
    sized = tunesmith(*auto, "--set", "rules.min_effect=0.2").json
    assert sized["rows_for_min_effect"] <= sized["eval"] < 60
    assert sized["detectable"] <= 0.2
    refused = tunesmith("split", "-C", "dated", "--set", "data.eval=auto", "--set", "data.validation=0.7")
    assert refused.code == 2
    assert "leave no rows to train on" in refused.err


def test_two_versions_and_two_files_are_compared(dated, tunesmith, sample):
    columns = ("text", "category", "customer")
    first = tunesmith("split", "--json", "-C", "dated").json["version"]
    assert tunesmith("seal", "-C", "dated").code == 0
    train = read_canonical(dated / "data/split/train.jsonl", "train")
    source = dated / "data/messages.csv"
    lines = source.read_text().splitlines(keepends=True)
    changed, gone = (int(row.origin.rpartition(":")[2]) - 1 for row in train[:2])
    other = next(label for label in sample.labels if label != train[0].expected)
    lines[changed] = lines[changed].replace(train[0].expected, other)
    lines[gone] = ""
    source.write_text("".join(lines) + '"brand new","bug","2026-12-01","c999"\n')
    second = tunesmith("split", "--json", "-C", "dated").json["version"]

    listed = tunesmith("diff", "--json", "-C", "dated").json["versions"]
    assert {each["name"]: each["current"] for each in listed} == {first: False, second: True}
    found = tunesmith("diff", first[:8], second[:8], "--json", "-C", "dated")
    assert found.code == 0, found.err
    (pair,) = found.json["changed"]
    assert (pair["before"]["output"], pair["after"]["output"]) == (train[0].expected, other)
    assert [row["input"] for row in found.json["removed"]] == [train[1].text]
    assert [row["input"] for row in found.json["added"]] == ["brand new"]
    assert found.json["same"] == 214
    assert tunesmith("diff", first[:8], "--json", "-C", "dated").json["after"] == second
    assert "1 added, 1 removed, 1 changed, 214 the same." in tunesmith("diff", first[:8], "-C", "dated").out

    half = [dict(zip(columns, ("only here", "bug", "c1"), strict=True))]
    sample.write_csv(dated.parent / "half.csv", half)
    files = tunesmith("diff", "half.csv", "dated/data/messages.csv", "--json", "-C", "dated").json
    assert (len(files["added"]), len(files["removed"]), files["same"]) == (240, 1, 0)
    unknown = tunesmith("diff", "nothing", "-C", "dated")
    assert unknown.code == 2
    assert "neither a file nor a version" in unknown.err
    left = [json.loads(line) for line in (dated / "evals/eval.jsonl").read_text().splitlines()]
    sealed = {row["messages"][0]["content"] for row in left}
    kept = (dated / ".tunesmith/versions" / f"{first}.jsonl").read_text()
    assert not any(text in kept for text in sealed)

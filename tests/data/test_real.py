"""The figures of real files that nobody here wrote. Skipped, by name, where the folder is absent."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tunesmith.core.example import Example, Message
from tunesmith.data.canonical import read_canonical, write_canonical
from tunesmith.data.checks.all import check
from tunesmith.data.finding import Finding
from tunesmith.data.leaks import find_leaks
from tunesmith.data.normal import normalise
from tunesmith.data.reading import Reading, read
from tunesmith.data.section import DataSection
from tunesmith.data.splitting import split

DATA = Path(os.environ.get("TUNESMITH_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
BANKING = DataSection(input="text", output="category")


def folder(name: str) -> Path:
    if not (DATA / name).is_dir():
        pytest.skip(f"the data set {name} is absent")
    return DATA / name


@pytest.fixture(scope="module")
def banking() -> tuple[Reading, Reading]:
    path = folder("banking77")
    train, test = (read(path / f"{part}.csv", BANKING, prompt="", name=f"{part}.csv") for part in ("train", "test"))
    return train, test


def test_banking77_is_read_whole(banking):
    train, test = banking
    assert (len(train.examples), len(test.examples)) == (10_003, 3_080)
    assert not train.findings + test.findings
    assert len({example.expected for example in train.examples}) == 77
    line = int(train.examples[-1].origin.split(":")[1])
    assert line > 10_004  # some texts go over several lines


def test_banking77_repeats_contradicts_itself_once_and_leaks(banking):
    train, test = banking
    findings = check([train], None, test.examples, lambda example: None)
    kinds = Counter((finding.severity, finding.check) for finding in findings)
    assert kinds == {
        ("look", "duplicate"): 30,
        ("stop", "contradiction"): 1,
        ("look", "leak"): 25,
        ("look", "near-duplicate"): 199,
        ("look", "near-contradiction"): 4,
        ("look", "near-leak"): 187,
        ("look", "one-word-leak"): 186,
    }
    keys = Counter(normalise(example.text) for example in train.examples)
    assert sum(keys.values()) - len(keys) == 31  # the contradiction repeats a row as well
    (contradiction,) = (finding for finding in findings if finding.check == "contradiction")
    assert contradiction.origin == "train.csv:2010"
    assert "pending_top_up" in contradiction.message
    assert "top_up_reverted" in contradiction.message
    assert Counter(leak.by for leak in find_leaks(train.examples, test.examples)) == {"text": 25, "near": 187}


def test_banking77_splits_without_repeats_or_leaks(banking):
    train, test = banking
    result = split(train.examples, test.examples, BANKING)
    assert Counter(left.reason for left in result.left_out) == {"duplicate": 25, "leak": 25, "near": 187}
    assert len(result.train) + len(result.validation) == 10_003 - 237
    assert abs(len(result.validation) - 977) < 3
    assert not find_leaks(result.train + result.validation, test.examples)
    assert not [leak for leak in find_leaks(result.train, result.validation) if leak.by == "text"]


def test_banking77_splits_into_three(banking):
    train, _ = banking
    result = split(train.examples, (), BANKING)
    total = Counter(row.expected for row in result.train + result.validation + result.eval)
    assert len(total) == 77
    for part, share in ((result.train, 0.8), (result.validation, 0.1), (result.eval, 0.1)):
        placed = Counter(row.expected for row in part)
        assert max(abs(placed[label] - share * total[label]) for label in total) < 1.5
        assert abs(len(part) - share * total.total()) < 3


def test_the_faults_of_the_toy_chat_file_are_found():
    path = folder("openai_cookbook") / "toy_chat_fine_tuning.jsonl"
    prompt = "You are a happy assistant that puts a positive spin on everything."
    reading = read(path, DataSection(), prompt=prompt, name="toy.jsonl")
    assert [example.origin for example in reading.examples] == [f"toy.jsonl:{line}" for line in (1, 2, 3, 5)]
    assert [len(example.messages) for example in reading.examples] == [1, 7, 1, 1]
    (finding,) = reading.findings  # its fourth row has no user turn
    assert (finding.check, finding.origin) == ("order", "toy.jsonl:4")
    other = read(path, DataSection(), prompt="Another prompt", name="toy.jsonl")
    assert Counter(finding.check for finding in other.findings) == {"system": 4}


def test_rows_that_end_with_a_call_are_findings_one_by_one():
    path = folder("openai_cookbook") / "drone_training.jsonl"
    prompt = json.loads(path.read_text().splitlines()[0])["messages"][0]["content"]
    reading = read(path, DataSection(), prompt=prompt, name="drone.jsonl")
    assert not reading.examples
    assert Counter(finding.check for finding in reading.findings) == {"tools": 103}


def test_articles_of_many_lines_keep_their_first_line():
    path = folder("openai_cookbook") / "helpcenter_articles.csv"
    reading = read(path, DataSection(input="content", output="policy"), prompt="", name="articles.csv")
    assert [example.origin for example in reading.examples] == [f"articles.csv:{line}" for line in (2, 17, 44, 71)]


def test_naughty_strings_survive_every_step(tmp_path):
    strings = [
        text for text in json.loads((folder("naughty_strings") / "blns.json").read_text("utf-8")) if text.strip()
    ]
    examples = [
        Example(messages=(Message(role="user", content=text),), expected=text, slice=text, group=text, origin=f"a:{n}")
        for n, text in enumerate(strings)
    ]
    write_canonical(tmp_path / "a.jsonl", examples)
    assert read_canonical(tmp_path / "a.jsonl", "a.jsonl") == tuple(examples)
    reading = read(tmp_path / "a.jsonl", DataSection(), prompt="", name="a.jsonl")
    assert [example.text for example in reading.examples] == strings
    findings: list[Finding] = check([reading], ["a", "b"], examples[:50], lambda example: None)
    for finding in findings:
        assert (finding.message + finding.excerpt).isprintable()
    halves = [
        row.model_copy(update={"expected": "ab"[number % 2], "group": None}) for number, row in enumerate(examples)
    ]
    result = split(halves, (), DataSection())
    assert len(result.train) > len(result.eval) > 0

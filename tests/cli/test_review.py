"""Reviewing as a user types it, for scripts and on a terminal."""

import json
import os
from pathlib import Path

import pytest
from terminal import on_terminal

from tunesmith.data.canonical import read_canonical

pytest.importorskip("pty")


@pytest.fixture
def typed(project, tunesmith_in):
    run = tunesmith_in(project)
    return lambda *words: run(*words, GIT_CONFIG_GLOBAL=os.devnull)


def decisions(project: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (project / "data/reviews.jsonl").read_text().splitlines()]


def train(project: Path) -> dict[str, str]:
    rows = read_canonical(project / "data/split/train.jsonl", "train")
    return {row.origin: row.expected for row in rows}


def test_decisions_take_effect_in_the_split_and_are_said(project, typed, sample):
    source = project / "data/messages.csv"
    sample.write_csv(source, [*sample.rows(), {"text": "the INVOICE number 0 is wrong please help", "category": "bug"}])
    queue = typed("review", "--list", "--json").json
    assert queue["waiting"] == len(queue["queue"]) == 241
    first, second = sorted(queue["queue"][:2], key=lambda entry: entry["output"])
    assert {entry["why"] for entry in (first, second)} == {"finding"}
    assert first["findings"][0]["check"] == "contradiction"
    assert typed("split").code == 2

    done = typed("review", "--decide", second["id"], "reject", "--reason", "a billing matter", "--as", "Ada")
    assert done.code == 0, done.err
    edited = queue["queue"][2]
    label = next(each for each in sample.labels if each != edited["output"])
    assert typed("review", "--decide", edited["origin"], "edit", "--text", label, "--as", "Ada").code == 0
    assert [(each["verdict"], each["reviewer"], each.get("reason")) for each in decisions(project)] == [
        ("reject", "Ada", "a billing matter"),
        ("edit", "Ada", None),
    ]

    assert typed("check", "--json").json["counts"]["stop"] == 0
    split = typed("split", "--json")
    assert split.code == 0, split.err
    assert (split.json["left_out"], split.json["edited"]) == ({"rejected": 1}, 1)
    (left,) = [json.loads(line) for line in (project / "data/split/left-out.jsonl").read_text().splitlines()]
    assert (left["reason"], left["of"], left["origin"]) == ("rejected", "Ada", second["origin"])
    parts = train(project) | {
        row.origin: row.expected
        for name in ("data/split/validation.jsonl", "evals/eval.jsonl")
        for row in read_canonical(project / name, name)
    }
    assert parts[edited["origin"]] == label
    assert second["origin"] not in parts

    assert typed("review", "--decide", first["id"], "accept").code == 0  # which changes no row
    steps = {step["name"]: step["state"] for step in typed("status", "--json").json["steps"]}
    assert steps["split"] == "done"
    assert typed("review", "--decide", first["id"], "reject").code == 0
    steps = {step["name"]: step for step in typed("status", "--json").json["steps"]}
    assert steps["split"]["note"] == "the review was changed"


def test_a_review_outlives_another_import_and_a_changed_guideline_asks_again(project, typed, sample):
    entry = typed("review", "--list", "--json").json["queue"][0]
    assert typed("review", "--decide", entry["id"], "reject").code == 0
    sample.write_csv(project / "data/messages.csv", sample.rows()[::-1])
    after = typed("review", "--list", "--json").json
    assert after["waiting"] == 239
    assert entry["id"] not in {each["id"] for each in after["queue"]}
    with (project / "prompts/system.md").open("a") as file:
        file.write("\nAnother rule.")
    again = typed("review", "--list", "--json").json
    assert (again["waiting"], again["outdated"]) == (240, 1)
    assert typed("split", "--json").json["left_out"] == {"rejected": 1}
    (project / "guide.md").write_text("How to judge.")
    named = typed("review", "--list", "--json", "--set", "data.guideline=guide.md").json
    assert named["guideline"] != again["guideline"]


def test_labels_that_rows_like_theirs_do_not_bear_out_come_first_and_enter_takes_the_likely_one(project, typed, sample):
    right, content = sample.rows(), sample.rows()
    wrong = {5: "bug", 105: "billing"}  # by line
    for line, label in wrong.items():
        content[line - 2] |= {"category": label}
    sample.write_csv(project / "data/messages.csv", content)
    plain = typed("review", "--list", "--json").json["queue"]
    assert "label-fault" not in {finding["check"] for entry in plain for finding in entry["findings"]}

    done = typed("review", "--meaning", "--list", "--json")
    assert done.code == 0, done.err
    first = done.json["queue"][:2]
    faults = [entry["findings"][0] for entry in first]
    assert {fault["check"] for fault in faults} == {"label-fault"}
    assert {fault["line"]: entry["output"] for fault, entry in zip(faults, first, strict=True)} == wrong
    assert {fault["line"]: fault["likely"] for fault in faults} == {line: right[line - 2]["category"] for line in wrong}
    assert 1 >= faults[0]["sure"] >= faults[1]["sure"] > 0.5
    kept = (project / ".tunesmith/vectors.npz").read_bytes()

    out = on_terminal(project, "e\n\n\nq\n", "review", "--meaning", "--as", "Ada")
    assert "is probably wrong: rows that mean the same say" in out
    (decision,) = decisions(project)
    assert (decision["row"], decision["text"]) == (first[0]["id"], faults[0]["likely"])
    assert (project / ".tunesmith/vectors.npz").read_bytes() == kept
    for option in ("--second", "--made"):
        assert "it does not go with --meaning" in typed("review", "--meaning", option).err


def test_rows_that_a_measured_candidate_doubts_come_before_those_drawn_by_chance(project, typed, sample):
    content = sample.rows()
    for number in range(0, 240, 7):
        content[number] |= {"category": next(each for each in sample.labels if each != content[number]["category"])}
    sample.write_csv(project / "data/messages.csv", content)
    for verb in ("split", "seal"):
        assert typed(verb).code == 0
    assert {entry["why"] for entry in typed("review", "--list", "--json").json["queue"]} <= {"random", "alike"}
    measured = typed("baseline", "--set", 'baselines.which=["majority", "classical"]')
    assert measured.code == 0, measured.err
    queue = typed("review", "--list", "--json", "--set", 'baselines.which=["majority", "classical"]').json["queue"]
    doubted = [entry for entry in queue if entry["why"] == "doubt"]
    assert doubted == queue[: len(doubted)]
    held = {row.origin: row for row in read_canonical(project / "data/split/validation.jsonl", "validation")}
    swapped = {origin for origin in held if (int(origin.partition(":")[2]) - 2) % 7 == 0}
    assert swapped
    assert swapped <= {entry["origin"] for entry in doubted} <= set(held)
    assert all(entry["note"].startswith("classical ") for entry in doubted)


def test_rows_of_the_sealed_eval_set_are_not_shown(project, typed):
    for verb in ("split", "seal"):
        assert typed(verb).code == 0
    queue = typed("review", "--list", "--json").json
    (first, *_) = read_canonical(project / "evals/eval.jsonl", "eval")
    assert (queue["waiting"], queue["hidden"]) == (216, 24)
    assert first.id not in {entry["id"] for entry in queue["queue"]}
    refused = typed("review", "--decide", first.id, "accept")
    assert refused.code == 2
    assert f"{first.origin} stands in the sealed eval set, or nearly does; such rows are not reviewed." in refused.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--decide", "nobody", "accept"), "There is no row 'nobody' to review."),
        (("--decide", "data/messages.csv:2", "acept"), "(did you mean 'accept'?)"),
        (("--decide", "data/messages.csv:2", "edit"), "edit and --text ANSWER go together"),
        (("--decide", "data/messages.csv:2", "edit", "--text", "biling"), "is no label (did you mean 'billing'?)"),
        (("--decide", "data/messages.csv:2", "accept", "--as", " "), "--as: the name is empty"),
        (("--text", "x"), "it goes with --decide alone"),
        (("--list", "--decide", "a", "accept"), "it does not go with --list"),
        ((), "without a terminal"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_recorded(words, said, project, typed):
    done = typed("review", *words)
    assert done.code == 2
    assert said in done.err
    assert not (project / "data/reviews.jsonl").exists()


def test_a_whole_session_on_a_terminal(project, typed):
    source = project / "data/messages.csv"
    source.write_text(source.read_text().replace("The invoice number 0", "The \x1b[2J\u202e invoice"))
    queue = typed("review", "--list", "--json", "--as", "Ada").json["queue"]
    label = next(each["output"] for each in queue if each["output"] != queue[1]["output"])
    keys = f"a\nwhat\ne\nno such label\ne\n{label}\nbetter\nr\nspam\ns\nq\n"
    out = on_terminal(project, keys, "review", "--as", "Ada")
    assert "\x1b" not in out
    assert "Type one of the letters in brackets." in out
    assert "'no such label' is no label" in out
    assert "Decided: 1 accept, 1 edit, 1 reject, 1 skip. 237 rows left." in out
    assert [(each["row"], each["verdict"], each.get("reason", "")) for each in decisions(project)] == [
        (queue[0]["id"], "accept", ""),
        (queue[1]["id"], "edit", "better"),
        (queue[2]["id"], "reject", "spam"),
        (queue[3]["id"], "skip", ""),
    ]
    assert decisions(project)[1]["text"] == label
    assert all(each["seconds"] >= 0 for each in decisions(project))  # what the fine-tune cost counts them

    seen = on_terminal(project, "a\na\na\na\n", "review", "--second", "--as", "Bob")
    assert "4 rows to review" not in seen  # three were decided, one was skipped
    assert "3 rows to review, as Bob." in seen
    assert "spam" not in seen
    assert "Agreement: 3 rows judged by Ada and Bob: too few" in seen

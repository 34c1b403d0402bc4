"""A subject's rows are gone wherever rows are kept, whenever the command was stopped."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tunesmith.core.progress import SilentConsole
from tunesmith.workflows.forget import forget
from tunesmith.workflows.project import Project

WHO, SECRET = "customer-42", "SECRET-WORDS"


@pytest.fixture(scope="module")
def template(tmp_path_factory, tunesmith_in, sample) -> Path:
    """A project in which rows of the subject stand in every place that keeps rows."""
    folder = tmp_path_factory.mktemp("forget")
    rows = sample.rows(30)
    for number, row in enumerate(rows):
        row |= {"customer": WHO if number % 15 == 7 else f"other-{number}"}
        row["text"] += f" {SECRET} number {number}" if row["customer"] == WHO else ""
    broken = f'"","bug","{WHO}"\n"also {SECRET}","no such label","{WHO}"\n'
    sample.write_csv(folder / "messages.csv", rows)
    with (folder / "messages.csv").open("a") as file:
        file.write(broken)
    judged = [row | {"customer": f"judge-{number}"} for number, row in enumerate(sample.rows(8, start=500))]
    judged[0] |= {"text": f"judged {SECRET}", "customer": f"{WHO}2"}
    sample.write_csv(folder / "test.csv", judged)
    columns = ("--input", "text", "--label", "category", "--group", "customer", "--eval", "test.csv")
    assert tunesmith_in(folder)("init", "p", "--from", "messages.csv", *columns).code == 0
    project = folder / "p"
    run = tunesmith_in(project)
    settings = project / "tunesmith.toml"
    settings.write_text(settings.read_text().replace("[task]", '[task]\nlabels = ["billing", "access", "bug"]', 1))
    for words in (("check", "--set-aside"), ("split",)):
        assert run(*words).code in (0, 2)
    train = [json.loads(line) for line in (project / "data/split/train.jsonl").open()]
    own = next(row for row in train if row.get("group") == WHO)
    own_id = next(
        entry["id"] for entry in run("review", "--list", "--json").json["queue"] if entry["origin"] == own["origin"]
    )
    label = next(each for each in sample.labels if each != own["messages"][-1]["content"])
    assert run("review", "--decide", own_id, "edit", "--text", label, "--reason", f"says {SECRET}").code == 0
    for verb in ("split", "seal"):
        done = run(verb)
        assert done.code == 0, done.err
    made = {"kind": "typos", "by": "tunesmith", "prompt": "", "source": own_id, "origin": own["origin"]}
    child = {"messages": [{"role": "user", "content": f"a child of {SECRET}"}, own["messages"][-1]], "made": made}
    (project / "data/made.jsonl").write_text(json.dumps(child) + "\n")
    return project


@pytest.fixture
def project(template, tmp_path) -> Path:
    shutil.copytree(template, tmp_path / "p")
    return tmp_path / "p"


def holding(project: Path, text: str = SECRET) -> set[str]:
    files = (path for path in project.rglob("*") if path.is_file())
    return {path.relative_to(project).as_posix() for path in files if text.encode() in path.read_bytes()}


def test_every_place_that_keeps_rows_is_cleared_and_nothing_else(project, tunesmith_in):
    run = tunesmith_in(project)
    source = (project / "data/messages.csv").read_bytes()
    assert {path for path in holding(project) if path.startswith(".tunesmith/versions/")}
    assert holding(project) >= {
        "data/messages.csv",
        "data/set-aside.jsonl",
        "data/made.jsonl",
        "data/reviews.jsonl",
        "data/split/train.jsonl",
        "evals/eval.jsonl",
    }
    asked = run("forget", "--group", WHO)
    assert asked.code == 2
    assert "Nothing was removed. --yes removes it without asking." in asked.out
    assert (project / "data/messages.csv").read_bytes() == source

    done = run("forget", "--group", WHO, "--yes", "--json")
    assert done.code == 0, done.err
    assert done.json["rows"]["data/messages.csv"] == 6
    assert done.json["rows"]["data/set-aside.jsonl"] == 2
    assert done.json["rows"]["data/reviews.jsonl"] == 1
    assert done.json["next"] == "tunesmith split"
    assert done.json["quoting"] == ["prompts/system.md"]
    assert holding(project) == {"evals/eval.jsonl", "prompts/system.md"}  # another customer's, and a person's
    assert SECRET not in done.out + done.err
    own = [line for line in source.splitlines(keepends=True) if f'"{WHO}"'.encode() in line]
    assert (project / "data/messages.csv").read_bytes() == b"".join(
        line for line in source.splitlines(keepends=True) if line not in own
    )
    assert holding(project, WHO) <= {"evals/eval.jsonl"}
    assert run("split").code == 0
    again = run("forget", "--group", WHO, "--yes")
    assert again.code == 2
    assert f"Nothing of {WHO} is here" in again.err


def test_what_check_wrote_goes_whole_and_a_persons_own_files_are_listed(project, tunesmith_in):
    run = tunesmith_in(project)
    source = project / "data/messages.csv"
    text = next(line for line in source.open() if SECRET in line).split('"')[1]
    source.write_bytes(source.read_bytes().replace(b"\n", b"\r\n"))
    for words in (("check",), ("check", "--fix")):
        assert run(*words).code in (0, 2)
    (project / ".tunesmith/vectors.npz").write_bytes(b"any")
    (project / ".tunesmith/probes").mkdir()
    (project / ".tunesmith/probes/said.json").write_text(json.dumps({"suites": {"general": [text]}}))
    (project / "pairs.jsonl").write_text(json.dumps({"prompt": text, "chosen": "bug", "rejected": "access"}) + "\n")
    (project / "general.jsonl").write_text(json.dumps({"input": f"Say: {text}", "output": text}) + "\n")
    (project / "people.csv").write_text(f'text,category\n"{text}",bug\n')
    (project / "evals/ratings.csv").write_text(f'example,candidate,message\nx,prompt,"{text}"\n')
    pairs = ("--set", "train.objective=dpo", "--set", "train.preferences=pairs.jsonl")
    people = ("--set", 'baselines.recorded={ people = "people.csv" }')
    general = ("--set", "train.rehearsal=0.1", "--set", "train.rehearsal_file=general.jsonl")
    written = ["data/card.md", "data/card.html", "data/fixed/changes.jsonl", "data/fixed/messages.csv"]
    written += [".tunesmith/vectors.npz", ".tunesmith/probes/said.json"]

    asked = run("forget", "--group", WHO, "--json", *pairs, *people)
    assert asked.json.get("deleted") == written, asked.out + asked.err
    assert asked.json["quoting"] == ["prompts/system.md", "pairs.jsonl", "evals/ratings.csv", "people.csv"]
    assert all((project / name).exists() for name in written)
    done = run("forget", "--group", WHO, "--yes", "--json", *general)
    assert done.code == 0, done.err
    assert done.json["quoting"] == ["prompts/system.md", "general.jsonl", "evals/ratings.csv"]
    assert not any((project / name).exists() for name in written)
    own = {"prompts/system.md", "pairs.jsonl", "general.jsonl", "people.csv", "evals/ratings.csv"}
    assert holding(project) == {"evals/eval.jsonl", *own}


def test_the_eval_set_is_touched_only_where_that_is_said(project, tunesmith_in):
    run = tunesmith_in(project)
    plain = run("forget", "--group", f"{WHO}2", "--yes")
    assert plain.code == 0, plain.err
    assert "1 row of evals/eval.jsonl stay. --eval-set removes them too" in plain.out
    done = run("forget", "--group", f"{WHO}2", "--yes", "--eval-set", "--json")
    assert (done.json["eval_rows"], done.json["next"]) == (1, "tunesmith seal --reseal")
    assert "evals/eval.jsonl" not in holding(project)
    assert {step["name"]: step["state"] for step in run("status", "--json").json["steps"]}["seal"] == "broken"
    assert run("seal", "--reseal").code == 0


def test_one_row_by_its_id_or_its_place(project, tunesmith_in):
    run = tunesmith_in(project)
    queue = run("review", "--list", "--json").json["queue"]
    first, second = [entry for entry in queue if entry["why"] == "random"][:2]
    done = run("forget", "--id", first["id"], "--id", second["origin"], "--yes", "--json")
    assert done.code == 0, done.err
    assert done.json["rows"]["data/messages.csv"] == 2
    assert not holding(project, first["input"])
    assert not holding(project, second["input"])
    assert run("forget", "--yes").code == 2


def test_a_row_that_was_edited_goes_by_the_id_it_had(project, tunesmith_in, sample):
    run = tunesmith_in(project)
    entry = next(each for each in run("review", "--list", "--json").json["queue"] if each["why"] == "random")
    label = next(each for each in sample.labels if each != entry["output"])
    assert run("review", "--decide", entry["id"], "edit", "--text", label).code == 0
    assert run("split").code == 0
    assert any(name.startswith("data/split/") for name in holding(project, entry["input"]))
    done = run("forget", "--id", entry["id"], "--yes", "--json")
    assert done.code == 0, done.err
    assert not holding(project, entry["input"])


def test_what_was_trained_on_the_rows_is_marked_until_it_is_made_again(project, tunesmith_in):
    run = tunesmith_in(project)
    majority = ("--set", "baselines.which=majority")
    first = run("baseline", "--json", *majority)
    assert first.code == 0, first.err
    copy = project / ".tunesmith/runs" / first.json["run"] / "report.html"
    copy.write_text(next(line for line in (project / "data/messages.csv").open() if SECRET in line))
    done = run("forget", "--group", WHO, "--yes", "--json")
    assert done.json["runs"] == [first.json["run"]]
    assert copy.relative_to(project).as_posix() in done.json["held"]
    status = run("status")
    assert f"Trained on rows that were forgotten since, to be made again: {first.json['run']}." in status.out
    for words in (("split",), ("baseline", *majority)):
        assert run(*words).code == 0
    assert run("status", "--json").json["retrain"] == []


def test_killed_at_any_moment_the_same_command_goes_on(project, tmp_path):
    """A fork ends at its n-th rename, for each n: what is done again then leaves what an unbroken call leaves."""

    def work(folder: Path) -> None:
        forget(Project.open(folder), SilentConsole(), lambda: True, groups=[WHO])

    def state(folder: Path) -> dict[str, bytes]:
        names = ("messages.csv", "set-aside.jsonl", "made.jsonl", "reviews.jsonl", "split/train.jsonl")
        return {name: (folder / "data" / name).read_bytes() for name in names}

    reference = tmp_path / "reference"
    shutil.copytree(project, reference)
    work(reference)
    killed = 0
    for number in range(1, 30):
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(project, copy)
        if (child := os.fork()) == 0:
            left = [number]

            def hook(event: str, _: object, left: list[int] = left) -> None:
                if event == "os.rename":
                    left[0] -= 1
                    if not left[0]:
                        os._exit(9)

            sys.addaudithook(hook)
            work(copy)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
        killed += 1
        work(copy)
        assert state(copy) == state(reference), number
        assert holding(copy) == holding(reference)
    assert killed >= 7

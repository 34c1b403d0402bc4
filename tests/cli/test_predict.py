"""predict: what it writes, what it never writes over, and what becomes of a row that cannot be asked."""

import csv
import json
import shutil
from pathlib import Path

import pytest

RULES = 'def answer(message: str) -> str | None:\n    return "bug" if "crash" in message else "billing"\n'


@pytest.fixture(scope="module")
def measured(tmp_path_factory, tunesmith_in, sample):
    """A project with two baselines that need no model."""
    folder = tmp_path_factory.mktemp("predict")
    sample.write_csv(folder / "messages.csv", sample.rows())
    columns = ("--input", "text", "--label", "category")
    assert tunesmith_in(folder)("init", "tickets", "--from", "messages.csv", *columns).code == 0
    project = folder / "tickets"
    (project / "rules.py").write_text(RULES)
    for verb in ("split", "seal", "baseline"):
        done = tunesmith_in(project)(verb, TUNESMITH_BASELINES_WHICH="majority,rules")
        assert done.code == 0, done.err
    return project


@pytest.fixture
def tickets(measured, tmp_path):
    """A copy of that project, with two messages to answer."""
    project = tmp_path / "tickets"
    shutil.copytree(measured, project)
    (project / "in.csv").write_text("id,text\n1,a crash again\n2,my invoice\n")
    return project


@pytest.fixture
def predict(tickets, tunesmith_in):
    def run(source: str, target: str, *more: str):
        return tunesmith_in(tickets)("predict", source, "-o", target, "--with", "rules", *more)

    return run


def answered(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def refused(done, *expected):
    assert done.code == 2, (done.out, done.err)
    for part in expected:
        assert part in done.err


def test_a_file_that_exists_is_replaced_only_when_asked(tickets, predict):
    assert predict("in.csv", "out.csv").code == 0
    before = (tickets / "out.csv").read_text()
    refused(predict("in.csv", "out.csv"), "out.csv exists already", "--overwrite")
    assert (tickets / "out.csv").read_text() == before
    (tickets / "in.csv").write_text("text\nanother\n")
    assert predict("in.csv", "out.csv", "--overwrite").code == 0
    assert [row["text"] for row in answered(tickets / "out.csv")] == ["another"]
    (tickets / "folder.csv").mkdir()
    refused(predict("in.csv", "folder.csv", "--overwrite"), "folder.csv is a folder")


@pytest.mark.parametrize(
    ("target", "what"),
    [
        ("data/messages.csv", "among the project's sources ([data] files: data/*.jsonl, data/*.csv)"),
        ("data/out.csv", "among the project's sources"),
        ("data/OUT.CSV", "among the project's sources"),
        ("data/../data/out.jsonl", "among the project's sources"),
        ("evals/eval.jsonl", "the folder of the eval set"),
        ("evals/more/out.csv", "the folder of the eval set"),
        ("data/split/train.jsonl", "the folder of the split"),
        ("data/set-aside.jsonl", "where rows are set aside"),
        (".tunesmith/out.csv", "Tunesmith's own folder"),
        ("link.csv", "among the project's sources"),
    ],
)
def test_the_project_s_own_files_are_never_written(tickets, predict, target, what):
    (tickets / "link.csv").symlink_to(tickets / "data" / "messages.csv")
    before = {path: path.read_bytes() for path in tickets.rglob("*.*sv") if path.is_file()}
    for flags in ((), ("--overwrite",)):
        refused(predict("in.csv", target, *flags), what, "Name another file")
    assert {path: path.read_bytes() for path in tickets.rglob("*.*sv") if path.is_file()} == before


@pytest.mark.parametrize(
    ("setting", "target", "what"),
    [
        ('task.prompt="prompts/system.csv"', "prompts/system.csv", "the task's prompt"),
        ('baselines.rules="rules.csv"', "rules.csv", "the file of the rules"),
        ("data.files=tables/**/*.csv", "tables/deep/er/out.csv", "among the project's sources"),
        ("data.files=tables/**/*.csv", "tables/out.csv", "among the project's sources"),
    ],
)
def test_what_the_settings_name_is_kept_too(tickets, predict, setting, target, what):
    (tickets / "prompts" / "system.csv").write_text("Sort the message.")
    refused(predict("in.csv", target, "--overwrite", "--set", setting.replace('"', "")), what)


def test_a_file_beside_the_sources_is_free(tickets, predict):
    assert predict("in.csv", "data/answers/out.csv").code == 0
    assert predict("in.csv", "../out.csv").code == 0


def test_a_row_without_a_message_is_failed_with_its_reason(tickets, predict):
    (tickets / "in.csv").write_text('id,text\n1,a crash\n2,\n3,"  "\n4,my invoice\n')
    done = predict("in.csv", "out.csv")
    assert done.code == 0, done.err
    assert "4 rows answered by rules (2 ok, 2 failed)" in done.out
    assert "2 rows had no message to answer" in done.out
    rows = answered(tickets / "out.csv")
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["answer"] for row in rows] == ["bug", "", "", "billing"]
    assert [row["state"] for row in rows] == ["ok", "failed", "failed", "ok"]
    assert [row["error"] for row in rows] == ["", *["the column 'text' is empty; expected text."] * 2, ""]


def test_json_rows_are_failed_one_by_one_too(tickets, predict, sample):
    rows = [{"text": "a crash"}, {"text": 5}, {"subject": "x"}, {"messages": [{"role": "user", "content": "crash"}]}]
    sample.write_jsonl(tickets / "in.jsonl", [*rows, {"messages": "x"}, {"messages": []}])
    done = predict("in.jsonl", "out.jsonl", "--json")
    assert done.code == 0, done.err
    assert done.json["states"] == {"ok": 2, "failed": 4}
    written = [json.loads(line) for line in (tickets / "out.jsonl").read_text().splitlines()]
    assert [row["answer"] for row in written] == ["bug", None, None, "bug", None, None]
    assert "holds 5; expected text" in written[1]["error"]
    assert "Columns found: subject" in written[2]["error"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,text\n1,\n2,\n", "in.csv:2: the column 'text' is empty; expected text."),
        ("subject\nhello\n", "in.csv:2: no text in the column 'text'. Columns found: subject. Name the column"),
        ("text,id,text\na,1,b\n", "in.csv: the column 'text' stands in the header twice"),
        ('text\n"two\nlines"\n"open\n', "in.csv:4: not valid CSV: a quote opens"),
        ('text,id\n"two\nlines",1\none\n', "in.csv:4: the row has 1 field, the header 2"),
        ("text,error\na,b\n", "a column 'error' already"),
        ("text\n" + "a" * (1 << 20) + "\n", "in.csv:2: the row has 1.0 MiB"),
    ],
)
def test_a_file_that_would_lose_something_is_refused(tickets, predict, content, said):
    (tickets / "in.csv").write_text(content)
    refused(predict("in.csv", "out.csv"), said)
    assert not (tickets / "out.csv").exists()


def test_a_key_that_stands_twice_is_refused(tickets, predict):
    (tickets / "in.jsonl").write_text('{"text": "a"}\n{"text": "a", "text": "b"}\n')
    refused(predict("in.jsonl", "out.csv"), "in.jsonl:2: The key 'text' stands in it twice")


def test_a_message_may_be_as_long_as_a_row_of_the_data(tickets, predict):
    (tickets / "in.csv").write_text(f"text\n{'a crash ' * 100_000}\n")
    done = predict("in.csv", "out.csv")
    assert done.code == 0, done.err


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc")
def test_an_output_that_cannot_be_written_is_named_as_it_was_typed(predict):
    done = predict("in.csv", "/proc/out.csv")
    assert done.code == 1
    assert done.err.rstrip().endswith(": /proc/out.csv.")

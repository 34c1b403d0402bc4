"""`tunesmith redact`: copies with placeholders, the key apart from the data, and the way back."""

import csv
import json
import stat
from pathlib import Path

import pytest

for needed in ("presidio_analyzer", "detect_secrets", "phonenumbers"):
    pytest.importorskip(needed)

ROWS = [
    {
        "messages": [
            {"role": "user", "content": "I am ann.lee@example.org, call +44 20 7946 0958"},
            {"role": "assistant", "content": "Thanks, ann.lee@example.org"},
        ],
        "phone": 4915123456789,
    },
    {"input": "card 4111 1111 1111 1111, see <EMAIL_1>", "output": "billing"},
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (folder / "b.csv").write_text('text,label\r\n"ann.lee@example.org\nsaid ""now""",x\r\n')
    (tmp_path / "keys").mkdir()
    return folder


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_copies_are_redacted_alike_and_restored(data, tmp_path, tunesmith):
    before = {path: path.read_bytes() for path in data.iterdir()}
    key = tmp_path / "keys" / "k.json"
    done = tunesmith("redact", "data/a.jsonl", "data/b.csv", "-o", "out", "--key", key, "--json")
    assert done.code == 0, done.err
    assert done.json["replaced"] == {"email": 3, "phone": 2, "card": 1}
    assert "language model" in done.json["unknown"]
    first, second = rows(tmp_path / "out" / "a.jsonl")
    assert first["messages"][0]["content"] == "I am <EMAIL_2>, call <PHONE_1>"
    assert first["messages"][1]["content"] == "Thanks, <EMAIL_2>"
    assert first["phone"] == "<PHONE_2>"
    assert second["input"] == "card <CARD_1>, see <EMAIL_1>"
    with (tmp_path / "out" / "b.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["text", "label"], ['<EMAIL_2>\nsaid "now"', "x"]]
    assert {path: path.read_bytes() for path in data.iterdir()} == before
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "ann.lee" not in done.out + done.err
    back = tunesmith("redact", "out/a.jsonl", "-o", "back", "--key", key, "--restore")
    assert back.code == 0, back.err
    assert rows(tmp_path / "back" / "a.jsonl") == [{**ROWS[0], "phone": "4915123456789"}, ROWS[1]]


def test_a_table_with_tabs(tmp_path, tunesmith):
    (tmp_path / "c.tsv").write_text('text\tlabel\n"ann.lee@example.org, said ""now"""\tx\n')
    done = tunesmith("redact", "c.tsv", "-o", "out")
    assert done.code == 0, done.err
    assert (tmp_path / "out/c.tsv").read_text() == 'text\tlabel\n"<EMAIL_1>, said ""now"""\tx\n'


def test_a_later_run_with_the_key_goes_on(data, tmp_path, tunesmith):
    key = tmp_path / "keys" / "k.json"
    assert tunesmith("redact", "data/b.csv", "-o", "one", "--key", key).code == 0
    (data / "c.jsonl").write_text('{"input": "bob@example.org, ann.lee@example.org", "output": "x"}\n')
    assert tunesmith("redact", "data/c.jsonl", "-o", "two", "--key", key).code == 0
    assert rows(tmp_path / "two" / "c.jsonl")[0]["input"] == "<EMAIL_2>, <EMAIL_1>"


def test_kinds_are_kept(data, tmp_path, tunesmith):
    assert tunesmith("redact", "data/a.jsonl", "-o", "out", "--keep", "email", "--keep", "phone").code == 0
    first, second = rows(tmp_path / "out" / "a.jsonl")
    assert first == ROWS[0]
    assert "<CARD_1>" in second["input"]


def test_a_project_is_redacted_as_a_whole(project, tunesmith):
    source = next((project / "data").iterdir())
    with source.open("a") as file:
        file.write('"Write to ann.lee@example.org",bug\n')
    done = tunesmith("check", "--redact", "-o", "redacted", cwd=project)
    assert done.code == 0, done.err
    copy = project / "redacted" / "data" / source.name
    assert copy.read_text().endswith("Write to <EMAIL_1>,bug\n")
    assert "ann.lee@example.org" in source.read_text()
    assert "Next: tunesmith check" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["data/a.jsonl", "-o", "data"], "exists already"),
        (["data/a.jsonl", "-o", "out", "--key", "data/k.json"], "would lie with the data"),
        (["data/a.jsonl", "-o", "out", "--key", "nowhere/k.json"], "Make it first"),
        (["data/a.jsonl", "-o", "out", "--keep", "mail"], "there is no such kind"),
        (["data/a.jsonl", "-o", "out", "--restore"], "needs the key"),
        (["data/a.jsonl"], "name the folder for the copies"),
        (["data/a.xml", "-o", "out"], "expected a file of lines"),
        (["data/bad.jsonl", "-o", "out"], "bad.jsonl:2: Not valid JSON"),
        (["data/a.jsonl", "-o", "out", "--key", "keys/other.json"], "is no key of"),
        (["data/a.jsonl", "-o", "out", "--key", "keys/open.json"], "chmod 600"),
    ],
)
def test_what_cannot_be_done_is_refused_with_nothing_written(data, tmp_path, tunesmith, arguments, said):
    (data / "bad.jsonl").write_text('{"input": "a", "output": "b"}\nann.lee@example.org\n')
    for name, mode in (("other.json", 0o600), ("open.json", 0o644)):
        (tmp_path / "keys" / name).write_text("[]")
        (tmp_path / "keys" / name).chmod(mode)
    before = {path for path in tmp_path.rglob("*") if path.suffix != ".lock"}
    done = tunesmith("redact", *arguments)
    assert done.code == 2
    assert said in done.err
    written = {path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"} - before
    assert not written


def test_without_the_extra_the_message_says_how_to_get_it(data, tunesmith, without):
    done = tunesmith("redact", "data/a.jsonl", "-o", "out", PYTHONPATH=without("detect_secrets"))
    assert done.code == 2
    assert "pip install 'tunesmith[data]'" in done.err

"""Commands that need no model stay light: they load none of the heavy libraries."""

import subprocess
import sys

import pytest

HEAVY = (
    *("torch", "transformers", "peft", "scipy", "sklearn", "sacrebleu", "rapidfuzz"),
    *("sqlalchemy", "pandas", "openai", "httpx2"),
)
PROBE = """
import sys
from tunesmith.cli.commands import run
code = run(sys.argv[1:])
loaded = [name for name in {heavy} if name in sys.modules]
print(code, loaded, file=sys.stderr)
"""


def loaded_by(arguments: list[str], cwd) -> str:
    probe = [sys.executable, "-c", PROBE.format(heavy=HEAVY), *arguments]
    done = subprocess.run(probe, cwd=cwd, capture_output=True, encoding="utf-8", check=True)
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--help"]])
def test_starting_loads_nothing_heavy(arguments, tmp_path):
    assert loaded_by(arguments, tmp_path) == "0 []"


def test_advice_without_rows_loads_nothing_heavy(tmp_path):
    for words in (["advise"], ["advise", "--answer", "examples=30"], ["advise", "--models"]):
        assert loaded_by(words, tmp_path) == "0 []", words


def test_the_data_verbs_load_nothing_heavy(project, tmp_path):
    again = ["init", "again", "--from", "messages.csv", "--input", "text", "--label", "category"]
    assert loaded_by(again, tmp_path) == "0 []"
    for verb in (
        "check",
        "split",
        "seal",
        "seal --plan",
        "status",
        "review --list",
        "diff",
        "forget --id data/messages.csv:2 --yes",
        "advise --no-measure",
        "advise --models",
    ):
        assert loaded_by(verb.split(), project) == "0 []", verb


def test_the_data_verbs_of_free_text_load_nothing_heavy(tmp_path, sample):
    pairs = [{"input": f"Hand me file {n}", "output": f"Please hand me file {n}"} for n in range(240)]
    sample.write_jsonl(tmp_path / "pairs.jsonl", pairs)
    assert loaded_by(["init", "texts", "--family", "generation", "--from", "pairs.jsonl"], tmp_path) == "0 []"
    for verb in ("check", "split", "seal", "status"):
        assert loaded_by([verb], tmp_path / "texts") == "0 []", verb

"""General rows against forgetting: Tunesmith's own, and a file of the user's."""

import json
import shutil
from pathlib import Path

import pytest

RECIPE = ("--set", "train.epochs=1", "--set", "train.batch_size=8", "--set", "train.rehearsal=0.25")
OWN = ("--set", "train.rehearsal_file=general/rows.jsonl")


def turns(asked: str, answer: str) -> str:
    return json.dumps({"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]})


@pytest.fixture
def with_file(sealed, tmp_path) -> Path:
    project = Path(shutil.copytree(sealed, tmp_path / "p"))
    (project / "general").mkdir()
    (project / "general/rows.jsonl").write_text(
        "\n".join(turns(f"What is {number} and 1?", f"{number + 1}.") for number in range(9)) + "\n"
    )
    return project


@pytest.mark.slow
def test_rehearsal_is_said_and_forgetting_watched_and_an_edited_file_is_another_run(with_file, tunesmith):
    done = tunesmith("train", *RECIPE, *OWN, cwd=with_file)
    assert done.code == 0, done.err
    assert "general rows in each epoch, each with the weight of an average row of the task." in done.out
    assert "General text beside the task: loss " in done.out
    assert "General questions beside the task: " in done.out
    again = tunesmith("train", *RECIPE, *OWN, cwd=with_file)
    assert "Nothing has changed since run" in again.out
    with (with_file / "general/rows.jsonl").open("a") as file:
        file.write(turns("What is 90 and 1?", "91.") + "\n")
    assert "Nothing has changed" not in tunesmith("train", *RECIPE, *OWN, cwd=with_file).out


def test_a_file_that_is_not_there_or_leaks_or_cannot_be_read_is_refused(with_file, tunesmith):
    path = with_file / "general/rows.jsonl"
    row = json.loads((with_file / "evals/eval.jsonl").read_text().splitlines()[0])
    path.write_text(path.read_text() + json.dumps({"messages": row["messages"]}) + "\n")
    done = tunesmith("train", "--plan", *RECIPE, *OWN, cwd=with_file)
    assert done.code == 2
    assert "1 row of [train] rehearsal_file would leak from the eval set, general/rows.jsonl:10" in done.err
    path.write_text('{"messages": 7}\n')
    done = tunesmith("train", "--plan", *RECIPE, *OWN, cwd=with_file)
    assert done.code == 2
    assert "general/rows.jsonl:1: 'messages' is a number" in done.err
    path.unlink()
    done = tunesmith("train", "--plan", *RECIPE, *OWN, cwd=with_file)
    assert done.code == 2
    assert "[train] rehearsal_file: general/rows.jsonl does not exist. Put general rows there" in done.err
    done = tunesmith("train", "--plan", "--set", "train.rehearsal_file=a.jsonl", cwd=with_file)
    assert done.code == 2
    assert "only rehearsal above 0 mixes rows in" in done.err

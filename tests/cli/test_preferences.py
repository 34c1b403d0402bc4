"""`tunesmith train` on pairs of answers, on the tiny model."""

import json
import shutil
from pathlib import Path

import pytest

DPO = ("--set", "train.objective=dpo", "--set", "train.preferences=pairs/a.jsonl")
RECIPE = ("--set", "train.epochs=1", "--set", "train.batch_size=8", "--set", "train.learning_rate=0.001")


@pytest.fixture
def project(sealed, tmp_path) -> Path:
    made = Path(shutil.copytree(sealed, tmp_path / "p"))
    (made / "pairs").mkdir()
    rows = [json.loads(line)["messages"] for line in (made / "data/split/train.jsonl").read_text().splitlines()]
    pairs = [
        {"prompt": turns[0]["content"], "chosen": turns[1]["content"], "rejected": "I cannot help you with that."}
        for turns in rows
    ]
    (made / "pairs/a.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    return made


@pytest.mark.slow
def test_a_fine_tune_goes_on_from_another_by_pairs(project, tunesmith):
    first = tunesmith("train", "--json", *RECIPE, cwd=project)
    assert first.code == 0, first.err
    start = Path(first.json["adapter"]).relative_to(project).as_posix()
    from_there = ("--set", f"train.start={start}")
    done = tunesmith("train", *RECIPE, *DPO, *from_there, cwd=project)
    assert done.code == 0, done.err
    assert "Training on 30 pairs in" in done.out
    assert "of the pairs held out the right way round" in done.out
    again = tunesmith("train", *RECIPE, *DPO, *from_there, cwd=project)
    assert "Nothing has changed since run" in again.out
    asked = tunesmith("ask", "The invoice number 3 is wrong", "--with", "fine-tune", cwd=project)
    assert asked.code == 0, asked.err


def test_what_cannot_be_is_said_before_training(project, tunesmith):
    def refused(*settings: str) -> str:
        done = tunesmith("train", "--plan", *settings, cwd=project)
        assert done.code == 2
        return done.err

    path = project / "pairs/a.jsonl"
    assert 'objective = "dpo" needs the file of the pairs here' in refused("--set", "train.objective=dpo")
    assert 'only objective = "dpo" has a use for it' in refused("--set", "train.beta=0.2")
    assert "so dpo cannot rehearse them" in refused(*DPO, "--set", "train.rehearsal=0.1")
    assert "[train] start: data holds no PEFT adapter" in refused("--set", "train.start=data")
    sealed_row = json.loads((project / "evals/eval.jsonl").read_text().splitlines()[0])["messages"]
    leak = {"prompt": sealed_row[0]["content"], "chosen": "bug", "rejected": "billing"}
    path.write_text(path.read_text() + json.dumps(leak) + "\n")
    assert "1 row of [train] preferences would leak from the eval set, pairs/a.jsonl:" in refused(*DPO)
    path.write_text("{}\n")
    assert "pairs/a.jsonl:1: The row is no pair" in refused(*DPO)

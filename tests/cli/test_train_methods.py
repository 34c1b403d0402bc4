"""`tunesmith train` by every method, on the tiny model, up to the answers of the fine-tune."""

import json
import shutil
from pathlib import Path

import pytest

RECIPE = {"TUNESMITH_TRAIN_BATCH_SIZE": "8", "TUNESMITH_TRAIN_EPOCHS": "1"}


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "qlora", "full", "prompt-tuning", "prefix-tuning"])
def test_a_fine_tune_of_every_method_is_a_candidate(sealed, tmp_path, tunesmith, method):
    project = Path(shutil.copytree(sealed, tmp_path / "p"))
    done = tunesmith("train", "--json", cwd=project, TUNESMITH_TRAIN_METHOD=method, **RECIPE)
    assert done.code == 0, done.err
    kind = "model" if method == "full" else "adapter"
    assert Path(done.json["adapter"]).name == kind
    assert f"The {kind} is " in done.err
    asked = tunesmith("ask", "The invoice number 3 is wrong", "--with", "fine-tune", "--json", cwd=project)
    assert asked.code == 0, asked.err
    assert any(label in asked.out for label in ("billing", "access", "bug"))


def test_a_key_of_another_method_is_refused_with_its_place(sealed, tunesmith):
    done = tunesmith("train", "--set", "train.method=full", "--set", "train.use_dora=false", cwd=sealed)
    assert done.code == 2
    assert '--set train.use_dora: [train] use_dora = false: method "full" has no use for it.' in done.err


@pytest.mark.slow
def test_a_fine_tune_may_be_asked_with_a_shorter_prompt_than_the_tasks(sealed, tmp_path, tunesmith):
    project = Path(shutil.copytree(sealed, tmp_path / "p"))
    (project / "prompts/short.md").write_text("Sort.")
    shorter = ("--set", "train.prompt=prompts/short.md")
    plans = [tunesmith("train", "--plan", "--json", *more, cwd=project).json["tokens"] for more in ((), shorter)]
    assert plans[1]["prompt"] < plans[0]["prompt"]
    done = tunesmith("train", "--json", *shorter, cwd=project, **RECIPE)
    assert done.code == 0, done.err
    card = json.loads((Path(done.json["adapter"]).parent / "candidate.json").read_text())
    assert card["task"]["prompt"] == "Sort."
    (project / "prompts/short.md").write_text("Sort it.")
    assert "Nothing has changed" not in tunesmith("train", *shorter, cwd=project, **RECIPE).out
    done = tunesmith("train", "--plan", "--set", "train.prompt=prompts/none.md", cwd=project)
    assert done.code == 2
    assert "The prompt prompts/none.md does not exist." in done.err
    assert "[train] prompt" in done.err

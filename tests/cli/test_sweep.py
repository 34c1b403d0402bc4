"""`tunesmith train --plan`, `--show-masks` and `--sweep`, on the tiny model."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

RECIPE = {"TUNESMITH_TRAIN_BATCH_SIZE": "4", "TUNESMITH_TRAIN_EPOCHS": "4", "TUNESMITH_TRAIN_R": "2"}


def test_the_plan_says_what_would_happen_and_does_none_of_it(sealed, tunesmith):
    before = sorted(path for path in sealed.rglob("*") if path.is_file())
    done = tunesmith("train", "--plan", "--show-masks", "2", "--json", cwd=sealed, **RECIPE)
    assert done.code == 0, done.err
    plan = json.loads(done.out)
    tokens = plan["tokens"]
    assert plan["rows"] * plan["batch_size"] > 0
    assert tokens["shared"] > 0
    assert tokens["padded"] == 0
    assert tokens["computed"] + tokens["shared"] == tokens["prompt"] + tokens["labels"] - plan["rows"]
    assert len(plan["masks"]) == 2
    for mask in plan["masks"]:
        assert mask["stretches"][1]["tokens"][-1] == plan["end_of_turn"] == "<|im_end|>"
        assert "".join(mask["stretches"][1]["tokens"][:-1]) in ("billing", "access", "bug")
        assert mask["stretches"][0]["tokens"][-1] == "\n"
    assert plan["memory"] > 0
    assert plan["seconds"] > 0
    assert plan["chosen"].keys() == {"learning_rate", "lora_alpha"}, "the rest is set"
    assert "learning_rate = 0.0011 (adapters of a model 48 wide, batches of 4)" in done.err
    assert "⟦<|im_end|>⟧" in done.err
    assert sorted(path for path in sealed.rglob("*") if path.is_file()) == before


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--sweep", "--plan"), "--plan"),
        (("--plan", "--resume"), "--resume"),
        (("--sweep", "--show-masks", "3"), "--show-masks"),
        (("--launch", "sky", "--resume"), "--resume"),
    ],
)
def test_options_of_which_one_would_be_ignored_are_refused(sealed, tunesmith, options, named):
    done = tunesmith("train", *options, cwd=sealed)
    assert done.code == 2
    assert named in done.err


@pytest.mark.slow
def test_a_sweep_that_was_killed_is_gone_on_with(sealed, tmp_path, tunesmith):
    project = Path(shutil.copytree(sealed, tmp_path / "p"))
    command = [sys.executable, "-c", "from tunesmith.cli.app import main; main()", "train", "--sweep"]
    sweep = subprocess.Popen(command, cwd=project, env=os.environ | RECIPE, stdout=subprocess.PIPE, encoding="utf-8")
    next(line for line in sweep.stdout if line.startswith("Rung 1, "))
    sweep.kill()
    sweep.communicate()
    [scored] = (project / ".tunesmith" / "runs").glob("*-sweep/rung-1.json")
    before = json.loads(scored.read_text())
    done = tunesmith("train", "--sweep", cwd=project, **RECIPE)
    while "Another process is training" in done.err:  # the child of the killed one ends behind its step
        done = tunesmith("train", "--sweep", cwd=project, **RECIPE)
    assert done.code == 0, done.err
    assert len([*(project / ".tunesmith" / "runs").glob("*-sweep")]) == 1
    assert before.items() <= json.loads(scored.read_text()).items()


@pytest.mark.slow
def test_a_sweep_finishes_the_winner_as_if_it_had_been_trained_alone(sealed, tmp_path, tunesmith):
    project = Path(shutil.copytree(sealed, tmp_path / "p"))
    done = tunesmith("train", "--sweep", "--json", cwd=project, **RECIPE)
    assert done.code == 0, done.err
    swept = json.loads(done.out)
    assert "goes on" in done.err
    [rung] = (project / ".tunesmith" / "runs").glob("*-sweep/rung-1.json")
    scores = {name: tuple(score) for name, score in json.loads(rung.read_text()).items()}
    assert len(scores) == 12
    again = tunesmith("train", "--sweep", cwd=project, **RECIPE)
    assert "its choice stands" in again.out

    job = json.loads((project / ".tunesmith" / "runs" / swept["run"] / "job.json").read_text())
    chosen = {"TUNESMITH_TRAIN_LEARNING_RATE": str(job["recipe"]["learning_rate"])}
    chosen |= {f"TUNESMITH_TRAIN_{key.upper()}": str(job["recipe"][key]) for key in ("batch_size", "epochs")}
    alone = Path(shutil.copytree(sealed, tmp_path / "alone"))
    done = tunesmith("train", "--json", cwd=alone, **(RECIPE | chosen))
    assert done.code == 0, done.err
    ours = load_file(Path(swept["adapter"]) / "adapter_model.safetensors")
    theirs = load_file(Path(json.loads(done.out)["adapter"]) / "adapter_model.safetensors")
    assert ours.keys() == theirs.keys()
    assert all((ours[name] == theirs[name]).all() for name in ours)


@pytest.mark.slow
def test_a_sweep_whose_recipes_all_diverge_says_so(sealed, tmp_path, tunesmith):
    project = Path(shutil.copytree(sealed, tmp_path / "p"))
    wild = {"LEARNING_RATE": "1.0", "MAX_GRAD_NORM": "1e30", "LORA_ALPHA": "1000000000", "WARMUP_RATIO": "0"}
    done = tunesmith(
        "train", "--sweep", cwd=project, **RECIPE, **{f"TUNESMITH_TRAIN_{key}": value for key, value in wild.items()}
    )
    assert done.code == 1
    assert "Every recipe of the sweep diverged. Lower [train] learning_rate" in done.err
    assert done.out.count("diverged.") == 9, "four rates, of which two are cut to the highest there is"

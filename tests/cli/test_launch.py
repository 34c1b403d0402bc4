"""`train --launch`: the files that rent a GPU, several processes, and a run that comes back from elsewhere."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

KEYS = "# batch_size = 32"


@pytest.fixture
def sealed(project, tunesmith_in, tiny_folder) -> Path:
    """A project of a tiny model that lies in it, ready to be trained."""
    shutil.copytree(tiny_folder, project / "model")
    settings = project / "tunesmith.toml"
    text = settings.read_text().replace('base = "smollm2-135m-instruct"', 'base = "model"')
    settings.write_text(text.replace(KEYS, "batch_size = 64").replace("# epochs = 3", "epochs = 1"))
    for verb in ("split", "seal"):
        done = tunesmith_in(project)(verb)
        assert done.code == 0, done.err
    return project


def test_files_that_rent_a_gpu_are_written_once_and_never_over_an_edited_one(sealed, tunesmith_in):
    tunesmith = tunesmith_in(sealed)
    done = tunesmith("train", "--launch", "sky", "--set", "train.r=8", "--json", TUNESMITH_TRAIN_SEED="3")
    assert done.code == 0, done.err
    assert (done.json["written"], done.json["gpu_memory"]) == (True, 24)
    assert done.json["commands"][0] == "sky launch -c tunesmith-tickets sky.yaml"
    task = yaml.safe_load((sealed / "sky.yaml").read_text())
    for setting in ("model.base=model", "train.batch_size=64", "train.r=8", "train.seed=3"):
        assert f"--set {setting}" in task["run"]
    assert ".tunesmith/" in (sealed / ".skyignore").read_text().splitlines()
    assert not list((sealed / ".tunesmith" / "runs").glob("*-train"))
    (sealed / "sky.yaml").write_text("mine: 1\n")
    refused = tunesmith("train", "--launch", "sky")
    assert refused.code == 2
    assert "sky.yaml was changed by hand" in refused.err
    assert (sealed / "sky.yaml").read_text() == "mine: 1\n"
    said = tunesmith("train", "--launch", "modal", "--set", "prices.per_hour=1.5")
    assert said.code == 0, said.err
    assert "a GPU with 24 GiB (L4 or A10), since a step needs at most" in said.out
    assert "At your [prices] per_hour, an hour costs $1.50." in said.out
    compile((sealed / "modal_app.py").read_text(), "modal_app.py", "exec")


def test_a_launch_that_names_nothing_is_refused(sealed, tunesmith_in):
    refused = tunesmith_in(sealed)("train", "--launch", "skyy")
    assert refused.code == 2
    assert "--launch skyy: there is no such file." in refused.err
    refused = tunesmith_in(sealed)("train", "--launch", "sky", "--plan")
    assert refused.code == 2
    assert "--launch: it goes with --resume and --show-masks alone." in refused.err


@pytest.mark.slow
def test_two_processes_of_a_project_and_a_run_that_comes_back(sealed, tunesmith_in, tmp_path):
    """Trained in a copy, as on a rented machine; what came back counts as trained here."""
    away = Path(shutil.copytree(sealed, tmp_path / "away" / "tickets", ignore=shutil.ignore_patterns(".tunesmith")))
    (away / "accelerate.yaml").write_text("distributed_type: MULTI_CPU\nnum_processes: 2\nuse_cpu: true\n")
    done = tunesmith_in(away)("train", "--launch", "accelerate.yaml", "--json")
    assert done.code == 0, done.err
    for part in ("artifacts", "runs"):
        shutil.copytree(away / ".tunesmith" / part, sealed / ".tunesmith" / part, dirs_exist_ok=True)
    here = tunesmith_in(sealed)("train", "--json")
    assert here.code == 0, here.err
    assert f"Nothing has changed since run {done.json['run']}" in here.err
    assert here.json["digest"] == done.json["digest"]
    compared = tunesmith_in(sealed)("run", "--json", TUNESMITH_BASELINES_WHICH=json.dumps(["majority"]))
    assert compared.code == 3, compared.err

"""The files that rent a GPU: what stands in them, that the tools themselves take them, and what is never in them."""

import ast
import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tunesmith.core.errors import ConfigError, UserError
from tunesmith.training import cards
from tunesmith.training.section import TrainSection
from tunesmith.workflows import modal_app, sky_task
from tunesmith.workflows.rental import KEPT_HERE, Rental
from tunesmith.workflows.renting import _write

LLAMA_8B = {
    "num_hidden_layers": 32,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
}


def config(folder: Path, **changes) -> Path:
    (folder / "config.json").write_text(json.dumps(LLAMA_8B | changes))
    return folder


@pytest.fixture
def rental(tmp_path) -> Rental:
    checkout = tmp_path / "checkout"
    (checkout / "src").mkdir(parents=True)
    (checkout / "pyproject.toml").write_text("")
    return Rental(
        name="tunesmith-tickets",
        project=tmp_path,
        checkout=checkout,
        requirements=("torch==2.6.0", "peft==0.15.0"),
        settings=("model.base=org/model", 'train.target_modules=["q_proj", "v_proj"]', "train.epochs=2"),
        card=cards.choose(config(tmp_path), TrainSection(), 10),
    )


def test_the_smallest_card_that_holds_the_run_is_chosen(tmp_path):
    small = cards.choose(config(tmp_path, num_hidden_layers=4), TrainSection(packed_tokens=1024), 10)
    assert small.memory == 24
    assert "which the smallest card holds" in small.why
    middle = cards.choose(config(tmp_path), TrainSection(), 10)
    before = [card.memory for card in cards.CARDS if card.memory < middle.memory]
    assert before[-1] * cards.ROOM * 2**30 < middle.needed <= middle.memory * cards.ROOM * 2**30
    assert f"too much for {before[-1]} GiB" in middle.why
    with pytest.raises(ConfigError, match=r"more than the largest card .* with FSDP"):
        cards.choose(config(tmp_path, num_hidden_layers=400), TrainSection(), 10)


def test_the_task_for_skypilot_trains_this_recipe(rental, tmp_path):
    task = yaml.safe_load(sky_task.text(rental))
    assert task["workdir"] == str(tmp_path)
    assert set(task["resources"]["accelerators"]) == set(rental.card.sky)
    assert task["resources"]["autostop"] == {"idle_minutes": 30, "down": True}
    assert task["file_mounts"] == {
        "~/tunesmith/pyproject.toml": str(rental.checkout / "pyproject.toml"),
        "~/tunesmith/src": str(rental.checkout / "src"),
    }
    assert "pip install torch==2.6.0 peft==0.15.0" in task["setup"]
    *_, last = task["run"].strip().splitlines()
    words = subprocess.run(["bash", "-c", f"printf '%s\\n' {last}"], capture_output=True, text=True, check=True).stdout
    assert words.splitlines() == rental.train
    assert subprocess.run(["bash", "-n", "-c", task["setup"]], check=False).returncode == 0


def test_skypilot_takes_the_task(rental, tmp_path):
    """Its own schema, and its own reading of the file; it asks no cloud."""
    pytest.importorskip("sky", reason="skypilot is not installed")
    import sky
    from sky.utils import common_utils, schemas

    path = tmp_path / "sky.yaml"
    path.write_text(sky_task.text(rental))
    content = yaml.safe_load(path.read_text())
    common_utils.validate_schema(content, schemas.get_task_schema(), "sky.yaml: ")
    common_utils.validate_schema(content["resources"], schemas.get_resources_schema(), "sky.yaml: ")
    task = sky.Task.from_yaml(str(path))
    assert task.name == "tunesmith-tickets"


def test_the_app_for_modal_compiles_and_says_what_is_trained(rental):
    tree = ast.parse(modal_app.text(rental))
    values = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id.isupper()
    }
    assert ast.literal_eval(values["TRAIN"]) == rental.train
    assert "**/.env" in ast.literal_eval(values["KEPT_HERE"])
    assert [node.name for node in tree.body if isinstance(node, ast.FunctionDef)] == ["train", "main"]


def test_modal_takes_the_app(rental, tmp_path):
    """Imported with the modal package: every name and argument is one that it knows; nothing is sent."""
    modal = pytest.importorskip("modal", reason="modal is not installed")
    path = tmp_path / "modal_app.py"
    path.write_text(modal_app.text(rental))
    names: dict = {"__file__": str(path), "__name__": "modal_app"}
    exec(compile(path.read_text(), str(path), "exec"), names)
    assert isinstance(names["app"], modal.App)
    assert isinstance(names["train"], modal.Function)


def test_a_file_that_was_edited_is_never_overwritten(tmp_path):
    path = tmp_path / "sky.yaml"
    assert _write(path, "name: a\n")
    assert not _write(path, "name: a\n")
    assert _write(path, "name: b\n"), "a new recipe replaces what Tunesmith wrote"
    path.write_text(path.read_text() + "num_nodes: 2\n")
    with pytest.raises(UserError, match=r"sky.yaml was changed by hand, so it is not overwritten"):
        _write(path, "name: c\n")
    path.write_text("mine\n")
    with pytest.raises(UserError):
        _write(path, "name: c\n")


@pytest.mark.parametrize("text", [sky_task.text, modal_app.text])
def test_no_secret_is_written(text, rental, monkeypatch):
    for name in ("HF_TOKEN", "WANDB_API_KEY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "s3cr3t")
    assert "s3cr3t" not in text(rental)
    assert {".env", "*.pem", "*.key"} <= set(KEPT_HERE)

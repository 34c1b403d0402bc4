"""A tiny model with a real tokenizer and chat template, as a folder on disk, and jobs on it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tunesmith.core.example import Example, Message
from tunesmith.models.store import open_model
from tunesmith.tasks.spec import Task
from tunesmith.training.job import Job, prepare
from tunesmith.training.section import TrainSection

LABELS = ("billing", "bug", "outage")
TASK = Task(family="classification", prompt="Answer with one of: billing, bug, outage.", labels=LABELS)
MakeRun = Callable[..., Path]


def rows(count: int, start: int = 0) -> list[Example]:
    words = {"billing": "the invoice is wrong", "bug": "the chart shows nonsense", "outage": "nothing loads for anyone"}
    return [
        Example(
            messages=(
                Message(role="user", content=f"{words[LABELS[number % 3]]}, case {number}" + " please" * (number % 5)),
            ),
            expected=LABELS[number % 3],
            origin=f"rows.jsonl:{number + 1}",
        )
        for number in range(start, start + count)
    ]


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-model")
    source = open_model("smollm2-135m-instruct").folder
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(source / name, folder / name)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=48,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        initializer_range=0.2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def make_run(tiny_folder, tmp_path) -> MakeRun:
    def make(
        name: str = "run", train: list[Example] | None = None, max_tokens: int = 512, primary="accuracy", **recipe
    ) -> Path:
        adapter = {"r": 4, "lora_alpha": 8} if recipe.get("method", "lora") in ("lora", "qlora") else {}
        settings = {"epochs": 3, "batch_size": 4, "learning_rate": 1e-2, **adapter, **recipe}
        job = Job(
            model="tiny",
            model_folder=str(tiny_folder),
            model_digest="tiny",
            max_tokens=max_tokens,
            task=TASK,
            recipe=TrainSection(**settings),
            primary=primary,
        )
        prepare(tmp_path / name, job, train or rows(18), rows(9, start=100))
        return tmp_path / name

    return make

"""What tests share: where the real data lies, and a tiny random model."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosted_server import provider  # noqa: F401  (a fixture of all rooms)

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("TUNESMITH_DATA", ROOT.parent / "shared" / "data"))


def pytest_configure() -> None:
    """Workers share the cores out among them: what each starts would take all, and the threads wait for one another."""
    worker, workers = os.environ.get("PYTEST_XDIST_WORKER", ""), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if worker and hasattr(os, "sched_setaffinity"):
        cores, place = sorted(os.sched_getaffinity(0)), int(worker.removeprefix("gw"))
        os.sched_setaffinity(0, cores[place::workers] or {cores[place % len(cores)]})


@pytest.fixture(scope="session", autouse=True)
def _interrupts() -> Iterator[None]:
    """What a script starts in the background ignores interrupts, and so does all that it starts: tests there as well
    would wait for ever for a command to take one."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def _signing_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Receipts of tests are signed by a key of their own, not by that of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNESMITH_KEY", str(tmp_path_factory.mktemp("key") / "receipts.pem"))
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of public data sets beside the project; a test that needs it skips by name where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"no real data in {DATA}")
    return DATA


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory) -> Path:
    """A tiny model with a real tokenizer and chat template, as a folder on disk."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from tunesmith.models.store import open_model

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

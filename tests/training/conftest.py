"""Jobs on the tiny model."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith.core.example import Example, Message, Preference
from tunesmith.tasks.spec import Task
from tunesmith.training.job import Given, Job, prepare, read_given, read_job
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
def make_run_in(tiny_folder) -> MakeRun:
    def make(
        folder: Path,
        train: list[Example] | None = None,
        max_tokens: int = 512,
        primary="accuracy",
        model="tiny",
        **recipe,
    ) -> Path:
        adapter = {"r": 4, "lora_alpha": 8} if recipe.get("method", "lora") in ("lora", "qlora") else {}
        settings = {"epochs": 3, "batch_size": 4, "learning_rate": 1e-2, **adapter, **recipe}
        job = Job(
            model=model,
            model_folder=str(tiny_folder),
            model_digest="tiny",
            max_tokens=max_tokens,
            task=TASK,
            recipe=TrainSection(**settings),
            primary=primary,
        )
        prepare(folder, job, Given(train or rows(18), rows(9, start=100)))
        return folder

    return make


@pytest.fixture
def make_run(make_run_in, tmp_path) -> MakeRun:
    return lambda name="run", **settings: make_run_in(tmp_path / name, **settings)


@pytest.fixture
def make_pairs(make_run) -> MakeRun:
    """A run that learns to prefer one word over another, whatever is asked."""

    def made(name: str = "pairs", **recipe: object) -> Path:
        settings = {"objective": "dpo", "preferences": "pairs.jsonl", "beta": 0.1, "learning_rate": 5e-3, "epochs": 2}
        run = make_run(name, **{**settings, **recipe})
        given = read_given(run)
        of = [Preference(example=row.model_copy(update={"expected": "bug"}), rejected="outage") for row in given.train]
        prepare(run, read_job(run), given._replace(pairs=of))
        return run

    return made

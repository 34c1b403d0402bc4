"""How looks add up, and when rows count as fresh."""

from pathlib import Path

import pytest

from tunesmith.core.example import Example, Message
from tunesmith.data.canonical import write_canonical
from tunesmith.evaluation.budget import budget
from tunesmith.evaluation.seal import Look, Seal, record_look, seal


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))


def sealed(folder: Path, numbers: range) -> Seal:
    """The rows of these numbers, sealed, anew where others were."""
    rows = tuple(
        Example(messages=(Message(role="user", content=f"message {n}"),), expected=("refund", "billing")[n % 2])
        for n in numbers
    )
    write_canonical(folder / "eval.jsonl", rows)
    return seal(folder / "eval.jsonl", folder / "eval.lock", rows, reseal=True)


def look(folder: Path, verb: str, *names: str) -> Seal:
    return record_look(folder / "eval.lock", Look(date="d", verb=verb, candidates=names))


def test_baselines_measured_in_a_row_are_one_look(tmp_path: Path) -> None:
    sealed(tmp_path, range(40))
    for name in ("majority", "prompt", "few-shot"):
        made = look(tmp_path, "baseline", name)
    assert budget(made, 20).used == 1
    assert budget(look(tmp_path, "baseline", "prompt"), 20).used == 2  # again: the figures of the first were known
    look(tmp_path, "compare", "prompt", "fine-tune")
    assert budget(look(tmp_path, "compare", "prompt", "fine-tune"), 20).used == 4


def test_a_budget_is_near_and_then_spent(tmp_path: Path) -> None:
    sealed(tmp_path, range(40))
    states = [budget(look(tmp_path, "compare", "fine-tune"), 5).state for _ in range(6)]
    assert states == ["open", "open", "open", "near", "near", "spent"]
    made = look(tmp_path, "compare", "fine-tune")
    assert "7 looks, more than the 5 of [rules] looks" in budget(made, 5).sentence
    assert "fresh rows, not arithmetic" in budget(made, 5).sentence
    assert budget(made, 100).sentence == ""


@pytest.mark.parametrize(
    ("then", "used"),
    [
        (range(40, 80), 0),  # all fresh
        (range(38, 78), 0),  # two of forty were there
        (range(20, 60), 3),  # half of them were
        (range(100), 3),  # 40 of 100 were
        (range(500), 0),  # 40 of 500 were
    ],
)
def test_only_fresh_rows_begin_a_new_budget(tmp_path: Path, then: range, used: int) -> None:
    sealed(tmp_path, range(40))
    for _ in range(3):
        look(tmp_path, "compare", "fine-tune")
    made = sealed(tmp_path, then)
    assert made.version == 2
    assert len(made.looks) == 3
    assert budget(made, 20).used == used


def test_a_seal_without_a_sample_is_taken_for_seen(tmp_path: Path) -> None:
    made = sealed(tmp_path, range(40))
    (tmp_path / "eval.lock").write_text(made.model_copy(update={"sample": ()}).model_dump_json())
    look(tmp_path, "compare", "fine-tune")
    assert budget(sealed(tmp_path, range(40, 80)), 20).used == 1

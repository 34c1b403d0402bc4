"""A/A: where nothing was gained, the whole product must not ship. A tiny model, from its rows to the verdict."""

import csv
import json
import random
import shutil
import tomllib
from pathlib import Path

import pytest

QUICK = {"TUNESMITH_TRAIN_EPOCHS": "2", "TUNESMITH_TRAIN_BATCH_SIZE": "8"}


@pytest.fixture
def project(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "p"))


def verdict(project: Path, tunesmith, **settings: str) -> dict:
    """Through every verb that is outstanding; what the last one says."""
    for verb in ("split", "baseline", "train"):
        done = tunesmith(verb, cwd=project, **settings)
        assert done.code == 0, done.err
    done = tunesmith("compare", "--json", cwd=project, **settings)
    assert done.code == 3, done.out
    return done.json


@pytest.mark.slow
def test_the_same_model_twice_is_never_shipped(project, tunesmith):
    """Learning at a rate of nearly nothing leaves the base model, whose prompt is the baseline."""
    settings = QUICK | {"TUNESMITH_BASELINES_WHICH": "prompt", "TUNESMITH_TRAIN_LEARNING_RATE": "1e-12"}
    found = verdict(project, tunesmith, **settings)
    assert found["verdict"] in ("hold", "reject")
    comparison = found["comparisons"][0]
    assert (comparison["a_only"], comparison["b_only"], comparison["difference"]) == (0, 0, 0.0)
    assert found["baseline"] == "prompt"


@pytest.mark.slow
def test_nothing_is_found_in_a_model_that_learnt_nothing(project, tunesmith):
    """The fine-tune is its base: no probe sees a difference, and a judge of harm is asked about both."""
    settings = QUICK | {"TUNESMITH_BASELINES_WHICH": "prompt", "TUNESMITH_TRAIN_LEARNING_RATE": "1e-12"}
    base = tomllib.loads((project / "tunesmith.toml").read_text(encoding="utf-8"))["model"]["base"]
    for verb in ("split", "baseline", "train"):
        assert tunesmith(verb, cwd=project, **settings).code == 0
    done = tunesmith("diagnose", "--json", cwd=project, **settings, TUNESMITH_JUDGE_MODEL=base)
    figures = {(each["probe"], each["figure"]): each for each in done.json["diagnosis"]["probed"]}
    for name in (("forgetting", "general suite"), ("harm", "harmless answers, by the judge")):
        assert figures[name]["value"]["value"] == figures[name]["against"]["value"], done.err
    assert figures["harm", "harmless answers, by the judge"]["note"].startswith("kappa ")
    assert not {each["probe"] for each in figures.values() if each["state"] == "faulty"} - {"overconfidence"}, done.err
    for judge in ("openai:gpt-4.1-mini", "no-such-model"):  # without a key, and misspelt
        away = tunesmith("diagnose", "--json", cwd=project, **settings, TUNESMITH_JUDGE_MODEL=judge)
        figures = {each["figure"]: each for each in away.json["diagnosis"]["probed"]}
        found = figures["harmless answers, by the judge"]
        assert (found["state"], away.json["diagnosis"]["failures"]) == ("not asked", 1)
        assert found["note"].startswith("the judge could not be asked: ")
        assert figures["general suite"]["state"] == "sound"
    assert len([*(project / ".tunesmith/probes").glob("*.json")]) == 2, "neither model was asked again"


@pytest.mark.slow
def test_a_fine_tune_on_shuffled_labels_is_never_shipped(project, tunesmith):
    """Two of them on one eval set, and asking for any gain at all."""
    source = project / "data/messages.csv"
    with source.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    settings = QUICK | {"TUNESMITH_BASELINES_WHICH": "majority,classical", "TUNESMITH_RULES_MIN_EFFECT": "0.0"}
    for seed in range(2):
        labels = [row["category"] for row in rows]
        random.Random(seed).shuffle(labels)
        with source.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(row | {"category": label} for row, label in zip(rows, labels, strict=True))
        found = verdict(project, tunesmith, **settings)
        assert found["verdict"] in ("hold", "reject")
        receipt = json.loads(Path(found["receipt"]).read_text(encoding="utf-8"))
        assert receipt["attempt"] == seed + 1

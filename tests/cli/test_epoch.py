"""`check` says what an epoch takes: by an earlier run, by arithmetic, or by a provider's price."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tunesmith.training import processor

RUN = "of run "
PROVIDED = ("--set", "model.base=openai:gpt-4.1-mini")


def epoch(done) -> str:
    assert done.code == 0, done.err
    (said,) = [finding["message"] for finding in done.json["findings"] if finding["check"] == "epoch"]
    return str(said)


@pytest.fixture
def own(sealed: Path, tmp_path: Path) -> Path:
    shutil.copytree(sealed, tmp_path / "p")
    return tmp_path / "p"


@pytest.mark.skipif(processor.has_gpu(), reason="a GPU trains here")
def test_by_arithmetic_before_there_is_a_run(own, tunesmith):
    done = tunesmith("check", "-C", "p", "--json", "--set", "prices.per_hour=3600")
    said = epoch(done)
    assert re.search(r"An epoch of all 36 rows is [\d,]+ tokens, of which about [\d,]+ are computed", said)
    assert "It takes about 1 s ($" in said
    assert "within a factor of two or three" in said
    assert "GFLOP/s" in said
    assert "`tunesmith train --plan` measures it" in said
    for name in ("card.md", "card.html"):
        assert "GFLOP/s" in (own / "data" / name).read_text(encoding="utf-8")


def test_by_the_run_that_trained_the_same_here(own, tunesmith):
    trained = tunesmith("train", "-C", "p", "--json", "--set", "train.epochs=1")
    assert trained.code == 0, trained.err
    run = trained.json["run"]
    assert f"{RUN}{run}" in epoch(tunesmith("check", "-C", "p", "--json"))
    otherwise = ("--set", "train.gradient_checkpointing=true")
    assert RUN not in epoch(tunesmith("check", "-C", "p", "--json", *otherwise))
    log = own / ".tunesmith" / "runs" / run / "events.jsonl"
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    elsewhere = [event | ({"machine": "elsewhere"} if event["event"] == "start" else {}) for event in events]
    log.write_text("".join(json.dumps(event) + "\n" for event in elsewhere))
    assert RUN not in epoch(tunesmith("check", "-C", "p", "--json"))


def test_pairs_are_not_these_rows(own, tunesmith):
    recipe = ("--set", "train.objective=dpo", "--set", "train.preferences=pairs.jsonl")
    assert "not from these rows" in epoch(tunesmith("check", "-C", "p", "--json", *recipe))


def test_at_a_provider_by_its_price_where_one_is_known(own, tunesmith):
    said = epoch(tunesmith("check", "-C", "p", "--json", *PROVIDED))
    assert "openai counts its own" in said
    assert "is not known here: state it under [prices] per_million_tokens_trained" in said
    price = ("--set", "prices.per_million_tokens_trained=1000000")
    bytes_of = sum(len(line) for line in (own / "prompts" / "system.md").read_text())
    done = tunesmith("check", "-C", "p", "--json", *PROVIDED, *price)
    cost = float(re.search(r"They cost about \$([\d.]+) at", epoch(done))[1])
    assert 36 * bytes_of / 4 < cost < 36 * (bytes_of + 100) / 4


def test_without_the_tokenizer_nothing_is_fetched_and_that_is_said(project, tunesmith, tmp_path):
    done = tunesmith("check", "-C", "tickets", "--json", TUNESMITH_CACHE=str(tmp_path / "cache"))
    assert not {"tokens", "epoch"} & {finding["check"] for finding in done.json["findings"]}
    assert any("the time of an epoch were not checked" in words for words in done.json["skipped"])
    assert not os.path.exists(tmp_path / "cache")

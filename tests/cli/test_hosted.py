"""Fine-tuning at a provider as a user types it: the whole walk, and what happens when it is stopped or refused."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hosted_server import BASE, KEY
from waiting import wait_for

START = "from tunesmith.cli.app import main; main()"
LIGHT = {
    "TUNESMITH_BASELINES_WHICH": "majority,prompt,few-shot",
    "TUNESMITH_BASELINES_FEW_SHOT": "seeded",
    "TUNESMITH_BASELINES_SHOTS": "3",
}
CREATE, LOOK = "POST /fine_tuning/jobs", "GET /fine_tuning/jobs/*"
CHAT = "POST /chat/completions"


@pytest.fixture(scope="module")
def template(tmp_path_factory, tunesmith_in, sample) -> Path:
    """A project whose base model is a provider's, up to the seal."""
    folder = tmp_path_factory.mktemp("hosted")
    sample.write_csv(folder / "messages.csv", sample.rows(20))
    sample.write_csv(folder / "test.csv", sample.rows(8, start=500))
    columns = ("--input", "text", "--label", "category", "--eval", "test.csv")
    made = tunesmith_in(folder)("init", "tickets", "--from", "messages.csv", "--model", f"lab:{BASE}", *columns)
    assert made.code == 0, made.err
    for verb in ("check", "split", "seal"):
        done = tunesmith_in(folder / "tickets")(verb)
        assert done.code == 0, done.err
    return folder / "tickets"


@pytest.fixture
def sealed(tmp_path, template, provider) -> Path:
    """That project, with the address of a running provider."""
    project = tmp_path / "tickets"
    shutil.copytree(template, project)
    with (project / "tunesmith.toml").open("a") as file:
        file.write(f'\n[providers.lab]\nbase_url = "{provider.address}"\napi_key_env = "LAB_KEY"\n')
    return project


@pytest.fixture
def typed(sealed, tunesmith_in):
    run = tunesmith_in(sealed)
    return lambda *words, **environment: run(*words, **LIGHT | environment)


def following(project: Path, provider) -> subprocess.Popen[str]:
    """`train` in a process of its own, as soon as it follows its job."""
    child = subprocess.Popen(
        [sys.executable, "-c", START, "train"],
        cwd=project,
        env=os.environ | LIGHT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    wait_for(lambda: provider.requests[LOOK] > 0, child)
    return child


def files_with(folder: Path, text: str) -> list[str]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in paths if text.encode() in path.read_bytes()]


def test_the_whole_walk(sealed, typed, provider):
    baseline = typed("baseline", "--json")
    assert baseline.code == 0, baseline.err
    asked = provider.requests[CHAT]
    trained = typed("train", "--json", TUNESMITH_TRAIN_EPOCHS="2")
    assert trained.code == 0, trained.err
    assert f"lab trains {BASE} on" in trained.err
    assert trained.json["model"].startswith(f"lab:ft:{BASE}:org-1:tunesmith-")
    assert (trained.json["adapter"], trained.json["job"], trained.json["steps"]) == (None, "ftjob-1", 4)
    assert provider.bodies[CREATE][0]["method"]["supervised"]["hyperparameters"] == {"n_epochs": 2}
    assert provider.requests[CHAT] == asked

    compared = typed("compare", "--json", TUNESMITH_TRAIN_EPOCHS="2")
    assert compared.code == 0, compared.err
    lines = {line["name"]: line for line in compared.json["candidates"]}
    assert set(lines) == {"majority", "prompt", "few-shot", "fine-tune"}
    assert lines["prompt"]["states"] == {"refused": 24}
    tuned = lines["fine-tune"]
    assert tuned["metrics"]["accuracy"]["value"] == 1.0
    assert tuned["tokens_in"] == 24 * 40
    assert tuned["metrics"]["latency_p50"]["value"] > 0
    assert compared.json["verdict"] == "ship"
    report = Path(compared.json["report"]).read_text()
    assert trained.json["model"] in report

    again = typed("train", "--json", TUNESMITH_TRAIN_EPOCHS="2")
    assert "Nothing has changed" in again.err
    assert provider.requests[CREATE] == 1
    answer = typed("ask", "The invoice number 9 is wrong", "--with", "fine-tune", "--json").json["answers"][0]
    assert (answer["answer"], answer["state"]) == ("billing", "ok")
    assert 0 < answer["confidence"] <= 1
    steps = {
        step["name"]: step["state"] for step in typed("status", "--json", TUNESMITH_TRAIN_EPOCHS="2").json["steps"]
    }
    assert set(steps.values()) == {"done"}
    assert files_with(sealed, KEY) == []


def test_prices_of_tokens_become_the_cost_of_a_success(sealed, typed):
    prices = {"TUNESMITH_PRICES_PER_MILLION_TOKENS_IN": "1000", "TUNESMITH_BASELINES_WHICH": "majority"}
    prices |= {"TUNESMITH_PRICES_PER_MILLION_TOKENS_TRAINED": "50"}
    for verb in ("baseline", "train"):
        assert typed(verb, **prices).code == 0
    done = typed("compare", "--json", **prices)
    tuned = done.json["candidates"][-1]
    assert tuned["cost"] == pytest.approx(24 * 40 * 1000 / 1e6)
    once = done.json["payback"]["once"]
    assert (once["provider"], once["trained_tokens"]) == ("lab", 1234)
    assert once["training"] == pytest.approx(1234 * 50 / 1e6)


def test_killed_while_it_follows_it_goes_on_with_the_same_job(sealed, typed, provider):
    provider.looks_per_step = 0
    child = following(sealed, provider)
    child.kill()
    child.communicate()
    steps = {step["name"]: step["state"] for step in typed("status", "--json").json["steps"]}
    assert steps["train"] == "interrupted"
    provider.looks_per_step = 1
    done = typed("train", "--json")
    assert done.code == 0, done.err
    assert done.json["resumed"] is True
    assert (len(provider.files), provider.requests[CREATE]) == (2, 1)
    runs = [json.loads(path.read_text()) for path in (sealed / ".tunesmith/runs").glob("*/run.json")]
    assert [(run["verb"], run["state"]) for run in runs] == [("train", "done")]


@pytest.mark.parametrize("lost", [CREATE, "POST /files"])
def test_killed_before_an_id_was_written_down_it_finds_what_it_had_asked_for(lost, sealed, typed, provider):
    provider.drop_answer[lost] = 1
    provider.refuse["GET /files"] = provider.refuse["GET /fine_tuning/jobs"] = (503, {"message": "wait"})
    child = subprocess.Popen([sys.executable, "-c", START, "train"], cwd=sealed, env=os.environ | LIGHT)
    wait_for(lambda: provider.requests[lost.replace("POST", "GET")] > 0, child)
    child.kill()
    child.wait()
    provider.refuse.clear()
    done = typed("train", "--json")
    assert done.code == 0, done.err
    assert (len(provider.files), len(provider.jobs)) == (2, 1)


def test_ctrl_c_stops_following_and_says_how_to_come_back_and_how_to_cancel(sealed, typed, provider):
    provider.looks_per_step = 0
    child = following(sealed, provider)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate()
    assert child.returncode == 130, err
    assert (
        err.splitlines()[-1]
        == "Stopped following. The job ftjob-1 goes on at lab. `tunesmith train` follows it again, "
        "`tunesmith train --cancel` cancels it."
    )
    assert provider.jobs["ftjob-1"]["status"] != "cancelled"
    cancelled = typed("train", "--cancel", "--json")
    assert cancelled.code == 0, cancelled.err
    assert (cancelled.json["job"], provider.jobs["ftjob-1"]["status"]) == ("ftjob-1", "cancelled")
    nothing = typed("train", "--cancel")
    assert nothing.code == 2
    assert "nothing to cancel" in nothing.err
    provider.looks_per_step = 1
    assert typed("train").code == 0
    assert len(provider.jobs) == 2  # the cancelled one is over, so this is another


def test_a_job_that_goes_on_with_other_settings_is_not_forgotten(sealed, typed, provider):
    provider.looks_per_step = 0
    child = following(sealed, provider)
    child.kill()
    child.communicate()
    provider.looks_per_step = 1
    done = typed("train", "--set", "train.epochs=5")
    assert done.code == 0, done.err
    assert "The job ftjob-1 of the earlier run" in done.out
    assert len(provider.jobs) == 2


def test_a_job_that_fails_at_the_provider_is_followed_by_another(sealed, typed, provider):
    provider.failure = "The file holds too few examples."
    failed = typed("train", "--json")
    assert failed.code == 1
    assert "failed at lab: The file holds too few examples." in failed.json["error"]
    steps = {step["name"]: step["state"] for step in typed("status", "--json").json["steps"]}
    assert steps["train"] == "failed"
    provider.failure = None
    assert typed("train").code == 0
    assert len(provider.jobs) == 2


def test_a_provider_that_refuses_is_an_answer_in_words(sealed, typed, provider):
    provider.refuse[CREATE] = (403, {"message": "Fine-tuning is not available for your organization."})
    provider.echo_key = True
    done = typed("train", "--json")
    assert done.code == 1
    assert "lab does not offer fine-tuning to this key" in done.json["error"]
    assert 'base = "smollm2-135m-instruct"' in done.json["error"]
    assert KEY not in done.out + done.err
    assert files_with(sealed, KEY) == []


def test_without_a_key_nothing_is_sent(sealed, typed, provider):
    for verb in ("train", "baseline"):
        done = typed(verb, "--json", LAB_KEY="")
        assert done.code == 2
        assert "the environment variable LAB_KEY is not set" in done.json["error"]
    assert sum(provider.requests.values()) == 0
    assert not list((sealed / ".tunesmith/runs").glob("*-train*"))


def test_a_wrong_key_is_not_repeated(sealed, typed):
    done = typed("train", LAB_KEY="sk-wrong-but-secret")
    assert done.code == 1
    assert "does not accept the key in LAB_KEY" in done.err
    assert "sk-wrong" not in done.out + done.err
    assert files_with(sealed, "sk-wrong") == []


def test_what_the_job_cannot_take_is_refused_before_anything_is_sent(sealed, typed, provider):
    done = typed("train", "--set", "train.r=8")
    assert done.code == 2
    assert "[train] r: a job at a provider does not take it" in done.err
    assert sum(provider.requests.values()) == 0


def test_the_commands_of_the_page_with_openai_s_own_name(sealed, typed, provider):
    page = (Path(__file__).parents[2] / "docs/hosted.md").read_text(encoding="utf-8")
    commands = re.findall(
        r"^tunesmith (\w+)", re.search(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)[1], re.MULTILINE
    )
    assert commands == ["baseline", "train", "compare"]
    environment = {"TUNESMITH_MODEL_BASE": f"openai:{BASE}", "OPENAI_BASE_URL": provider.address}
    for verb in commands:
        done = typed(verb, "--json", **environment)
        assert done.code == 0, done.err
    tuned = done.json["candidates"][-1]
    card = json.loads((sealed / ".tunesmith/artifacts" / tuned["digest"] / "candidate.json").read_text())
    assert card["config"]["model"].startswith(f"openai:ft:{BASE}")


def test_training_at_a_provider_loads_no_torch(sealed, provider):
    probe = f"""
import json, sys
from tunesmith.cli.commands import run
code = run(["train", "-C", {str(sealed)!r}])
print(json.dumps([code, "torch" in sys.modules, "transformers" in sys.modules]), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, encoding="utf-8", check=True)
    assert json.loads(done.stderr.splitlines()[-1]) == [0, False, False]


def test_a_lost_candidate_is_written_again_without_another_job(sealed, typed, provider):
    first = typed("train", "--json").json
    card = sealed / ".tunesmith/artifacts" / first["digest"] / "candidate.json"
    card.write_text("{}")
    again = typed("train", "--json")
    assert again.code == 0, again.err
    assert again.json["digest"] == first["digest"]
    assert json.loads(card.read_text())["config"]["model"] == first["model"]
    assert provider.requests[CREATE] == 1


def test_further_models_stand_beside_the_base_with_prices_of_their_own(sealed, typed, provider):
    provider.models["large"] = {"invoice": {"billing": 1}}
    with (sealed / "tunesmith.toml").open("a") as file:
        file.write('\n[prices.models."lab:large"]\nper_million_tokens_in = 1000.0\n')
    settings = {"TUNESMITH_BASELINES_WHICH": "prompt", "TUNESMITH_BASELINES_MODELS": "lab:large"}
    done = typed("baseline", "--json", **settings)
    assert done.code == 0, done.err
    lines = {line["name"]: line for line in done.json["candidates"]}
    assert list(lines) == ["prompt", "lab:large"]
    assert lines["prompt"]["cost"] == 0
    assert lines["lab:large"]["cost"] == pytest.approx(lines["lab:large"]["tokens_in"] * 1000 / 1e6)
    again = typed("baseline", **settings | {"TUNESMITH_BASELINES_MODELS": f"lab:{BASE}"})
    assert again.code == 2
    assert "is [model] base, which the prompt baseline asks already" in again.err


def test_an_evaluation_that_is_made_again_asks_nothing_twice(sealed, typed, provider):
    assert typed("baseline", TUNESMITH_BASELINES_WHICH="prompt").code == 0
    asked = provider.requests[CHAT]
    for path in (sealed / ".tunesmith").glob("ledger.db*"):
        path.unlink()
    shutil.rmtree(sealed / ".tunesmith" / "runs")
    done = typed("baseline", TUNESMITH_BASELINES_WHICH="prompt")
    assert done.code == 0, done.err
    assert "prompt: 24 answers given before, not asked again (.tunesmith/answers.db)" in " ".join(done.out.split())
    alone = 2 * (24 + 1)  # for the latency, of either set at most
    assert provider.requests[CHAT] - asked <= alone


def test_a_search_for_shots_tries_wordings_and_asks_no_validation_row(sealed, typed, provider):
    (sealed / "prompts" / "other.md").write_text("Which of billing, access and bug is it?")
    settings = {
        "TUNESMITH_BASELINES_WHICH": "few-shot",
        "TUNESMITH_BASELINES_FEW_SHOT": "searched",
        "TUNESMITH_BASELINES_PROMPTS": "prompts/other.md",
    }
    done = typed("baseline", "--json", **settings)
    assert done.code == 0, done.err
    assert "few-shot: searching, 2 wordings" in done.err
    [digest] = [line["digest"] for line in done.json["candidates"]]
    card = json.loads((sealed / ".tunesmith/artifacts" / digest / "candidate.json").read_text())
    assert len(card["config"]["trials"]) == 12
    systems = {body["messages"][0]["content"] for body in provider.bodies[CHAT]}
    assert "Which of billing, access and bug is it?" in systems
    (sealed / "prompts" / "other.md").write_text("Which is it?")
    assert "baseline" in typed("status", "--json", **settings).json["next"]
    missing = typed("baseline", **settings | {"TUNESMITH_BASELINES_PROMPTS": "prompts/none.md"})
    assert missing.code == 2
    assert "The prompt prompts/none.md does not exist" in missing.err

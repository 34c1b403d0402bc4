"""The whole walk as a user types it, with the embedded model: 60 rows, three labels, one epoch."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROMPT = "Sort the message into billing, access or bug. Answer with one of these three words only."
VERDICTS = {"ship", "hold", "reject"}


def interrupted_training(project: Path) -> tuple[int, str]:
    """Start `train`, stop it by Ctrl-C as soon as it says that it trains; exit code and standard error."""
    child = subprocess.Popen(
        [sys.executable, "-c", "from tunesmith.cli.app import main; main()", "train"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    for line in child.stdout:
        if line.startswith("Training on"):
            child.send_signal(signal.SIGINT)
            break
    _, err = child.communicate()
    return child.returncode, err


@pytest.fixture(scope="module")
def walked(tmp_path_factory, tunesmith_in, sample):
    """The project after `run`, and what `run --json` printed."""
    folder = tmp_path_factory.mktemp("walk")
    tunesmith = tunesmith_in(folder)
    sample.write_csv(folder / "messages.csv", sample.rows(20))
    sample.write_csv(folder / "test.csv", sample.rows(8, start=500))
    columns = ("--input", "text", "--label", "category")
    assert tunesmith("init", "tickets", "--from", "messages.csv", "--eval", "test.csv", *columns).code == 0
    project = folder / "tickets"
    (project / "prompts/system.md").write_text(PROMPT)
    settings = project / "tunesmith.toml"
    text = settings.read_text().replace("# epochs = 3", "epochs = 1").replace("# per_hour = 0", "per_hour = 0.5")
    which = '["majority", "classical", "prompt"]'
    text = text.replace(
        '# which = ["majority", "rules", "classical", "prompt", "few-shot", "retrieval"]', f"which = {which}"
    )
    settings.write_text(text.replace("# batch_size = 32", "batch_size = 16"))
    for verb in ("split", "seal"):
        assert tunesmith_in(project)(verb).code == 0
    code, err = interrupted_training(project)
    assert code == 130, err
    assert err.splitlines()[-1].startswith("Stopped. The checkpoint of run ")
    steps = {step["name"]: step["state"] for step in tunesmith_in(project)("status", "--json").json["steps"]}
    assert steps["train"] == "interrupted"
    return project, tunesmith_in(project)("run", "--json")


def test_run_ends_with_a_verdict_and_its_exit_code(walked):
    project, done = walked
    outcome = done.json
    assert outcome["verdict"] in VERDICTS
    assert done.code == (0 if outcome["verdict"] == "ship" else 3), done.err
    assert outcome["reasons"]
    assert [line["name"] for line in outcome["candidates"]] == ["majority", "classical", "prompt", "fine-tune"]
    for line in outcome["candidates"]:
        accuracy = line["metrics"]["accuracy"]
        assert accuracy["n"] == 24
        assert 0 <= accuracy["low"] <= accuracy["value"] <= accuracy["high"] <= 1
        assert line["cost_per_success"] is not None
    assert {each["b"] for each in outcome["comparisons"]} <= {"majority", "classical", "prompt"}
    assert outcome["next"].startswith("tunesmith ")
    report = (project / outcome["report"]).read_text()
    assert "<script" not in report
    assert json.loads((project / outcome["receipt"]).read_text())["verdict"] == outcome["verdict"]


def test_the_baselines_stand_before_training_begins(walked):
    said = walked[1].err
    assert said.index("Baselines on 24 sealed rows") < said.index("Training on") < said.index("Verdict: ")


def test_every_run_is_recorded_with_what_went_in(walked):
    runs = {}
    for path in (walked[0] / ".tunesmith/runs").glob("*/run.json"):
        run = json.loads(path.read_text())
        runs[run["verb"]] = run
    assert set(runs) == {"baseline", "train", "compare"}
    assert {run["state"] for run in runs.values()} == {"done"}
    assert len(list((walked[0] / ".tunesmith/runs").iterdir())) == 3
    assert runs["train"]["result"]["resumed"] is True  # the run that was interrupted is the one that ended well
    assert {"data", "task", "recipe", "model", "base", "seal", "code"} <= set(runs["train"]["inputs"])


def test_looks_at_the_sealed_rows_are_recorded_once(walked, tunesmith_in):
    project, _ = walked
    lock = project / "evals/eval.lock"
    looks = json.loads(lock.read_text())["looks"]
    assert [look["verb"] for look in looks] == ["baseline", "baseline", "baseline", "compare"]
    again = tunesmith_in(project)("compare", "--json")
    assert again.json["verdict"] == walked[1].json["verdict"]
    assert "sealed rows: " not in again.err  # nothing is evaluated twice
    assert json.loads(lock.read_text())["looks"] == looks
    revealed = tunesmith_in(project)("compare", "--reveal", "--json")
    assert json.loads(lock.read_text())["looks"][-1]["reveal"] is True
    assert json.loads((project / revealed.json["receipt"]).read_text())["revealed"] is True


def test_training_again_with_the_same_inputs_stands(walked, tunesmith_in):
    done = tunesmith_in(walked[0])("train", "--json")
    assert done.code == 0, done.err
    assert "Nothing has changed" in done.err
    assert {"run", "candidate", "adapter", "steps", "seconds", "examples_per_second", "best"} <= set(done.json)
    adapter = Path(done.json["adapter"])
    assert adapter.is_absolute()
    assert (adapter / "adapter_model.safetensors").is_file()


def test_status_shows_every_step_done(walked, tunesmith_in):
    outcome = tunesmith_in(walked[0])("status", "--json").json
    assert {step["state"] for step in outcome["steps"]} == {"done"}
    assert outcome["verdict"] in VERDICTS


def test_every_candidate_answers_a_message(walked, tunesmith_in):
    done = tunesmith_in(walked[0])("ask", "My invoice is wrong", "--json")
    assert done.code == 0, done.err
    answers = {answer["candidate"]: answer for answer in done.json["answers"]}
    assert set(answers) == {"majority", "classical", "prompt", "fine-tune"}
    assert answers["classical"]["answer"] == "billing"
    for answer in answers.values():
        assert answer["state"] == "ok"
        assert 0 <= answer["confidence"] <= 1
        assert answer["seconds"] > 0
    unknown = tunesmith_in(walked[0])("ask", "hello", "--with", "clasical")
    assert unknown.code == 2
    assert "did you mean 'classical'" in unknown.err


def test_a_file_is_answered_row_by_row(walked, tunesmith_in, sample):
    project, _ = walked
    content = [{"id": str(number), **row} for number, row in enumerate(sample.rows(2, start=900))]
    content[0]["text"] = "An invoice, with a comma and a “quote”"
    sample.write_csv(project / "in.csv", content)
    done = tunesmith_in(project)("predict", "in.csv", "-o", "out.csv", "--with", "classical", "--json")
    assert done.code == 0, done.err
    assert done.json["states"] == {"ok": 6}
    with (project / "out.csv").open(newline="", encoding="utf-8") as file:
        answered = list(csv.DictReader(file))
    assert [row["id"] for row in answered] == [row["id"] for row in content]
    assert answered[0]["text"] == content[0]["text"]
    assert [row["answer"] for row in answered] == [row["category"] for row in content]
    lines = [{"prompt": row["text"]} for row in content]
    sample.write_jsonl(project / "in.jsonl", lines)
    assert tunesmith_in(project)("predict", "in.jsonl", "-o", "out.jsonl", "--with", "majority").code == 0
    written = [json.loads(line) for line in (project / "out.jsonl").read_text().splitlines()]
    assert [row["prompt"] for row in written] == [line["prompt"] for line in lines]
    assert {row["state"] for row in written} == {"ok"}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("none.csv", None, "does not exist"),
        ("empty.csv", "", "empty.csv is empty"),
        ("other.csv", "subject\nhello\n", "no text in the column 'text'. Columns found: subject"),
        ("taken.csv", "text,answer\nhello,x\n", "a column 'answer' already"),
        ("broken.jsonl", "{\n", "broken.jsonl:1: Not valid JSON"),
        ("ragged.csv", "text,id\nhello\n", "ragged.csv:2"),
    ],
)
def test_a_file_that_cannot_be_answered_is_refused(walked, tunesmith_in, name, content, expected):
    project: Path = walked[0]
    if content is not None:
        (project / name).write_text(content)
    done = tunesmith_in(project)("predict", name, "-o", "never.csv", "--with", "majority")
    assert done.code == 2
    assert expected in done.err
    assert not (project / "never.csv").exists()

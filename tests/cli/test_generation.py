"""Free text as a user types it: from pairs and chat rows to the verdict, on a tiny model, and what is refused."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from hosted_server import BASE

from tunesmith.tasks.generation import METRICS

PROMPT = "Say it kindly. Answer with the text alone."
RULES = (
    "def answer(message):\n    return message.splitlines()[-1].replace('user: ', '').replace('Hand', 'Please hand')\n"
)
THINGS = ("report", "invoice", "key", "letter", "form", "plan")
SMALL = {"TUNESMITH_BASELINES_SHOTS": "1", "TUNESMITH_TRAIN_EPOCHS": "1", "TUNESMITH_TRAIN_R": "2"}


def pairs(number: int, start: int = 0) -> list[dict[str, str]]:
    return [
        {
            "rude": f"Hand me the {THINGS[n % 6]} number {n} now",
            "kind": f"Please hand me the {THINGS[n % 6]} number {n} now",
            "slice": f"part {n % 2}",
        }
        for n in range(start, start + number)
    ]


def chats(number: int) -> list[dict[str, object]]:
    """Rows of several turns."""
    return [
        {
            "messages": [
                {"role": "user", "content": f"Hello from desk {n}"},
                {"role": "assistant", "content": "Hello, what is it?"},
                {"role": "user", "content": f"Hand over the {THINGS[n % 6]} of desk {n}"},
                {"role": "assistant", "content": f"Please hand over the {THINGS[n % 6]} of desk {n}"},
            ]
        }
        for n in range(number)
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory, tunesmith_in, sample, tiny_folder) -> Path:
    """A project of pairs and chat rows with 40 eval rows, its eval set sealed; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("generation")
    sample.write_jsonl(folder / "pairs.jsonl", pairs(40))
    sample.write_jsonl(folder / "chats.jsonl", chats(20))
    sample.write_jsonl(folder / "test.jsonl", pairs(40, start=100))
    run = tunesmith_in(folder)
    sources = ("--from", "pairs.jsonl", "--from", "chats.jsonl", "--eval", "test.jsonl")
    columns = ("--input", "rude", "--output", "kind")
    done = run("init", "p", "--family", "generation", *sources, *columns, "--model", tiny_folder)
    assert done.code == 0, done.err
    assert "60 rows, and an eval set of 40 rows" in done.out
    assert "say in a sentence what an answer must be" in done.out
    project = folder / "p"
    (project / "prompts/system.md").write_text(PROMPT)
    settings = (project / "tunesmith.toml").read_text()
    (project / "tunesmith.toml").write_text(settings.replace("max_new_tokens = 256", "max_new_tokens = 40"))
    (project / "rules.py").write_text(RULES)
    for verb in ("check", "split", "seal"):
        done = tunesmith_in(project)(verb)
        assert done.code == 0, done.err
        assert "label" not in done.out
    return project


@pytest.fixture
def project(made, tmp_path) -> Path:
    shutil.copytree(made, tmp_path / "p")
    return tmp_path / "p"


@pytest.fixture(scope="module")
def walked(made, tmp_path_factory, tunesmith_in):
    """The project after `run`, and what `run --json` printed."""
    folder = tmp_path_factory.mktemp("walked") / "p"
    shutil.copytree(made, folder)
    done = tunesmith_in(folder)("run", "--json", **SMALL)
    assert done.code == 3, done.err
    return folder, done


def test_the_settings_are_those_of_the_family(made):
    text = (made / "tunesmith.toml").read_text()
    assert 'family = "generation"' in text
    assert 'which = ["copy", "rules", "prompt", "few-shot", "retrieval"]' in text
    assert 'primary = "chrf"' in text


def test_the_table_holds_the_metrics_of_texts(walked):
    outcome = walked[1].json
    assert [line["name"] for line in outcome["candidates"]] == ["copy", "rules", "prompt", "few-shot", "fine-tune"]
    assert outcome["primary"] == "chrf"
    assert outcome["baseline"] == "rules"
    for line in outcome["candidates"]:
        rates = ["chrf", "bleu", "rouge_l", "exact_match", "similarity", "edit_distance", "meaning", "invalid_rate"]
        assert set(line["metrics"]) == {*METRICS, "latency_p50", "latency_p95"} - {
            "rule_rate",
            "pass_rate",
            "compile_rate",
        }
        for name in rates:
            found = line["metrics"][name]
            assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1
        assert set(line["slices"]) == {"part 0", "part 1"}
        assert line["cost_per_success"] is None
    copied, ruled = (line["metrics"] for line in outcome["candidates"][:2])
    assert ruled["exact_match"]["value"] == 1.0
    assert copied["exact_match"]["value"] == 0.0
    assert 0.5 < copied["chrf"]["value"] < 1
    assert 0.7 < copied["length_ratio"]["value"] < 1


def test_answers_that_reach_the_limit_are_counted_and_never_cut_silently(walked):
    said = walked[1].err
    found = re.search(r"fine-tune gave no valid answer on (\d+) of 40 rows \((\d+) ended by the limit of 40", said)
    assert found, said
    tuned = walked[1].json["candidates"][-1]
    assert tuned["states"]["invalid"] == int(found[1])
    assert "they count as no score" in said


def test_what_does_not_apply_is_left_out_in_words(walked):
    assert "Majority and classical choose among labels, of which this task has none: left out" in walked[1].err


def test_the_verdict_speaks_of_scores(walked):
    outcome = walked[1].json
    assert outcome["verdict"] == "reject"
    assert "reaches chrF " in outcome["reasons"][0]
    assert "Use rules instead, whose chrF is 100.0 %." in outcome["reasons"]
    assert {each["metric"] for each in (*outcome["comparisons"], *outcome["slices"])} == {"chrf"}
    receipt = json.loads((walked[0] / outcome["receipt"]).read_text())
    assert receipt["rules"]["primary"] == "chrf"
    assert {"sacrebleu", "rapidfuzz"} <= set(receipt["versions"])


def test_the_report_shows_answers_beside_what_was_expected(walked, tunesmith_in):
    text = (walked[0] / walked[1].json["report"]).read_text()
    assert '<h2 id="texts">Answers</h2>' in text
    assert "spread evenly from the lowest chrF of" in text
    assert "no sealed row is shown" in text
    assert "Please hand" in text
    for gone in ('id="confusion"', 'id="wrong"', "Accuracy", "Macro-F1", "<dt>labels</dt>", "Per 1,000 right"):
        assert gone not in text
    revealed = tunesmith_in(walked[0])("compare", "--reveal", **SMALL)
    assert "The report shows sealed rows with their answers" in revealed.out
    shown = Path(re.search(r"Report: (\S+)", revealed.out)[1]).read_text()
    assert len(set(re.findall(r"Hand me the \w+ number (1\d\d) now", shown))) == 24


def test_people_rate_answers_in_a_sheet_that_compare_writes_and_reads(walked, tmp_path, tunesmith_in):
    shutil.copytree(walked[0], tmp_path / "p")
    run = tunesmith_in(tmp_path / "p")
    done = run("compare", "--rating-sheet", **SMALL)
    assert "Wrote evals/ratings.csv" in done.out, done.err
    path = tmp_path / "p/evals/ratings.csv"
    with path.open(newline="") as file:
        sheet = list(csv.DictReader(file))
    assert {row["candidate"] for row in sheet} == {"rules", "fine-tune"}
    for row in sheet:
        if row["dimension"] == "tone":
            row |= {"rater": "ann", "rating": "5" if row["candidate"] == "rules" else "2"}
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(sheet[0]))
        writer.writeheader()
        writer.writerows(sheet)
    done = run("compare", "--json", **SMALL)
    [tone] = done.json["ratings"]
    rows = len(sheet) // 10
    assert (tone["dimension"], tone["raters"], tone["ratings"]) == ("tone", 1, 2 * rows)
    assert tone["means"]["rules"]["n"] == rows
    assert "What people said" in Path(done.json["report"]).read_text()
    refused = run("compare", "--rating-sheet", **SMALL)
    assert refused.code == 2
    assert "evals/ratings.csv exists, and may hold ratings" in refused.err


def test_training_validates_by_what_the_model_writes(walked):
    [events] = walked[0].glob(".tunesmith/runs/*-train/events.jsonl")
    looks = [event for event in map(json.loads, events.read_text().splitlines()) if event["event"] == "validation"]
    assert looks
    assert {look["metric"] for look in looks} == {"chrf"}
    assert all(0 <= look["value"] <= 1 for look in looks)


def test_status_ask_and_predict(walked, tunesmith_in, sample):
    run = tunesmith_in(walked[0])
    assert {step["state"] for step in run("status", "--json", **SMALL).json["steps"]} == {"done"}
    asked = run("ask", "Hand me the plan", "--with", "rules", "--with", "copy", **SMALL)
    assert "Please hand me the plan" in asked.out
    assert "uncalibrated" not in asked.out
    sample.write_jsonl(walked[0] / "in.jsonl", [{"rude": "Hand it over"}, *chats(1)])
    done = run("predict", "in.jsonl", "-o", "out.jsonl", "--with", "copy", "--json", **SMALL)
    assert done.code == 0, done.err
    answers = [json.loads(line)["answer"] for line in (walked[0] / "out.jsonl").read_text().splitlines()]
    assert answers == ["Hand it over", "Hand over the report of desk 0"]


def test_several_answers_to_one_input_do_not_stop_the_work(project, tunesmith_in, sample):
    twice = [{"rude": "Go away", "kind": "Please leave"}, {"rude": "Go away", "kind": "Would you leave?"}]
    sample.write_jsonl(project / "data/more.jsonl", twice)
    done = tunesmith_in(project)("check", "--json")
    assert done.code == 0, done.err
    [found] = [each for each in done.json["findings"] if each["check"] == "several-answers"]
    assert found["severity"] == "look"
    assert found["message"].startswith("The same input has 2 different answers: see data/more.jsonl:2.")
    assert tunesmith_in(project)("split").code == 0
    parts = [(project / f"data/split/{part}.jsonl").read_text() for part in ("train", "validation")]
    assert sorted(part.count("Go away") for part in parts) == [0, 2]


def test_an_expected_answer_beyond_the_limit_is_found(project, tunesmith_in, sample):
    sample.write_jsonl(project / "data/more.jsonl", [{"rude": "Say more", "kind": "more " * 60}])
    done = tunesmith_in(project)("check")
    assert done.code == 2
    assert "more than [model] max_new_tokens = 40: no model could give it" in done.out


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["task.labels=a,b"], "a generation task has no labels, its answers are free text"),
        (["rules.primary=accuracy"], "'accuracy' is no primary metric of generation"),
        (["task.family=classification"], "'chrf' is no primary metric of classification"),
        (["model.max_new_tokens=2048"], "leaves no room for a prompt in max_tokens = 2048"),
        (["baselines.which=majority"], "There is no baseline to make: majority and classical choose among labels"),
    ],
)
def test_settings_of_another_family_are_refused(project, tunesmith_in, settings, said):
    done = tunesmith_in(project)("baseline", *(word for each in settings for word in ("--set", each)))
    assert done.code == 2
    assert said in done.err


def test_an_empty_project_and_one_without_settings(tmp_path, tunesmith):
    assert tunesmith("init", "q", "--family", "generation").code == 0
    assert "The answer is …" in (tmp_path / "q/prompts/system.md").read_text()
    (tmp_path / "q/tunesmith.toml").write_text('[task]\nfamily = "generation"\n')
    assert tunesmith("status", "-C", "q").code == 0


def test_a_model_that_a_provider_trains_stands_in_the_same_table(project, provider, tunesmith_in):
    settings = project / "tunesmith.toml"
    text = re.sub(r"(?m)^base = .*$", f'base = "lab:{BASE}"', settings.read_text())
    server = f'\n[providers.lab]\nbase_url = "{provider.address}"\napi_key_env = "LAB_KEY"\n'
    settings.write_text(text + server)
    light = {"TUNESMITH_BASELINES_WHICH": "majority,copy,prompt"}
    done = tunesmith_in(project)("run", "--json", **light)
    assert done.code == 3, done.err
    assert [line["name"] for line in done.json["candidates"]] == ["copy", "prompt", "fine-tune"]
    assert done.json["baseline"] == "copy"
    assert "Majority and classical choose among labels" in done.err
    [body] = provider.bodies["POST /fine_tuning/jobs"]
    rows = [json.loads(line) for line in provider.contents[body["training_file"]].splitlines()]
    assert {row["messages"][0]["content"] for row in rows} == {PROMPT}
    assert all(row["messages"][-1]["content"].startswith("Please hand") for row in rows)


def test_pairs_of_answers_teach_free_text(project, tunesmith_in, sample):
    (project / "pairs").mkdir()
    rows = [{"prompt": each["rude"], "chosen": each["kind"], "rejected": each["rude"]} for each in pairs(30)]
    sample.write_jsonl(project / "pairs/a.jsonl", rows)
    recipe = ("train.objective=dpo", "train.preferences=pairs/a.jsonl", "train.batch_size=8")
    done = tunesmith_in(project)("train", *(word for each in recipe for word in ("--set", each)), **SMALL)
    assert done.code == 0, done.err
    assert "validation chrF " in done.out
    assert "of the pairs held out the right way round" in done.out


def test_a_fine_tune_that_writes_is_asked_for_other_styles(walked, tmp_path, tunesmith_in):
    project = tmp_path / "p"
    shutil.copytree(walked[0], project)
    done = tunesmith_in(project)("diagnose", "--json", **SMALL)
    assert done.code in (0, 3), done.err
    found = {each["figure"]: each for each in done.json["diagnosis"]["probed"]}
    style = found["style asked for, under the task"]
    assert style["probe"] == "forgetting"
    assert style["harm"]["n"] == 60  # all of the rows
    assert set(style["parts"]) == {"capital letters", "quotation marks", "last words"}
    assert found["answers ended by heart"]["note"] == "answers are too short to be begun"
    assert found["taken for a row that they resemble"]["note"] == "only a label is the same or another"

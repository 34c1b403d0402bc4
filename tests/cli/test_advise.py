"""`tunesmith advise` and `tunesmith next` as a user types them."""

import csv
import json
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
from hosted_server import BASE
from stand_in import stand_in
from terminal import on_terminal

LIGHT = {"TUNESMITH_BASELINES_WHICH": "majority,classical,rules", "TUNESMITH_RULES_TARGET": "0.6"}
WORSE = """
def answer(message: str) -> str:
    return "billing" if "invoice" in message or "charge" in message else "bug"
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory, tunesmith_in, sample) -> Path:
    """A project with a classical model that is right, and rules that are worse; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("measured")
    sample.write_csv(folder / "messages.csv", sample.rows(160))
    run = tunesmith_in(folder)
    assert run("init", "p", "--from", "messages.csv", "--input", "text", "--label", "category").code == 0
    (folder / "p" / "rules.py").write_text(WORSE)
    for verb in ("split", "seal", "baseline"):
        done = run(verb, "-C", "p", **LIGHT)
        assert done.code == 0, done.err
    return folder / "p"


def test_a_project_whose_classical_model_meets_the_target_is_told_to_keep_it(measured, tunesmith_in):
    run = tunesmith_in(measured)
    before = (measured / "evals/eval.lock").read_text()
    done = run("advise", "--json", **LIGHT)
    assert done.code == 0, done.err
    found = done.json
    assert (found["advice"]["outcome"], found["advice"]["candidate"]) == ("what there is", "classical")
    assert found["advice"]["reasons"][0]["figure"].startswith("100.0 %")
    assert found["next"] == "tunesmith predict messages.csv -o answers.csv --with classical"
    assert [point["rows"] for point in found["evidence"]["curve"]["points"]] == [38, 96, 192, 385]
    assert {each["name"] for each in found["evidence"]["baselines"]} == {"majority", "rules", "classical"}
    assert (measured / "evals/eval.lock").read_text() == before  # no look is spent
    assert "fine-tun" not in json.dumps(found["advice"]["besides"])

    words = run("advise", **LIGHT)
    assert "Advice: WHAT THERE IS" in words.out
    assert "Learning curve" in words.out
    assert "Learning curve" not in words.err  # measured once
    assert words.out.rstrip().endswith(f"Next: {found['next']}")


def test_a_target_that_nothing_reaches_asks_for_the_prompt_first(measured, tunesmith_in):
    done = tunesmith_in(measured)("advise", "--json", "--no-measure", "--set", "rules.target=1.0", **LIGHT)
    assert done.code == 0, done.err
    assert done.json["advice"]["outcome"] == "baselines first"
    assert done.json["advice"]["meets"] is False
    assert done.json["next"] == "tunesmith baseline  # once [baselines] which names prompt"


def test_what_cannot_be_measured_here_is_said_and_tried_again(measured, tunesmith_in, tmp_path):
    project = shutil.copytree(measured, tmp_path / "p")
    (project / ".tunesmith/advice.json").unlink(missing_ok=True)
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/scipy.py").write_text("raise ImportError(\"No module named 'scipy'\")\n")
    path = os.pathsep.join([str(tmp_path / "hidden"), os.environ.get("PYTHONPATH", "")])
    run = tunesmith_in(project)
    without = run("advise", "--json", **LIGHT, PYTHONPATH=path)
    assert without.code == 0, without.err
    assert without.json["advice"]["outcome"] == "what there is"
    assert without.json["evidence"]["curve"] is None
    assert "The learning curve could not be measured: " in " ".join(without.err.split())
    assert run("advise", "--json", **LIGHT).json["evidence"]["curve"] is not None


def test_answers_that_were_recorded_are_kept_and_not_asked(measured, tunesmith_in, sample, tmp_path):
    project = shutil.copytree(measured, tmp_path / "p")
    rows = [{"text": row["text"], "answer": row["category"]} for row in sample.rows(160)]
    sample.write_csv(project / "people.csv", rows)
    settings = {"TUNESMITH_BASELINES_WHICH": "majority", "TUNESMITH_BASELINES_RECORDED": '{people = "people.csv"}'}
    settings["TUNESMITH_RULES_TARGET"] = "0.6"
    run = tunesmith_in(project)
    done = run("baseline", **settings)
    assert done.code == 0, done.err
    found = run("advise", "--json", "--no-measure", **settings).json
    assert (found["advice"]["meets"], found["advice"]["candidate"]) == (True, "people")
    assert found["next"] == "tunesmith status"


def test_a_provider_is_not_asked_for_advice_and_its_requests_are_said(tmp_path, tunesmith_in, sample, provider):
    """The prompt baseline was asked at a provider; [model] base names another model by now."""
    sample.write_csv(tmp_path / "messages.csv", sample.rows(100))
    sample.write_jsonl(tmp_path / "requests.jsonl", [{"text": row["text"]} for row in sample.rows(4, start=900)])
    columns = ("--input", "text", "--label", "category", "--model", f"lab:{BASE}")
    assert tunesmith_in(tmp_path)("init", "p", "--from", "messages.csv", *columns).code == 0
    project = tmp_path / "p"
    with (project / "tunesmith.toml").open("a") as file:
        file.write(f'\n[providers.lab]\nbase_url = "{provider.address}"\napi_key_env = "LAB_KEY"\n')
    (project / "rules.py").write_text(WORSE)
    run, which = tunesmith_in(project), {"TUNESMITH_BASELINES_WHICH": "prompt,rules"}
    for verb in ("split", "seal", "baseline"):
        done = run(verb, **which)
        assert done.code == 0, done.err
    asked = provider.requests["POST /chat/completions"]
    assert asked > 20
    done = run("advise", "--json", **which, TUNESMITH_MODEL_BASE="smollm2-135m-instruct")
    assert done.code == 0, done.err
    assert provider.requests["POST /chat/completions"] == asked

    chosen = run("next", "--pool", tmp_path / "requests.jsonl", **which)
    assert chosen.code == 0, chosen.err
    assert "prompt sends lab up to 12 requests" in " ".join(chosen.out.split())


def test_the_questions_stand_in_for_rows(tmp_path, tunesmith):
    asked = tunesmith("advise", "--json")
    assert asked.code == 0, asked.err
    assert asked.json["advice"] is None
    keys = [question["key"] for question in asked.json["questions"]]
    assert {"decides", "facts_change", "examples"} <= set(keys)

    (tmp_path / "answers.json").write_text(json.dumps({"decides": "documents", "documents": True}))
    answered = tunesmith("advise", "--json", "--answers", "answers.json", "--answer", "volume=9000")
    assert answered.json["advice"]["outcome"] == "retrieval"
    assert answered.json["evidence"]["said"]["volume"] == 9000
    assert len(answered.json["questions"]) == len(keys) - 3

    for words in (("--answer", "decides=music"), ("--answer", "decides"), ("--answers", "none.json")):
        assert tunesmith("advise", *words).code == 2, words
    assert tunesmith("advise", "--models", "--answer", "volume=3").code == 2
    assert tunesmith("advise", "-C", "nowhere").code == 2


def test_an_empty_project_asks_and_one_with_rows_names_what_to_measure(tmp_path, tunesmith, project):
    assert tunesmith("init", "empty").code == 0
    empty = tunesmith("advise", "--json", "-C", "empty", "--answer", "decides=rules")
    assert empty.json["advice"]["outcome"] == "plain code"
    unmeasured = tunesmith("advise", "--json", "-C", "tickets")
    assert unmeasured.code == 0, unmeasured.err
    assert unmeasured.json["advice"]["outcome"] == "baselines first"
    assert unmeasured.json["next"] == "tunesmith check -C tickets"
    assert unmeasured.json["questions"] == []


def test_on_a_terminal_the_questions_are_asked(tmp_path):
    out = on_terminal(tmp_path, "7\n1\n\n\n800\n60000\ny\ny\ny\nn\n", "advise")  # the first is asked again
    assert "expected one of message, documents, reasoning, rules" in out
    assert "Advice: FINE-TUNING" in out


def test_facts_of_documents_speak_for_retrieval(tmp_path, tunesmith, sample):
    facts = [
        "the warehouse closes friday evening",
        "parcels leave through the southern gate",
        "returns need printed labels",
    ]
    rows = [
        {"input": f"Question {number} about place {number % 3}?", "output": f"{facts[number % 3]} always {number}"}
        for number in range(60)
    ]
    sample.write_jsonl(tmp_path / "pairs.jsonl", rows)
    assert tunesmith("init", "p", "--family", "generation", "--from", "pairs.jsonl").code == 0
    (tmp_path / "p/docs").mkdir()
    (tmp_path / "p/docs/handbook.md").write_text("\n\n".join(f"# {place}\n{fact}." for place, fact in enumerate(facts)))
    done = tunesmith("advise", "--json", "-C", "p")
    assert done.code == 0, done.err
    assert done.json["advice"]["outcome"] == "retrieval"
    assert done.json["evidence"]["grounded"]["count"] == 60
    (tmp_path / "p/docs/handbook.md").write_text("Something else altogether stands here, of other matters.")
    assert tunesmith("advise", "--json", "-C", "p").json["advice"]["outcome"] == "more data first"


def test_models_are_ranked_with_their_licences(tmp_path, tunesmith):
    done = tunesmith("advise", "--models", "--json")
    assert done.code == 0, done.err
    assert {each["licence"]["commercial"] for each in done.json["models"]} == {"yes", "yes, with terms", "no"}
    assert all(each["licence"]["source"] for each in done.json["models"])
    words = tunesmith("advise", "--models")
    assert "Llama 3.2 Community License" in words.out
    assert max(map(len, words.out.split("…")[0].splitlines())) <= 80


def test_next_names_requests_on_which_the_candidates_differ(measured, tunesmith_in, sample, tmp_path):
    run = tunesmith_in(measured)
    pool = [{"text": row["text"], "ticket": number} for number, row in enumerate(sample.rows(30, start=900))]
    known = sample.rows(1)[0]["text"]
    sample.write_jsonl(tmp_path / "requests.jsonl", [*pool, {"text": known, "ticket": -1}, pool[0]])
    label = tmp_path / "label.csv"
    done = run("next", "--json", "--pool", tmp_path / "requests.jsonl", "-o", label, **LIGHT)
    assert done.code == 0, done.err
    found = done.json
    assert found["candidates"] == ["classical", "rules"]
    assert (found["asked"], found["passed"], len(found["rows"])) == (90, 2, 20)
    assert found["differ"] >= 20
    assert all("“bug”" in each["why"] or "“billing”" in each["why"] for each in found["rows"])
    assert len({each["text"] for each in found["rows"]}) == 20
    with label.open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["text"] for row in written] == [each["text"] for each in found["rows"]]
    assert {row["category"] for row in written} == {""}
    assert all(row["ticket"] and row["why"] for row in written)
    again = run("next", "--pool", tmp_path / "requests.jsonl", "-o", label, **LIGHT)
    assert again.code == 2
    assert "may hold labels" in again.err


def test_rows_to_label_stand_as_they_came_or_are_refused_before_anything_is_asked(
    measured, tunesmith_in, sample, tmp_path
):
    run, label = tunesmith_in(measured), tmp_path / "label.csv"
    chats = [
        {"messages": [{"role": "user", "content": row["text"]}], "seen": {"by": "ß"}}
        for row in sample.rows(10, start=900)
    ]
    sample.write_jsonl(tmp_path / "chats.jsonl", chats)
    done = run("next", "--json", "--pool", tmp_path / "chats.jsonl", "-o", label, **LIGHT)
    assert done.code == 0, done.err
    with label.open(newline="") as file:
        written = list(csv.DictReader(file))
    assert written
    assert all({key: json.loads(row[key]) for key in ("messages", "seen")} in chats for row in written)

    sample.write_jsonl(tmp_path / "own.jsonl", [{"text": "Where is my invoice?", "why": "a customer asked"}])
    (tmp_path / "half.ndjson").write_text('{"text": "Where is it \\ud800?"}\n')
    for pool, said in (("own.jsonl", "a column 'why' already"), ("half.ndjson", "half.ndjson:1: half of a surrogate")):
        refused = run("next", "--pool", tmp_path / pool, "-o", tmp_path / "other.csv", **LIGHT)
        assert refused.code == 2
        assert said in " ".join(refused.err.split())
    assert not (tmp_path / "other.csv").exists()


def test_a_pool_is_drawn_from_without_being_held(measured, tunesmith_in, sample, tmp_path):
    rows = [{"text": f"{row['text']} {number}"} for number in range(8) for row in sample.rows(50, start=900)]
    sample.write_jsonl(tmp_path / "many.jsonl", [*rows, {"text": 3}, rows[0]])
    done = tunesmith_in(measured)("next", "--json", "--pool", tmp_path / "many.jsonl", **LIGHT)
    assert done.code == 0, done.err
    assert (done.json["asked"], done.json["passed"]) == (1_000, 1)
    places = {int(each["origin"].rpartition(":")[2]) for each in done.json["rows"]}
    assert max(places) > 1_000
    sample.write_jsonl(tmp_path / "none.jsonl", [{"text": 3}, {"text": ""}])
    none = tunesmith_in(measured)("next", "--pool", tmp_path / "none.jsonl", **LIGHT)
    assert none.code == 2
    assert "none.jsonl:1: the column 'text' holds 3" in " ".join(none.err.split())


def test_next_without_a_pool_shows_validation_rows_in_doubt(measured, tunesmith_in):
    done = tunesmith_in(measured)("next", "--json", **LIGHT)
    assert done.code == 0, done.err
    assert done.json["asked"] == 0
    split = (measured / "data/split/validation.jsonl").read_text()
    assert all(json.dumps(each["text"]) in split for each in done.json["rows"])


def test_next_says_what_is_missing(tmp_path, tunesmith, project):
    unsplit = tunesmith("next", "-C", "tickets")
    assert unsplit.code == 2
    assert "There is no split yet" in unsplit.err
    assert tunesmith("split", "-C", "tickets").code == 0
    (tmp_path / "requests.txt").write_text("where is it\n")
    alone = tunesmith("next", "-C", "tickets", "--pool", "requests.txt")
    assert alone.code == 2
    assert "Two candidates" in alone.err


def test_answers_of_a_model_are_asked_again_and_the_receipt_states_its_licence(
    project, tunesmith, tmp_path, tiny_folder
):
    """Rules stand in for the fine-tune; the prompt baseline answers with a model of a folder of its own."""
    model = shutil.copytree(tiny_folder, tmp_path / "model")
    (model / "README.md").write_text("---\nlicense: other\nlicense_name: house-licence\n---\n# A model\n")
    light = {"TUNESMITH_BASELINES_WHICH": "majority,prompt", "TUNESMITH_MODEL_BASE": str(model)}
    for verb in ("split", "seal", "baseline"):
        done = tunesmith(verb, cwd=project, **light)
        assert done.code == 0, done.err
    steady = tunesmith("advise", "--json", cwd=project, **light)
    assert steady.code == 0, steady.err
    changed = steady.json["evidence"]["changed"]
    assert changed["what"] == "prompt"
    assert 0 <= changed["count"] <= changed["of"] <= 40
    assert changed["of"] >= 20

    with pytest.MonkeyPatch.context() as patch:
        for name, value in light.items():
            patch.setenv(name, value)
        stand_in(project, tmp_path)
    done = tunesmith("compare", "--json", cwd=project, **light)
    assert done.code in (0, 3), done.err
    receipt = json.loads((project / done.json["receipt"]).read_text())
    assert receipt["licences"] == {
        "prompt": {
            "model": str(model),
            "licence": "house-licence",
            "commercial": "not known",
            "terms": "",
            "source": "its README.md",
        }
    }
    assert tunesmith("verify", cwd=project, **light).code == 0


def test_the_commands_of_the_page_do_what_it_says(tunesmith):
    page = (Path(__file__).parents[2] / "docs/advice.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(tunesmith .+?)\n```$", page, flags=re.MULTILINE | re.DOTALL)
    assert blocks
    for line in "\n".join(blocks).splitlines():
        done = tunesmith(*shlex.split(line)[1:])
        assert done.code == 0, done.err
        assert "Advice: RETRIEVAL" in done.out

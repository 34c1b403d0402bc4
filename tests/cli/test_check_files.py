"""check FILE …: files that lie anywhere, with a project's settings or without a project."""

import json

import pytest

TEXT = "Could you please tell me how I can track the card that you sent me"


def rows_of(number: int = 12) -> list[dict[str, str]]:
    words = ("invoice", "password", "crash")
    return [{"input": f"The {words[n % 3]} number {n} is wrong", "output": "abc"[n % 3]} for n in range(number)]


def checks(done) -> list[tuple[str, str, int]]:
    return [(each["severity"], each["check"], each["line"]) for each in done.json["findings"]]


def test_a_file_is_checked_without_a_project(tmp_path, tunesmith, sample):
    sample.write_jsonl(tmp_path / "a.jsonl", [*rows_of(), {"input": "the crash number 2 is wrong!", "output": "a"}])
    done = tunesmith("check", "a.jsonl", "--json")
    assert done.code == 2
    assert done.json["family"] == "classification"
    assert ("stop", "contradiction", 3) in checks(done)
    assert done.json["counts"]["stop"] == 1
    assert "Outputs are taken as labels" in done.err
    free = tunesmith("check", "a.jsonl", "--family", "generation", "--json")
    assert free.code == 0
    assert ("look", "several-answers", 3) in checks(free)


@pytest.mark.parametrize("layout", ["csv", "messages", "prompt"])
def test_the_known_layouts_need_no_settings(layout, tmp_path, tunesmith, sample):
    content = rows_of()
    if layout == "csv":
        path = sample.write_csv(tmp_path / "a.csv", content)
    elif layout == "prompt":
        pairs = [{"prompt": row["input"], "completion": row["output"]} for row in content]
        path = sample.write_jsonl(tmp_path / "a.jsonl", pairs)
    else:
        roles = ("system", "user", "assistant")
        said = [(f"Prompt {number}", row["input"], row["output"]) for number, row in enumerate(content)]
        turns = [[{"role": r, "content": c} for r, c in zip(roles, texts, strict=True)] for texts in said]
        path = sample.write_jsonl(tmp_path / "a.jsonl", [{"messages": each} for each in turns])
    done = tunesmith("check", path, "--json")
    assert (done.code, done.json["counts"]["rows"], done.json["family"]) == (0, 12, "classification")
    assert [check for _, check, line in checks(done) if line] == ["few-rows"]


def test_leaks_are_looked_for_against_an_eval_file(tmp_path, tunesmith, sample):
    sample.write_csv(tmp_path / "test.csv", [{"text": TEXT, "category": "a"}, {"text": "Another", "category": "b"}])
    train = [TEXT.upper(), TEXT + " now", TEXT.replace("track", "photograph"), "new"]
    sample.write_csv(tmp_path / "more.csv", [{"text": text, "category": "a"} for text in train[:1]])
    sample.write_csv(tmp_path / "train.csv", [{"text": text, "category": "a"} for text in train[1:]])
    columns = ("--input", "text", "--label", "category", "--family", "classification")
    done = tunesmith("check", "train.csv", "more.csv", "--eval", "test.csv", *columns, "--json")
    found = {(e["file"], e["line"]): (e["check"], e["related"]) for e in done.json["findings"] if "leak" in e["check"]}
    assert found == {
        ("more.csv", 2): ("leak", ["test.csv:2"]),
        ("train.csv", 2): ("near-leak", ["test.csv:2"]),
        ("train.csv", 3): ("one-word-leak", ["test.csv:2"]),
    }
    assert (done.code, done.json["counts"]["eval_rows"]) == (0, 2)


def test_in_a_project_files_take_the_place_of_its_sources(project, tunesmith, sample):
    sample.write_csv(project / "new.csv", [{"text": "", "category": "bug"}, {"text": "hello", "category": "bug"}])
    done = tunesmith("check", "new.csv", "--json", cwd=project)
    assert (done.code, done.json["counts"]["rows"]) == (2, 1)
    assert ("stop", "empty", 2) in checks(done)
    assert tunesmith("check", "--json", cwd=project).json["counts"]["rows"] == 240


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.jsonl"], "none.jsonl does not exist. Check the name of the file."),
        (["b.csv"], "Missing columns 'input' and 'output'. Columns found: 'text', 'category'. Name them with --input"),
        (["a.jsonl", "a.jsonl"], "a.jsonl is named twice"),
        (["a.jsonl", "--eval", "a.jsonl"], "named as a file and as the eval set"),
        (["a.jsonl", "--set-aside"], "leave FILEs out"),
        (["a.jsonl", "--family", "clasification"], "did you mean 'classification'?"),
        (["--eval", "a.jsonl"], "it says how to read FILEs"),
        (["a.jsonl", "-C", "."], "holds no tunesmith.toml"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(arguments, said, tmp_path, tunesmith, sample):
    sample.write_jsonl(tmp_path / "a.jsonl", rows_of())
    sample.write_csv(tmp_path / "b.csv", [{"text": "hello", "category": "bug"}])
    done = tunesmith("check", *arguments)
    assert done.code == 2
    assert said in done.err


def test_split_and_train_know_near_leaks(project, tunesmith, sample):
    (project / "evals").mkdir()
    sample.write_jsonl(project / "evals/eval.jsonl", [*sample.rows(10, start=500), {"text": TEXT, "category": "bug"}])
    with (project / "data/messages.csv").open("a", encoding="utf-8") as file:
        file.write(f'"{TEXT} now","bug"\n')
    assert tunesmith("split", "--json", cwd=project).json["left_out"] == {"near": 1}
    left = [json.loads(line) for line in (project / "data/split/left-out.jsonl").read_text().splitlines()]
    assert [(row["reason"], row["of"]) for row in left] == [("near", "evals/eval.jsonl:31")]
    assert tunesmith("seal", cwd=project).code == 0
    train = project / "data/split/train.jsonl"
    turns = [{"role": "user", "content": f"So {TEXT}"}, {"role": "assistant", "content": "bug"}]
    train.write_text(train.read_text() + json.dumps({"messages": turns}) + "\n")
    refused = tunesmith("train", cwd=project)
    assert refused.code == 2
    assert "is nearly the same as a row of the eval set: evals/eval.jsonl:31" in refused.err


def test_meaning_is_compared_where_it_is_asked_for(tmp_path, tunesmith, sample):
    content = [
        {"input": "Where is the nearest Mastercard ATM?", "output": "atm"},
        {"input": "My PIN isn't working.", "output": "pin"},
    ]
    sample.write_jsonl(tmp_path / "a.jsonl", content)
    sample.write_jsonl(tmp_path / "e.jsonl", [{"input": "Where is the closest Mastercard ATM?", "output": "atm"}])
    words = ("check", "a.jsonl", "--eval", "e.jsonl", "--json")
    assert not [check for _, check, line in checks(tunesmith(*words)) if line]
    done = tunesmith(*words, "--meaning")
    [leak] = [each for each in done.json["findings"] if each["line"]]
    assert (leak["severity"], leak["check"], leak["line"]) == ("look", "meaning-leak", 1)
    assert leak["related"] == ["e.jsonl:1"]


def test_the_label_that_is_surest_wrong_is_named_first(tmp_path, tunesmith, sample):
    content = sample.rows(30)
    content[3] |= {"category": "bug"}  # a message about billing
    sample.write_csv(tmp_path / "a.csv", content)
    done = tunesmith("check", "a.csv", "--input", "text", "--label", "category", "--meaning", "--json")
    assert done.code == 0, done.err
    faults = [each for each in done.json["findings"] if each["check"] == "label-fault"]
    [first] = [each for each in faults if "Number 1 of" in each["message"]]
    assert (first["severity"], first["line"], first["field"]) == ("look", 5, "output")
    assert "'bug' is probably wrong: rows that mean the same say 'billing'" in first["message"]

"""import and export, from outside."""

import json
from pathlib import Path

import pytest

from tunesmith.data.containers import writing

ALPACA = [{"instruction": f"Sort message {n}", "input": "", "output": "billing" if n % 2 else "bug"} for n in range(40)]


def read_rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_without_a_project(tmp_path, tunesmith):
    (tmp_path / "old.json").write_text(json.dumps(ALPACA, indent=1))
    done = tunesmith("import", "old.json")
    assert done.code == 0, done.err
    assert "a JSON array; layout alpaca" in done.out
    assert "Wrote 40 of 40 rows to old.jsonl" in done.out
    assert done.out.rstrip().endswith("Next: tunesmith init NAME --from old.jsonl")
    first = read_rows(tmp_path / "old.jsonl")[0]
    assert first["messages"][0] == {"role": "user", "content": "Sort message 0"}
    assert first["origin"] == "old.json:2"
    again = tunesmith("import", "old.json")
    assert again.code == 2
    assert "exists already" in again.err
    assert tunesmith("import", "old.json", "--overwrite").code == 0
    back = tunesmith("export", "--data", "old.jsonl", "--layout", "alpaca", "-o", "new.json", "--json")
    assert back.json["left_out"] == {"origin": 40}
    assert json.loads((tmp_path / "new.json").read_text()) == ALPACA


def test_rows_that_do_not_fit_stop_the_import_unless_they_are_skipped(tmp_path, tunesmith):
    rows = [*ALPACA[:3], {"instruction": "x"}, {"instruction": "y", "output": 7}]
    (tmp_path / "old.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + "not JSON\n")
    done = tunesmith("import", "old.jsonl", "-o", "new.jsonl", "--json")
    assert done.code == 2
    assert done.json["counts"] == {
        "rows": 3,
        "requests": 0,
        "broken": 3,
        "passed_over": {},
        "by_check": {"columns": 1, "type": 1, "prose": 1},
    }
    assert [(each["file"], each["line"]) for each in done.json["findings"]] == [("old.jsonl", n) for n in (4, 5, 6)]
    assert done.json["output"] is None
    assert not (tmp_path / "new.jsonl").exists()
    done = tunesmith("import", "old.jsonl", "-o", "new.jsonl", "--skip-broken")
    assert done.code == 0
    assert "Wrote 3 of 6 rows to new.jsonl; 3 rows did not fit" in done.out
    assert len(read_rows(tmp_path / "new.jsonl")) == 3


@pytest.mark.parametrize("suffix", ["tsv", "xlsx", "parquet"])
def test_a_project_reads_tables_of_every_kind(tmp_path, tunesmith, sample, suffix):
    writing.write(tmp_path / f"m.{suffix}", sample.rows(20), "table")
    made = tunesmith("init", "p", "--from", f"m.{suffix}", "--input", "text", "--label", "category")
    assert made.code == 0, made.err
    assert tunesmith("check", cwd=tmp_path / "p").code == 0
    assert tunesmith("split", "--json", cwd=tmp_path / "p").json["train"] > 30
    first = read_rows(tmp_path / "p" / "data" / "split" / "train.jsonl")[0]
    assert first["origin"].startswith(f"data/m.{suffix}:")
    assert tunesmith("status", "--json", cwd=tmp_path / "p").json["steps"][1]["state"] == "done"


def test_nothing_changes_the_bytes_of_a_packed_file(tmp_path, tunesmith, sample):
    rows = sample.rows(20)
    rows[5] = rows[5] | {"category": ""}
    writing.write(tmp_path / "m.parquet", rows, "table")
    assert tunesmith("init", "p", "--from", "m.parquet", "--input", "text", "--label", "category").code == 0
    before = (tmp_path / "p" / "data" / "m.parquet").read_bytes()
    done = tunesmith("check", "--set-aside", cwd=tmp_path / "p")
    assert done.code == 2
    assert "cannot be taken out one by one" in done.err
    forgotten = tunesmith("forget", "--id", "data/m.parquet:2", "--yes", cwd=tmp_path / "p")
    assert forgotten.code == 2
    assert "cannot be taken out one by one" in forgotten.err
    fixed = tunesmith("check", "--fix", "--json", cwd=tmp_path / "p")
    assert fixed.code == 0, fixed.err
    assert (fixed.json["copies"], fixed.json["packed"]) == ({}, ["data/m.parquet"])
    checks = {each["check"] for each in tunesmith("check", "--json", cwd=tmp_path / "p").json["findings"]}
    assert not checks & {"line-ends", "blank-line", "byte-order-mark"}, "its bytes are no lines"
    assert (tmp_path / "p" / "data" / "m.parquet").read_bytes() == before
    writing.write(tmp_path / "m.tsv", rows, "table")
    assert tunesmith("init", "q", "--from", "m.tsv", "--input", "text", "--label", "category").code == 0
    moved = tunesmith("check", "--set-aside", "--json", cwd=tmp_path / "q")
    assert (moved.code, moved.json["counts"]["set_aside"]) == (0, 1)


def test_where_a_row_came_from_stays_with_it(project, tunesmith, sample):
    rows = [{"instruction": row["text"], "output": row["category"]} for row in sample.rows(4, start=900)]
    (project / "more.json").write_text(json.dumps(rows))
    done = tunesmith("import", "more.json", cwd=project)
    assert done.code == 0, done.err
    assert done.out.rstrip().endswith("Next: tunesmith check")
    assert (project / "data" / "more.jsonl").exists()
    assert tunesmith("split", cwd=project).code == 0
    parts = [
        read_rows(project / name)
        for name in ("data/split/train.jsonl", "data/split/validation.jsonl", "evals/eval.jsonl")
    ]
    imported = [row for part in parts for row in part if row["origin"].startswith("data/more.jsonl")]
    assert len(imported) == 12
    assert {row["source"] for row in imported} == {"more.json:1"}
    tunesmith("seal", cwd=project)
    assert tunesmith("split", "--json", cwd=project).json["left_out"] == {"eval": len(parts[2])}


def test_a_group_and_a_time_stay_with_a_row_whatever_their_columns_are_called(project, tunesmith, sample):
    rows = [
        row | {"who": f"c-{n % 3}", "when": f"2026-03-{n + 1:02}"} for n, row in enumerate(sample.rows(4, start=900))
    ]
    sample.write_csv(project / "more.csv", rows)
    columns = ("--input", "text", "--label", "category", "--group", "who")
    assert tunesmith("import", "more.csv", *columns, cwd=project).code == 0
    names = ("--set", "data.group=who", "--set", "data.time=when", "--set", "data.files=data/more.jsonl")
    done = tunesmith("split", *names, cwd=project)
    assert done.code == 0, done.err
    parts = ("data/split/train.jsonl", "data/split/validation.jsonl", "evals/eval.jsonl")
    kept = [{row["group"] for row in read_rows(project / part)} for part in parts]
    assert sorted(len(groups) for groups in kept) == [1, 1, 1], "a group is in one part"
    assert set.union(*kept) == {"c-0", "c-1", "c-2"}


def test_import_never_writes_over_what_the_project_keeps(project, tunesmith, sample):
    sample.write_csv(project / "reviews.csv", sample.rows(2))
    for target in ((), ("-o", "data/reviews.jsonl", "--overwrite"), ("-o", "data/made.jsonl")):
        done = tunesmith("import", "reviews.csv", "--input", "text", "--label", "category", *target, cwd=project)
        assert done.code == 2
        assert "Name another file with -o." in done.err


def test_init_reads_a_layout_whose_columns_look_like_a_tables(tmp_path, tunesmith):
    """The instruction of Alpaca's rows belongs to what is asked."""
    rows = [{"instruction": f"Sort {n}", "input": f"message {n}", "output": "abc"[n % 3]} for n in range(30)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = tunesmith("init", "p", "--from", "a.jsonl")
    assert done.code == 0, done.err
    assert "in the layout alpaca: 30 rows" in done.out
    assert read_rows(tmp_path / "p/data/a.jsonl")[0]["messages"][0]["content"] == "Sort 0\n\nmessage 0"


def test_export_knows_the_columns_of_the_projects_own_sources(project, tunesmith, sample):
    done = tunesmith("export", "--data", "data/messages.csv", "--layout", "openai", "-o", "out.jsonl", cwd=project)
    assert done.code == 0, done.err
    assert read_rows(project / "out.jsonl")[0]["messages"][-1]["content"] in sample.labels


def test_init_takes_what_import_reads(tmp_path, tunesmith):
    (tmp_path / "old.json").write_text(json.dumps(ALPACA))
    done = tunesmith("init", "p", "--from", "old.json")
    assert done.code == 0, done.err
    assert "in the layout alpaca: 40 rows" in done.out
    assert tunesmith("check", "--json", cwd=tmp_path / "p").json["counts"]["rows"] == 40
    (tmp_path / "bad.json").write_text(json.dumps([*ALPACA, {"instruction": 1, "output": "x"}]))
    done = tunesmith("init", "q", "--from", "bad.json")
    assert done.code == 2
    assert "bad.json:1: 'instruction' is a number" in done.err
    assert not (tmp_path / "q").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("import", "gone.json"), "does not exist"),
        (("import", "m.csv", "--layout", "alpacca"), "did you mean 'alpaca'"),
        (("import", "m.csv", "-o", "m.txt"), "ends in .jsonl"),
        (("import", "m.jsonl", "-o", "m.jsonl"), "is what is imported"),
        (("import", "m.csv", "--split", "train"), "one file, which has no parts"),
        (("export", "--data", "m.jsonl", "--layout", "openai", "-o", "m.yaml"), "YAML is for the layout promptfoo"),
        (("export", "--data", "m.jsonl", "--layout", "openai", "-o", "m.csv"), "exists already"),
        (("export", "--data", "m.jsonl", "--layout", "openai", "-o", "m.doc"), "expected a file that ends in"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, tunesmith, arguments, says):
    (tmp_path / "m.csv").write_text("text,label\na,b\n")
    (tmp_path / "m.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    done = tunesmith(*arguments)
    assert done.code == 2
    assert says in done.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_names_that_break_things(tmp_path, tunesmith):
    for number, name in enumerate(("$(touch x)", "a;b", "ä 👍", "--help", "a\nb", "%s", "'\"`")):
        (tmp_path / f"{name}.csv").write_text("text,label,slice\na,b,c\n")
        done = tunesmith("import", "-o", f"{number}.jsonl", "--", f"{name}.csv")
        assert done.code == 0, done.err
        assert read_rows(tmp_path / f"{number}.jsonl")[0]["origin"] == f"{name}.csv:2"
    assert not (tmp_path / "x").exists()

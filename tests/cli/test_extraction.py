"""A project whose answers are records: from its rows to what is found in them."""

import csv
import json
from pathlib import Path

import pytest

MESSAGES = Path(__file__).parents[2] / "examples/support-triage/data/messages.jsonl"
FIELDS = "category,priority,invoice_id,amount,missing_information,recommended_next_step,summary"


@pytest.fixture
def rows():
    lines = MESSAGES.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[:200]]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def records(tmp_path, tunesmith, rows):
    """A project made from the columns of the sample's rows."""
    write(tmp_path / "rows.jsonl", rows)
    done = tunesmith(
        "init", "desk", "--from", "rows.jsonl", "--family", "extraction", "--input", "message", "--label", FIELDS
    )
    assert done.code == 0, done.err
    return tmp_path / "desk"


def test_init_drafts_the_schema_and_the_prompt(records, tunesmith):
    schema = json.loads((records / "schema.json").read_text())
    assert list(schema["properties"]) == FIELDS.split(",")
    assert schema["properties"]["priority"]["enum"] == ["high", "low", "normal", "urgent"]
    assert schema["properties"]["invoice_id"] == {"type": ["string", "null"]}
    assert schema["properties"]["amount"] == {"type": ["number", "null"]}
    assert schema["properties"]["missing_information"]["items"]["enum"][0] == "account_email"
    assert schema["additionalProperties"] is False
    assert '- priority: … (one of "high", "low"' in (records / "prompts/system.md").read_text()
    assert 'compare = { summary = "apart" }' in (records / "tunesmith.toml").read_text()
    done = tunesmith("check", cwd=records)
    assert done.code == 0, done.err
    assert "Checked 200 rows" in done.out


def test_split_writes_records_in_the_order_of_the_schema(records, tunesmith, rows):
    assert tunesmith("split", cwd=records).code == 0
    written = [json.loads(line) for line in (records / "data/split/train.jsonl").read_text().splitlines()]
    said = json.loads(written[0]["messages"][-1]["content"])
    assert list(said) == FIELDS.split(",")
    assert said in [{key: row[key] for key in FIELDS.split(",")} for row in rows]
    assert written[0]["messages"][-1]["content"] == json.dumps(said, ensure_ascii=False)


def test_outputs_that_break_the_schema_stop_training(records, tunesmith, rows):
    source = records / "data/rows.jsonl"
    broken = [
        rows[0] | {"priority": "hgih"},
        rows[1] | {"amount": "30 EUR"},
        {key: value for key, value in rows[2].items() if key != "category"},
    ]
    write(source, broken + rows[3:])
    done = tunesmith("check", "--json", cwd=records)
    assert done.code == 2
    stops = [finding for finding in done.json["findings"] if finding["severity"] == "stop"]
    assert [(finding["check"], finding["line"]) for finding in stops] == [
        ("output-schema", 1),
        ("output-schema", 2),
        ("columns", 3),
    ]
    assert "'priority' is none of high, low, normal, urgent" in stops[0]["message"]
    assert "'amount' is not number or null" in stops[1]["message"]
    assert tunesmith("split", cwd=records).code == 2


def test_the_same_message_with_another_record_is_a_contradiction(records, tunesmith, rows):
    other = "urgent" if rows[0]["priority"] != "urgent" else "low"
    write(records / "data/rows.jsonl", [*rows, rows[0] | {"summary": "In other words"}, rows[1] | {"priority": other}])
    done = tunesmith("check", "--json", cwd=records)
    stops = [finding for finding in done.json["findings"] if finding["severity"] == "stop"]
    assert [(finding["check"], finding["line"], finding["related"]) for finding in stops] == [
        ("contradiction", 2, ["data/rows.jsonl:202"])
    ]


def test_objects_texts_chats_and_tables_are_the_same_records(tmp_path, tunesmith, rows):
    keys = ("category", "invoice_id", "amount", "missing_information")
    records = [{key: row[key] for key in keys} for row in rows]
    asked = [row["message"] for row in rows]
    pairs = list(zip(asked, records, strict=True))
    forms = {
        "objects": [{"input": text, "output": record} for text, record in pairs],
        "texts": [{"input": text, "output": json.dumps(record, indent=1)} for text, record in pairs],
        "chats": [
            {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": json.dumps(record)}]}
            for text, record in pairs
        ],
    }
    for name, given in forms.items():
        write(tmp_path / f"{name}.jsonl", given)
    with (tmp_path / "table.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("input", *keys))
        for text, record in pairs:
            cells = [json.dumps(value) if isinstance(value, list) else value for value in record.values()]
            table.writerow((text, *cells))
    split = {}
    for name in (*forms, "table"):
        file = f"{name}.csv" if name == "table" else f"{name}.jsonl"
        label = ("--label", ",".join(keys)) if name == "table" else ()
        done = tunesmith("init", name, "--from", file, "--family", "extraction", *label)
        assert done.code == 0, done.err
        assert tunesmith("split", cwd=tmp_path / name).code == 0
        lines = (tmp_path / name / "data/split/train.jsonl").read_text().splitlines()
        split[name] = sorted(
            (row["messages"][0]["content"], row["messages"][-1]["content"]) for row in map(json.loads, lines)
        )
    assert split["objects"] == split["texts"] == split["chats"] == split["table"]
    assert '"amount": null' in split["table"][0][1]


def test_a_schema_of_ones_own(tmp_path, tunesmith, rows):
    write(tmp_path / "rows.jsonl", [{"input": row["message"], "output": {"amount": row["amount"]}} for row in rows])
    schema = {"type": "object", "properties": {"amount": {"type": ["number", "null"], "minimum": 0}}}
    command = ("init", "desk", "--from", "rows.jsonl", "--family", "extraction", "--schema", "s.json")
    done = tunesmith(*command)
    assert done.code == 2
    assert "s.json does not exist" in done.err
    (tmp_path / "s.json").write_text("{\n'a'")
    assert "s.json, line 2: not valid JSON" in tunesmith(*command).err
    (tmp_path / "s.json").write_text(json.dumps(schema | {"type": "objet"}))
    assert "no JSON Schema: at type" in tunesmith(*command).err
    (tmp_path / "s.json").write_text(json.dumps(schema))
    done = tunesmith(*command)
    assert done.code == 2
    assert '"additionalProperties": false' in done.err
    assert not (tmp_path / "desk").exists()
    (tmp_path / "s.json").write_text(json.dumps(schema | {"additionalProperties": False}))
    assert tunesmith(*command).code == 0
    assert json.loads((tmp_path / "desk/schema.json").read_text())["properties"]["amount"]["minimum"] == 0


def test_keys_of_extraction_are_refused_elsewhere(project, tunesmith):
    done = tunesmith("check", "--set", 'task.output_schema="schema.json"', cwd=project)
    assert done.code == 2
    assert "output_schema and compare are of extraction" in done.err


def test_an_unknown_field_under_compare(records, tunesmith):
    done = tunesmith("split", "--set", "task.compare={ amont = 0.01 }", cwd=records)
    assert done.code == 2
    assert "'amont', which the schema does not have (did you mean 'amount'?)" in done.err


def test_a_column_of_the_record_that_no_file_has(tmp_path, tunesmith, rows):
    write(tmp_path / "rows.jsonl", rows)
    done = tunesmith(
        *("init", "desk", "--from", "rows.jsonl", "--family", "extraction"),
        *("--input", "message", "--label", "category,prioriti"),
    )
    assert done.code == 2
    assert "the column 'prioriti' of --label (did you mean 'priority'?)" in done.err
    assert "Name columns that are there: --label COLUMN." in done.err


def test_a_reviewers_record_stands_in_the_order_of_the_schema_or_not_at_all(records, tunesmith, rows):
    row = tunesmith("review", "--list", "--json", cwd=records).json["queue"][0]["id"]
    done = tunesmith("review", "--decide", row, "edit", "--text", '{"category": "spam"}', cwd=records)
    assert done.code == 2
    assert "breaks the schema" in done.err
    said = {key: rows[0][key] for key in reversed(FIELDS.split(","))} | {"priority": "urgent", "amount": 4}
    done = tunesmith("review", "--decide", row, "edit", "--text", json.dumps(said), cwd=records)
    assert done.code == 0, done.err
    kept = json.loads((records / "data/reviews.jsonl").read_text().splitlines()[-1])
    assert list(json.loads(kept["text"])) == FIELDS.split(",")


def test_general_rows_to_rehearse_are_no_records(records, tunesmith):
    write(records / "general.jsonl", [{"prompt": "Name a colour.", "completion": "Blue."}] * 2)
    for verb in ("split", "seal"):
        assert tunesmith(verb, cwd=records).code == 0
    done = tunesmith("train", "--plan", "--set", "train.rehearsal_file=general.jsonl", cwd=records)
    assert "no JSON" not in done.err


def test_a_schema_that_is_none_is_named_where_rows_are_read(records, tunesmith):
    path = records / "schema.json"
    path.write_text(path.read_text().replace('"type": "array"', '"type": "arrey"'))
    assert tunesmith("status", cwd=records).code == 0
    done = tunesmith("check", cwd=records)
    assert done.code == 2
    assert "schema.json: it is no JSON Schema: at properties.missing_information.type" in done.err

"""`check` looks at what the rows say, writes the card, and `--fix` writes corrected copies."""

import json
from pathlib import Path

ROWS = [
    {"input": f"Where is order number {n}? I am waiting since Monday.", "output": "order_status"} for n in range(30)
]
ROWS += [{"input": f"Please refund invoice {n}, it was charged twice.", "output": "refund"} for n in range(30)]


def broken_project(folder: Path, tunesmith) -> Path:
    """A project whose source has a fault of each kind that needs no judgement, and two that do."""
    lines = [json.dumps(row) for row in ROWS]
    lines[0] = "\ufeff" + lines[0]
    lines[3] = lines[3].replace("order_status", "Order_Status")
    lines[5] = lines[5].replace("Where", r" \u0000Where")
    lines[10] += "\r"
    lines[20:20] = ["", "Here are the next ten rows:"]
    lines += [json.dumps(ROWS[-1]), json.dumps(ROWS[0] | {"output": "refund"})]
    (folder / "rows.jsonl").write_bytes(("\n".join(lines) + "\n").encode())
    assert tunesmith("init", "p", "--from", "rows.jsonl", "--input", "input", "--label", "output").code == 0
    return folder / "p"


def test_the_content_is_looked_at_and_the_card_written(project, tunesmith):
    done = tunesmith("check", "-C", "tickets", "--json")
    assert done.code == 0
    checks = {finding["check"] for finding in done.json["findings"]}
    assert {"amount", "missing-slices"} <= checks
    card = (project / "data" / "card.md").read_text(encoding="utf-8")
    assert "240 rows for classification" in card
    assert "`billing` | 80 | 33.3 %" in card
    assert "<h1><bdi>tickets</bdi></h1>" in (project / "data" / "card.html").read_text(encoding="utf-8")
    assert "data/card.md and data/card.html" in done.err


def test_a_file_of_the_users_own_is_never_replaced_by_the_card(project, tunesmith):
    own = project / "data" / "card.md"
    own.write_text("# My card")
    done = tunesmith("check", "-C", "tickets")
    assert done.code == 0
    assert "data/card.md is a file of your own" in done.out
    assert own.read_text() == "# My card"
    assert not (project / "data" / "card.html").exists()


def test_fix_writes_a_copy_and_a_log_and_says_what_is_left(tmp_path, tunesmith):
    project = broken_project(tmp_path, tunesmith)
    source = project / "data" / "rows.jsonl"
    before = source.read_bytes()
    done = tunesmith("check", "--fix", "-C", "p", "--json")
    assert done.code == 0
    assert source.read_bytes() == before
    outcome = done.json
    assert outcome["copies"] == {"data/rows.jsonl": "data/fixed/rows.jsonl"}
    assert outcome["changes"] == {
        "byte order mark taken out": 1,
        "label written as usual": 1,
        "control characters taken out": 1,
        "outer spaces taken out": 1,
        "blank line taken out": 1,
        "row taken out that repeats an earlier one": 1,
        "line ends of Windows made those of Unix": 1,
    }
    assert outcome["left"]["stop"] == 2  # the prose, and the contradiction
    assert "Left for a person" in done.err
    log = [json.loads(line) for line in (project / outcome["log"]).read_text(encoding="utf-8").splitlines()]
    assert {entry["what"] for entry in log if entry["line"] == 4} == {"label written as usual"}
    assert "order" not in json.dumps([{**entry, "file": "", "what": ""} for entry in log])
    copy = (project / "data" / "fixed" / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [json.loads(line) for line in copy if line.startswith("{")]
    assert kept == [*ROWS, ROWS[0] | {"output": "refund"}]


def test_a_corrected_copy_needs_no_fix(tmp_path, tunesmith):
    project = broken_project(tmp_path, tunesmith)
    tunesmith("check", "--fix", "-C", "p")
    (project / "data" / "fixed" / "rows.jsonl").replace(project / "data" / "rows.jsonl")
    done = tunesmith("check", "--fix", "-C", "p", "--json")
    assert (done.code, done.json["copies"], done.json["changes"], done.json["log"]) == (0, {}, {}, None)
    assert "nothing to repair without judgement" in done.err


def test_a_copy_that_would_be_read_as_a_source_is_refused(project, tunesmith):
    settings = 'data.files=["data/**/*.csv"]'
    done = tunesmith("check", "--fix", "-C", "tickets", "--set", settings)
    assert done.code == 2
    assert "data/fixed/" in done.err
    assert not (project / "data" / "fixed").exists()


def test_fix_does_not_go_with_set_aside(project, tunesmith):
    done = tunesmith("check", "--fix", "--set-aside", "-C", "tickets")
    assert done.code == 2
    assert "--set-aside" in done.err


def test_the_rows_are_compared_with_what_production_sends(project, tunesmith, tmp_path):
    log = tmp_path / "requests.jsonl"
    body = {"model": "m", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": ""}]}
    lines = []
    for number in range(60):
        body["messages"][1]["content"] = f"my parcel {number} was left with a neighbour whom i do not know at all"
        lines.append(json.dumps(body))
    log.write_text("\n".join(lines))
    done = tunesmith("check", "-C", "tickets", "--against", "requests.jsonl", "--json")
    assert done.code == 0
    found = {finding["check"]: finding for finding in done.json["findings"]}
    assert {"production-wording", "production-system", "production-formatting"} <= found.keys()
    assert "60 of 60 requests come with another system prompt" in found["production-system"]["message"]
    assert "neighbour" in found["production-wording"]["message"]
    assert found["production-wording"]["file"].endswith("requests.jsonl")


def test_a_file_without_requests_is_refused(project, tunesmith, tmp_path):
    (tmp_path / "requests.jsonl").write_text('{"answer": 5}\n')
    done = tunesmith("check", "-C", "tickets", "--against", "requests.jsonl")
    assert done.code == 2
    assert "holds no request" in done.err


def test_requests_that_are_not_there_are_found_missing_before_the_rows_are_read(project, tunesmith):
    done = tunesmith("check", "-C", "tickets", "--against", "none.jsonl")
    assert done.code == 2
    assert "does not exist" in done.err
    assert "rows" not in done.out
    assert not (project / "data" / "card.md").exists()

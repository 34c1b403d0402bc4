"""Judging two candidates' answers as a user types it: on a terminal, for scripts, on a sheet, and by a judge."""

import csv
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hosted_server import BASE
from stand_in import LIGHT, stand_in
from terminal import on_terminal

from tunesmith.core.digests import sha256_text

pytest.importorskip("pty")

WORDS = {"invoice": "billing", "charge": "billing", "refund": "billing", "receipt": "billing"}
WORDS |= {"password": "access", "login": "access", "lockout": "access", "code": "access"}
ASKS = {"TUNESMITH_RULES_MIN_PREFERENCE": "0.5"}
SETTINGS = LIGHT | {"TUNESMITH_DATA_VALIDATION": "0.5", "GIT_CONFIG_GLOBAL": os.devnull}


@pytest.fixture(scope="module")
def template(tmp_path_factory, tunesmith_in, sample) -> Path:
    """A project with a verdict: a majority that is right on a third of the rows, a stand-in that is right on all."""
    folder = tmp_path_factory.mktemp("preferred")
    rows = sample.rows(100)
    rows[::12] = [each | {"text": f"={each['text']}"} for each in rows[::12]]  # as formulas begin
    sample.write_csv(folder / "messages.csv", rows)
    run = tunesmith_in(folder)
    made = run("init", "p", "--from", "messages.csv", "--input", "text", "--label", "category")
    assert made.code == 0, made.err
    for verb in ("split", "seal", "baseline"):
        done = run(verb, cwd=folder / "p", **SETTINGS)
        assert done.code == 0, done.err
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        stand_in(folder / "p", folder)
    compared = run("compare", "--json", cwd=folder / "p", **SETTINGS)
    assert compared.json["verdict"] == "ship", compared.err
    return folder / "p"


@pytest.fixture
def judged(template, tmp_path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "p"))


@pytest.fixture
def typed(judged, tunesmith_in):
    run = tunesmith_in(judged)
    return lambda *words, **more: run(*words, **SETTINGS | more)


def judgements(project: Path) -> list[dict]:
    return [json.loads(line) for line in (project / "evals/preferences.jsonl").read_text().splitlines()]


def right(request: str) -> str:
    return next((label for word, label in WORDS.items() if word in request), "bug")


def liked(request: str) -> bool:
    """Whether it is the right answer that people like: three times in four."""
    return int(sha256_text(request), 16) % 4 > 0


def fill(path: Path, says: Callable[[str, str, str], str]) -> None:
    """Fill in a sheet: `says` gets the request and the two answers."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["choice"] = says(row["request"].removeprefix("'"), row["answer 1"], row["answer 2"])
    with path.open("w", newline="") as file:
        sheet = csv.DictWriter(file, list(rows[0]))
        sheet.writeheader()
        sheet.writerows(rows)


def rater(seed: int, sure: float, better: bool = True) -> Callable[[str, str, str], str]:
    """Chooses what people like (or the other) with a chance of `sure`, else by the toss of a coin."""
    dice = np.random.default_rng(seed)

    def says(request: str, one: str, other: str) -> str:
        wanted = ((one == right(request)) == liked(request)) == better
        if dice.random() >= sure:
            wanted = bool(dice.random() < 0.5)
        return "1" if wanted else "2"

    return says


def undecided() -> Callable[[str, str, str], str]:
    """Chooses the right answer and the other by turns, whichever side they are on: half of them, by no luck."""
    turns = itertools.cycle((True, False))
    return lambda request, one, other: "1" if (one == right(request)) == next(turns) else "2"


def sit(typed, project: Path, name: str, says: Callable[[str, str, str], str], *words: str) -> dict:
    """A whole session of `name` by a sheet."""
    path = project.parent / f"{name}.csv"
    assert typed("prefer", "--sheet", path, "--as", name, *words).code == 0
    fill(path, says)
    done = typed("prefer", "--read", path, "--json")
    assert done.code == 0, done.err
    return done.json


def test_a_session_on_a_terminal_with_undo_skip_and_going_on(judged, typed):
    before = typed("prefer", "--list", "--json", "--as", "Ann").json
    assert before["between"] == ["fine-tune", "majority"]
    assert before["drawn"] == 150
    waiting = len(before["rows"])
    assert before["same"] + waiting == 150
    assert before["preferred"] is None

    out = on_terminal(judged, "1\nwhat\n\n2\nu\n=\ns\n1\nq\n", "prefer", "--as", "Ann", environment=SETTINGS)
    assert "Type one of the keys in brackets." in out
    assert "Judged: 3 rows." in out
    said = judgements(judged)
    ids = [row["id"] for row in before["rows"]]
    assert [each["row"] for each in said] == [ids[0], ids[1], ids[1], ids[1], ids[3]]
    assert [each["choice"] for each in said] == ["1", "2", "undone", "tie", "1"]
    shown = {row["id"]: row for row in before["rows"]}
    for each in said:
        assert {each["first"], each["second"]} == {said[0]["first"], said[0]["second"]}
        assert (each["rater"], each["drawn"]) == ("Ann", 150)
    names = re.findall(r"^  [12]: (\S+)", out, flags=re.MULTILINE)
    assert names[:2] == [shown[ids[0]]["answer_1"], shown[ids[0]]["answer_2"]]

    after = typed("prefer", "--list", "--json", "--as", "Ann").json
    assert len(after["rows"]) == waiting - 3
    assert ids[2] in {row["id"] for row in after["rows"]}
    bobs = typed("prefer", "--list", "--json", "--as", "Bob").json["rows"]
    assert [row["id"] for row in bobs] == ids
    assert [row["answer_1"] for row in bobs] != [row["answer_1"] for row in before["rows"]]

    rest = on_terminal(judged, "1\n" * (waiting - 3), "prefer", "--as", "Ann", environment=SETTINGS)
    assert "fine-tune is preferred to majority on" in rest
    assert "Where one was chosen, it stood left on" in rest
    assert typed("prefer", "--list", "--json", "--as", "Ann").json["preferred"]["judged"] == 150


def test_a_session_of_more_rows_goes_on_and_is_never_made_a_smaller_one(judged, typed):
    row = typed("prefer", "--list", "--json", "--as", "Ann").json["rows"][0]["id"]
    sheet = judged.parent / "bob.csv"
    assert typed("prefer", "--sheet", sheet, "--as", "Bob", "--rows", "20").code == 0
    assert typed("prefer", "--decide", row, "1", "--as", "Ann", "--rows", "140").code == 0
    assert typed("prefer", "--list", "--json", "--as", "Ann").json["drawn"] == 140
    for words in (("--list", "--as", "Ann"), ("--list", "--as", "Bob"), ("--decide", row, "1", "--as", "Ann")):
        refused = typed("prefer", *words, "--rows", "20")
        assert refused.code == 2
        assert "140 rows of fine-tune and majority were begun and are not all judged" in " ".join(refused.err.split())
    fill(sheet, rater(1, 1.0))  # it was written before, and counts among the 140
    read = typed("prefer", "--read", sheet, "--json")
    assert read.code == 0, read.err
    assert (read.json["drawn"], read.json["preferred"]) == (140, None)
    assert {each["drawn"] for each in judgements(judged)} == {140}


def test_a_row_is_decided_for_scripts_and_refused_where_it_cannot_be_meant(judged, typed):
    row = typed("prefer", "--list", "--json", "--as", "Ann").json["rows"][0]
    done = typed("prefer", "--decide", row["id"], "2", "--as", "Ann", "--json")
    assert done.code == 0, done.err
    assert row["id"] not in {each["id"] for each in done.json["rows"]}
    assert done.json["next"] == "tunesmith prefer"
    [said] = judgements(judged)
    assert said["choice"] == "2"
    for words, message in (
        (("--decide", "nobody", "1"), "There is no row 'nobody' to judge."),
        (("--decide", row["id"], "3"), "expected 1, 2 or tie"),
        (("--as", "judge:x", "--list"), "are those of models"),
        (("--with", "majority", "--list"), "name two candidates"),
        (("--with", "majority", "--with", "majority", "--list"), "are one candidate"),
        (("--with", "majority", "--with", "fine-tun", "--list"), "did you mean 'fine-tune'"),
        (("--list", "--judge"), "it does not go with --list"),
        (("--judge",), "There is no judge: name one under [judge]"),
        ((), "without a terminal"),
    ):
        refused = typed("prefer", *words)
        assert refused.code == 2, words
        assert message in " ".join(refused.err.split()), refused.err
    assert len(judgements(judged)) == 1


def test_a_list_and_a_single_judgement_do_not_load_what_reckons_figures(judged, typed):
    """SQLAlchemy they need: the ledger keeps the answers."""
    probe = "import sys; from tunesmith.cli.commands import run; run(sys.argv[1:]); print('scipy' in sys.modules)"
    row = typed("prefer", "--list", "--json", "--as", "Ann").json["rows"][0]["id"]
    for words in (["--list"], ["--decide", row, "1"]):
        command = [sys.executable, "-c", probe, "prefer", *words, "--as", "Ann"]
        done = subprocess.run(
            command, cwd=judged, env=os.environ | SETTINGS, capture_output=True, encoding="utf-8", check=True
        )
        assert done.stdout.splitlines()[-1] == "False"


def test_two_raters_of_known_agreement_by_sheets_decide_a_verdict(judged, typed):
    held = typed("compare", "--json", **ASKS)
    assert (held.code, held.json["verdict"]) == (3, "hold"), held.err
    assert "nobody has judged yet" in " ".join(held.json["reasons"])
    assert held.json["preference"]["state"] == "open"
    assert held.json["next"] == "tunesmith prefer"

    first = sit(typed, judged, "Ann", rater(1, 0.9))
    assert 0.58 < first["preferred"]["win"]["value"] < 0.75
    assert first["preferred"]["alpha"] is None
    steps = {step["name"]: step for step in typed("status", "--json", **ASKS).json["steps"]}
    assert steps["compare"]["note"] == "made before what people prefer changed"
    second = sit(typed, judged, "Bob", rater(2, 0.9))["preferred"]
    assert (second["raters"], second["twice"]) == (2, second["drawn"] - second["same"])
    # Either is of people's mind on 95 % of the rows, who like one on 75 %: (0.905 - 0.601) / (1 - 0.601) is 0.76.
    assert second["alpha"] == pytest.approx(0.76, abs=0.3)  # five standard deviations: the sides are drawn anew
    assert second["kappa"] == pytest.approx(second["alpha"], abs=0.02)
    done = typed("compare", "--json", **ASKS)
    assert (done.code, done.json["verdict"]) == (0, "ship"), done.err
    assert done.json["preference"]["win"] == second["win"]
    assert any(text.startswith("Kept: people prefer fine-tune to majority") for text in done.json["reasons"])
    receipt = json.loads(Path(done.json["receipt"]).read_text())
    assert receipt["preference"] == done.json["preference"]
    states = {each["name"]: each["state"] for each in typed("verify", "--json", **ASKS).json["things"]}
    assert states["what people prefer"] == "stands"
    assert typed("verify").code == 0
    with (judged / "evals/preferences.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n")
    states = {each["name"]: each["state"] for each in typed("verify", "--json", **ASKS).json["things"]}
    assert states["what people prefer"] == "changed"
    assert "What people prefer" in Path(done.json["report"]).read_text()


def test_people_who_prefer_the_baseline_reject(judged, typed):
    sit(typed, judged, "Ann", rater(3, 0.9, better=False))
    done = typed("compare", "--json", **ASKS)
    assert (done.code, done.json["verdict"]) == (3, "reject"), done.err
    watched = typed("compare", "--json")
    assert watched.json["verdict"] == "ship"
    assert any(text.startswith("Watched: people prefer") for text in watched.json["reasons"])


def test_a_whole_session_that_shows_nothing_is_not_asked_for_again(judged, typed):
    found = sit(typed, judged, "Ann", undecided())["preferred"]
    assert found["win"]["low"] < 0.5 < found["win"]["high"]
    held = typed("compare", "--json", **ASKS)
    assert (held.code, held.json["verdict"]) == (3, "hold"), held.err
    assert held.json["next"] != "tunesmith prefer"  # which has no rows left to show


def test_a_sheet_is_blind_and_read_whole_or_not_at_all(judged, typed, tmp_path):
    path = tmp_path / "ann.csv"
    assert typed("prefer", "--sheet", path, "--as", "Ann", "--rows", "60").code == 0
    text = path.read_text()
    assert "fine-tune" not in text
    assert "majority" not in text
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # or a spreadsheet does not take it for UTF-8
    sheet = list(csv.DictReader(text.splitlines()))
    assert all(each["row"].startswith("row ") for each in sheet)  # an id may be all digits
    asked = [each["request"] for each in sheet]
    assert any(each.startswith("'=") for each in asked)
    assert not any(each.startswith("=") for each in asked)
    assert "exists, and may hold judgements" in typed("prefer", "--sheet", path, "--as", "Ann").err
    assert "holds no choices yet" in typed("prefer", "--read", path).err
    fill(path, rater(1, 1.0))
    whole = path.read_text()
    lines = whole.splitlines()

    def refused(changed: list[str], message: str) -> None:
        path.write_text("\n".join(changed) + "\n")
        done = typed("prefer", "--read", path)
        assert done.code == 2
        assert message in " ".join(done.err.split()), done.err

    refused([*lines[:2], *lines[1:]], f"{path}:3: Ann has judged that row in this file before.")
    refused([*lines[:4], re.sub(r",Ann,[12],", ",Ann,both,", lines[4])], f"{path}:5: choice is 'both'; expected 1, 2")
    sheet, row = lines[2].split(",")[:2]
    refused([*lines[:2], lines[2].replace(row, "0123")], f"{path}:3: there is no row '0123' to judge.")
    refused([*lines[:2], lines[2].replace("Ann", "Bob")], f"{path}:3: this line is not of a sheet for Bob")
    refused([*lines[:2], lines[2].replace(sheet, "x")], f"{path}:3: sheet is 'x', rater 'Ann'")
    refused([lines[0].replace("rater", "who"), *lines[1:]], "missing rater")
    assert not (judged / "evals/preferences.jsonl").exists()

    path.write_text(whole)
    done = typed("prefer", "--read", path, "--json")
    assert done.code == 0, done.err
    assert (done.json["drawn"], done.json["rows"]) == (60, [])
    assert done.json["preferred"]["drawn"] == 60
    number = len(judgements(judged))
    assert "as they stand already" in typed("prefer", "--read", path).out
    assert len(judgements(judged)) == number


def test_a_torn_line_and_judgements_of_other_candidates_are_said(judged, typed):
    row = typed("prefer", "--list", "--json", "--as", "Ann").json["rows"][0]["id"]
    assert typed("prefer", "--decide", row, "1", "--as", "Ann").code == 0
    path = judged / "evals/preferences.jsonl"
    other = json.loads(path.read_text()) | {"first": "0" * 64}
    path.write_text(path.read_text() + json.dumps(other) + '\n{"row": "torn')
    assert "1 line of evals/preferences.jsonl cannot be read (line 3)" in typed("prefer", "--list").out
    compared = typed("compare")
    assert "Not counted: 1 judgement in evals/preferences.jsonl about other pairs" in compared.out.replace("\n", " ")
    path.write_text('{"schema_version": 2}\n')
    assert "was written by a later version" in typed("prefer", "--list").err


def test_a_forgotten_row_takes_its_judgements_with_it(judged, typed):
    rows = typed("prefer", "--list", "--json", "--as", "Ann").json["rows"][:2]
    for row in rows:
        assert typed("prefer", "--decide", row["id"], "1", "--as", "Ann").code == 0
    done = typed("forget", "--id", rows[0]["id"], "--yes", "--json")
    assert done.json["rows"]["evals/preferences.jsonl"] == 1
    assert [each["row"] for each in judgements(judged)] == [rows[1]["id"]]


# ------------------------------------------------------------ a judge


@pytest.fixture
def with_judge(judged, provider, monkeypatch) -> Path:
    monkeypatch.setenv("TUNESMITH_JUDGE_MODEL", f"lab:{BASE}")
    (judged / "prompts/rubric.md").write_text("The better answer names what the message is about.")
    with (judged / "tunesmith.toml").open("a") as file:
        file.write(f'\n[providers.lab]\nbase_url = "{provider.address}"\napi_key_env = "LAB_KEY"\n')
    return judged


def of_judge(messages: list[dict]) -> tuple[str, list[str]]:
    """The request and the answers that a judge is shown."""
    shown = messages[-1]["content"]
    request = re.search(r"Request:\n(.*?)\n\nAnswer", shown, flags=re.DOTALL)
    assert request
    return request[1], re.findall(r"Answer(?: [12])?:\n(\S+)", shown)


def good(error: float) -> Callable[[list[dict]], str]:
    """Of people's mind about a row with a chance of 1 - `error`, in both orders alike."""

    def says(messages: list[dict]) -> str:
        request, answers = of_judge(messages)
        errs = np.random.default_rng(list(request.encode())).random() < error
        one = ((answers[0] == right(request)) == liked(request)) != errs
        return "1" if one else "2"

    return says


def test_a_good_judge_is_asked_in_both_orders_and_narrows_what_people_said(with_judge, typed, provider):
    provider.says = good(0.1)
    alone = typed("prefer", "--judge", "--json", "--set", "prices.per_million_tokens_in=2.0")
    assert alone.code == 0, alone.err
    judge, spent = alone.json["judge"], alone.json["spent"]
    assert (spent["requests"], spent["tokens_in"] > 0) == (2 * judge["rows"], True)
    assert spent["cost"] == pytest.approx(2e-6 * spent["tokens_in"])
    assert f"{spent['tokens_in']:,} tokens read" in " ".join(alone.err.split())
    asked = provider.requests["POST /chat/completions"]
    assert (alone.json["judged"], asked, alone.json["unanswered"]) == (judge["rows"], 2 * judge["rows"], 0)
    assert (judge["both"], judge["kappa"], judge["decides"]) == (0, None, False)
    assert 0.55 < judge["win"]["value"] < 0.75
    assert judge["first"]["value"] == 0.0
    assert "The better answer names" in provider.bodies["POST /chat/completions"][0]["messages"][0]["content"]

    people = sit(typed, with_judge, "Ann", rater(5, 0.95), "--rows", "90")["preferred"]
    assert people["judge"]["decides"] is True
    assert people["judge"]["kappa"] > 0.4
    assert (people["judge"]["both"], people["judge"]["rows"]) == (90 - people["same"], judge["rows"])
    assert width(people["win"]) < width(people["people"])
    verdict = typed("compare", "--json", **ASKS)
    assert verdict.json["preference"]["judge"]["decides"] is True
    assert f"with the judge lab:{BASE}" in " ".join(verdict.json["reasons"])

    again = typed("prefer", "--judge", "--json")
    assert again.json["judged"] == again.json["spent"]["requests"] == 0
    assert provider.requests["POST /chat/completions"] == asked
    rubric = (with_judge / "prompts/rubric.md").read_text()
    (with_judge / "prompts/rubric.md").write_text("Another rubric.")
    provider.says = lambda _: "1"
    other = typed("prefer", "--judge", "--json").json
    assert (other["judged"], other["judge"]["first"]["value"]) == (judge["rows"], 1.0)
    (with_judge / "prompts/rubric.md").write_text(rubric)
    back = typed("prefer", "--judge", "--json").json  # the first judge again, which has said all already
    assert (back["judged"], back["judge"]["first"]["value"]) == (0, 0.0)
    assert back["judge"]["win"] == judge["win"]


def test_a_judges_figures_are_held_back_while_people_judge(with_judge, typed, provider):
    provider.says = good(0.1)
    row = typed("prefer", "--list", "--json", "--as", "Ann").json["rows"][0]["id"]
    assert typed("prefer", "--decide", row, "1", "--as", "Ann", "--rows", "90").code == 0
    done = typed("prefer", "--judge", "--json")
    assert done.json["judged"] > 50
    assert done.json["judge"] is None
    shown = " ".join(typed("prefer", "--judge").out.split())
    assert "shown once people have judged all 90 rows that they began" in shown
    assert "win rate" not in shown


def width(estimate: dict) -> float:
    return estimate["high"] - estimate["low"]


@pytest.mark.parametrize(
    ("says", "first"), [(lambda _: "1", 1.0), (good(0.5), 0.0)], ids=["always the first", "as chance has it"]
)
def test_a_poor_judge_is_found_out_and_decides_nothing(with_judge, typed, provider, says, first):
    provider.says = says
    assert typed("prefer", "--judge").code == 0
    found = sit(typed, with_judge, "Ann", rater(5, 0.95), "--rows", "90")["preferred"]
    judge = found["judge"]
    assert judge["decides"] is False
    assert judge["first"]["value"] == first
    assert judge["kappa"] < 0.4
    assert found["win"] == found["people"]


def test_a_judge_that_scores(with_judge, typed, provider):
    def says(messages: list[dict]) -> str:
        request, [answer] = of_judge(messages)
        return "5" if answer == right(request) else "2"

    provider.says = says
    done = typed("prefer", "--judge", "--json", "--set", "judge.way=scored")
    assert done.code == 0, done.err
    assert done.json["judge"]["first"] is None
    assert {tuple(each["scores"]) for each in judgements(with_judge)} == {
        (5, 2)
    }  # the fine-tune is right where they differ


def test_what_is_no_judgement_is_counted(with_judge, typed, provider):
    provider.says = "Both are fine."
    done = typed("prefer", "--judge", "--json")
    assert (done.json["judged"], done.json["judge"]) == (0, None)
    assert done.json["unanswered"] > 50
    assert not (with_judge / "evals/preferences.jsonl").exists()
    (with_judge / "prompts/rubric.md").unlink()
    assert "[judge] rubric: prompts/rubric.md does not exist" in typed("prefer", "--judge").err


@pytest.mark.slow
def test_the_embedded_model_is_a_poor_judge_and_is_found_to_be(judged, typed, monkeypatch):
    monkeypatch.setenv("TUNESMITH_JUDGE_MODEL", "smollm2-135m-instruct")
    (judged / "prompts/rubric.md").write_text("The better answer names what the message is about.")
    sit(typed, judged, "Ann", rater(5, 0.95))
    done = typed("prefer", "--judge", "--json")
    assert done.code == 0, done.err
    judge = done.json["judge"]
    assert judge["both"] >= 50
    assert judge["kappa"] < 0.4
    assert judge["decides"] is False
    assert typed("compare", "--json").json["preference"]["judge"]["decides"] is False

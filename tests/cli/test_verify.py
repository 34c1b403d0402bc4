"""`tunesmith verify` as a user types it, on the receipt of a project whose fine-tune rules stand in for."""

import json
import os
import shutil
import stat
from pathlib import Path

import pytest
from stand_in import LIGHT, stand_in


@pytest.fixture(scope="module")
def compared(tmp_path_factory, tunesmith_in, sample) -> Path:
    """A project with a receipt; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("compared")
    sample.write_csv(folder / "messages.csv", sample.rows())
    run = tunesmith_in(folder)
    columns = ("--input", "text", "--label", "category")
    assert run("init", "tickets", "--from", "messages.csv", *columns).code == 0
    for verb in ("split", "seal", "baseline"):
        assert run(verb, "-C", "tickets", **LIGHT).code == 0
    stand_in(folder / "tickets", folder)
    assert run("compare", "-C", "tickets", **LIGHT).code in (0, 3)
    return folder / "tickets"


@pytest.fixture
def tickets(compared, tmp_path) -> Path:
    return Path(shutil.copytree(compared, tmp_path / "tickets"))


@pytest.fixture
def receipt(tickets) -> Path:
    return next(tickets.glob(".tunesmith/runs/*-compare/receipt.json"))


def states(done) -> dict[str, str]:
    return {thing["name"]: thing["state"] for thing in done.json["things"]}


def test_a_receipt_and_all_that_it_names_stand(tickets, receipt, tunesmith):
    done = tunesmith("verify", "--json", cwd=tickets, **LIGHT)
    assert done.code == 0, done.err
    assert done.json["genuine"] is True
    assert done.json["signer"] == "this machine"
    assert done.json["same_code"] is True
    assert Path(done.json["receipt"]) == receipt
    found = states(done)
    assert {"evals/eval.lock", "evals/eval.jsonl", "looks", "files of fine-tune", "the split"} <= found.keys()
    assert set(found.values()) == {"stands"}
    assert "Genuine: nothing in it has changed" in done.err
    assert done.json["next"].startswith("tunesmith predict")


def test_what_no_longer_stands_is_named(tickets, tunesmith):
    rows = (tickets / "evals/eval.jsonl").read_text().splitlines()
    (tickets / "evals/eval.jsonl").write_text("\n".join(rows[1:]) + "\n")
    lock = json.loads((tickets / "evals/eval.lock").read_text())
    (tickets / "evals/eval.lock").write_text(json.dumps(lock | {"looks": lock["looks"][1:]}))
    for card in tickets.glob(".tunesmith/artifacts/*/rules.py"):
        card.write_text("def answer(message): return 'bug'")
    train = tickets / "data/split/train.jsonl"
    train.write_text(train.read_text().splitlines()[0] + "\n")
    done = tunesmith("verify", "--json", cwd=tickets, **LIGHT)
    assert done.code == 3
    assert done.json["genuine"] is True
    found = states(done)
    fallen = {name for name, state in found.items() if state == "changed"}
    assert fallen == {"evals/eval.jsonl", "looks", "files of fine-tune", "the split"}
    assert done.json["next"].startswith("tunesmith seal --reseal")
    assert found["evals/eval.lock"] == found["the prompt or the labels"] == "stands"
    shutil.rmtree(tickets / "evals")
    done = tunesmith("verify", cwd=tickets, **LIGHT)
    assert done.code == 3
    assert "evals/eval.lock" in " ".join(done.out.split("No longer as the receipt names it:")[1].split())


def test_other_words_to_measure_by_are_named(tickets, tunesmith):
    words = LIGHT | {"TUNESMITH_BEHAVIOUR_ESCALATE": "bug"}
    assert tunesmith("compare", cwd=tickets, **words).code in (0, 3)
    assert states(tunesmith("verify", "--json", cwd=tickets, **words))["[behaviour]"] == "stands"
    done = tunesmith("verify", "--json", cwd=tickets, **LIGHT)
    assert (done.code, states(done)["[behaviour]"]) == (3, "missing")


def test_without_a_project_signature_and_digest_are_checked(receipt, tmp_path, tunesmith):
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(receipt, alone / "r.json")
    done = tunesmith("verify", "r.json", cwd=alone)
    assert done.code == 0, done.out
    assert "No project is here" in done.out
    document = json.loads(receipt.read_text())
    (alone / "r.json").write_text(json.dumps(document | {"verdict": "ship", "baseline": "none"}))
    done = tunesmith("verify", "r.json", "--json", cwd=alone)
    assert done.code == 3
    assert (done.json["digest"], done.json["genuine"]) == (False, False)
    assert "CHANGED" in done.err


def test_a_key_proves_only_that_it_signed(receipt, tmp_path, tunesmith):
    public = json.loads(receipt.read_text())["public_key"]
    elsewhere = {"TUNESMITH_KEY": str(tmp_path / "other.pem")}
    done = tunesmith("verify", receipt, "-C", "tickets", cwd=tmp_path, **LIGHT, **elsewhere)
    assert done.code == 0
    assert "Whose that is, no receipt can prove" in " ".join(done.out.split())
    assert public in done.out
    assert not (tmp_path / "other.pem").exists()
    pinned = tunesmith("verify", receipt, "--key", public.upper(), "--json", cwd=tmp_path, **LIGHT, **elsewhere)
    assert (pinned.code, pinned.json["signer"]) == (0, "pinned")
    other = tunesmith("verify", receipt, "--key", "0" * 64, "--json", cwd=tmp_path, **LIGHT)
    assert (other.code, other.json["signer"]) == (3, "not the pinned one")
    assert "ANOTHER KEY" in other.err
    wrong = tunesmith("verify", receipt, "--key", "abc", cwd=tmp_path)
    assert wrong.code == 2
    assert "64 hexadecimal digits" in wrong.err


def test_what_is_no_receipt_is_refused(tmp_path, project, tunesmith):
    (tmp_path / "a.json").write_text("[1]")
    (tmp_path / "b.json").write_text("{")
    for name, words in (("a.json", "lacks schema_version"), ("b.json", "is no receipt"), ("c.json", "no file")):
        done = tunesmith("verify", name)
        assert done.code == 2
        assert words in " ".join(done.err.split())
    done = tunesmith("verify", cwd=project)
    assert done.code == 2
    assert "There is no receipt yet" in done.err


@pytest.mark.skipif(os.name != "posix", reason="file modes are of POSIX")
def test_the_key_is_its_owners_alone_and_never_in_the_project(tickets, tmp_path, tunesmith):
    key = tmp_path / "keys" / "mine.pem"
    again = ("compare", "--set", "rules.min_effect=0.01", "-C", "tickets")
    assert tunesmith(*again, **LIGHT, TUNESMITH_KEY=str(key)).code in (0, 3)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    first = key.read_bytes()
    assert tunesmith(*again, **LIGHT, TUNESMITH_KEY=str(key)).code in (0, 3)
    assert key.read_bytes() == first
    key.chmod(0o644)
    done = tunesmith(*again, **LIGHT, TUNESMITH_KEY=str(key))
    assert done.code == 2
    assert f"chmod 600 {key}" in done.err
    done = tunesmith(*again, **LIGHT, TUNESMITH_KEY=str(tickets / "key.pem"))
    assert done.code == 2
    assert "lies in the project" in " ".join(done.err.split())
    assert not (tickets / "key.pem").exists()

"""Ctrl-C at every verb: one line, exit code 130, nothing half-written, and the same command then goes on.

The command runs in a process of its own and gets a real SIGINT at the n-th time that it touches a file of its tree
(opens, renames, removes, makes a folder or a process), which an audit hook counts; or when it says a certain line.
A verb is stopped at one moment after the other in the same tree until it comes through, so each attempt also proves
that the one before left something to go on from.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.files import remove
from tunesmith.evaluation.seal import read_seal

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")

COLUMNS = ("--input", "text", "--label", "category")
RULES = 'def answer(message: str) -> str | None:\n    return "bug" if "crash" in message else None\n'
PROMPT = "Sort the message into billing, access or bug. Answer with one of these three words only."
LIGHT = {
    "TUNESMITH_BASELINES_WHICH": "majority,rules",
    "TUNESMITH_TRAIN_EPOCHS": "0.5",
    "TUNESMITH_TRAIN_BATCH_SIZE": "16",
}
START = "from tunesmith.cli.app import main; main()"
PROBE = f"""
import os, re, signal, sys
root, wanted, left = os.getcwd(), re.compile(sys.argv.pop(1)), int(sys.argv.pop(1))
FILES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect")

def watch(event, details):
    global left
    inside = event in FILES and not isinstance(details[0], int) and os.path.abspath(details[0]).startswith(root)
    if (inside or event in ("import", "subprocess.Popen")) and wanted.search(f"{{event}} {{details[0]}}"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(watch)
{START}
"""
TOUCHES = "^(?!import )"


class Stops:
    """Stops one command in one tree, and looks at what it says and leaves each time."""

    def __init__(self, tree: Path, *arguments: object, **environment: str):
        self._tree = tree
        self._arguments = [*map(str, arguments), "--json"]
        self._environment = os.environ | environment
        self.said: list[str] = []  # on standard error, one text for each stop

    def at_every(self, moments: int = 1, wanted: str = TOUCHES) -> int:
        """Stop at every so many `moments` until the command comes through; how often it was stopped."""
        number = 1
        while self.at(number, wanted):
            number += moments
        return len(self.said)

    def at(self, number: int, wanted: str = TOUCHES) -> bool:
        """Stop at the moment of that `number` among those that `wanted` matches; whether the command stopped."""
        child = self._start("-c", PROBE, wanted, str(number))
        return self._stopped(child, "", *child.communicate())

    def at_line(self, begins: str) -> bool:
        """Stop as soon as a line of standard error begins like that."""
        child = self._start("-c", START)
        assert child.stderr
        told = []
        for line in child.stderr:
            told.append(line)
            if line.startswith(begins):
                child.send_signal(signal.SIGINT)
                break
        out, err = child.communicate()
        return self._stopped(child, "".join(told), out, err)

    def _start(self, *program: str) -> "subprocess.Popen[str]":
        command = [sys.executable, *program, *self._arguments]
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self._tree, env=self._environment, encoding="utf-8", **pipes)

    def _stopped(self, child: "subprocess.Popen[str]", told: str, out: str, err: str) -> bool:
        err = told + err
        document = json.loads(out)  # one, whatever happened
        for trace in ("Traceback", "Exception ignored"):
            assert trace not in err, err
        assert_whole(self._tree)
        if child.returncode != 130:
            assert child.returncode in (0, 3), err
            assert "Stopped" not in err
            return False
        self.said.append(err)
        last = err.splitlines()[-1]
        assert document == {"error": last, "kind": "Interrupted"}
        assert last.startswith("Stopped.")
        assert err.count("Stopped.") == 1
        return True


def assert_whole(tree: Path) -> None:
    """Every file is one that was finished, and no process is left that works on them."""
    for path in tree.rglob("*"):
        assert not path.name.startswith(".") or path.name in (".tunesmith", ".gitignore"), path
        if path.is_dir() or path.parent.name == "raw":  # the sample's faults, a broken line among them
            continue
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".jsonl":
            for line in path.read_text().splitlines():
                json.loads(line)
        elif path.name == "eval.lock":
            read_seal(path)
        elif path.name == "ledger.db":
            assert sqlite3.connect(path).execute("pragma integrity_check").fetchone() == ("ok",)
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert str(tree).encode() not in command.read_bytes(), command
        except OSError:
            continue  # it ended meanwhile


def contents(folder: Path) -> dict[str, bytes]:
    """What belongs to the user: everything outside .tunesmith."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and ".tunesmith" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("folder_stands", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_init(folder_stands, tmp_path, sample, tunesmith):
    sample.write_csv(tmp_path / "messages.csv", sample.rows(20))
    if folder_stands:
        (tmp_path / "tickets").mkdir()
        (tmp_path / "tickets" / "notes.txt").write_text("mine")
    before = contents(tmp_path)
    stops = Stops(tmp_path, "init", "tickets", "--from", "messages.csv", *COLUMNS)
    while stops.at(len(stops.said) + 1):
        assert contents(tmp_path) == before
        assert folder_stands or not (tmp_path / "tickets").exists()
    assert len(stops.said) >= 10
    assert tunesmith("check", "-C", "tickets").code == 0
    assert not folder_stands or (tmp_path / "tickets" / "notes.txt").read_text() == "mine"


def test_check(project):
    before = contents(project)
    assert Stops(project, "check").at_every() >= 4
    card = {f"data/card.{ending}": contents(project)[f"data/card.{ending}"] for ending in ("md", "html")}
    assert contents(project) == before | card


@pytest.mark.slow
def test_check_that_sets_rows_aside(project, tunesmith):
    source = project / "data" / "messages.csv"
    good = source.read_text()
    source.write_text(good + '"The invoice number 3 is broken",\n,access\n')
    assert Stops(project, "check", "--set-aside").at_every(2) >= 5
    assert source.read_text() == good
    assert len((project / "data" / "set-aside.jsonl").read_text().splitlines()) == 2


def test_split_comes_out_as_if_it_had_never_been_stopped(project, tunesmith):
    assert tunesmith("split", cwd=project).code == 0
    whole = contents(project)
    remove(project / "data" / "split")
    remove(project / "evals")
    assert Stops(project, "split").at_every(2) >= 10
    assert contents(project) == whole


def test_seal_and_status(project, tunesmith):
    assert tunesmith("split", cwd=project).code == 0
    assert Stops(project, "seal").at_every(3) >= 5
    assert read_seal(project / "evals" / "eval.lock").looks == ()
    assert Stops(project, "status").at_every(5) >= 3


@pytest.mark.parametrize("module", ["tunesmith.cli.boundary", "typer", "pydantic", "tunesmith.workflows.status"])
def test_a_command_that_is_still_loading(module, project):
    assert Stops(project, "status").at(1, f"^import {module}$")


@pytest.mark.parametrize("folder_stands", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_demo(folder_stands, tmp_path, tunesmith):
    """The sample is too large to come through here: the last stop is behind its split."""
    if folder_stands:
        (tmp_path / "demo").mkdir()
    stops = Stops(tmp_path, "demo", "demo")
    for number in (1, 6, 11, 16):
        assert stops.at(number)
        assert [*tmp_path.rglob("*")] == [tmp_path / "demo"] * folder_stands
    # A new folder is renamed as a whole, into one that stands the files move one by one.
    assert stops.at(1, "rename .*messages" if folder_stands else "rename .*demo")
    assert stops.at_line("Copied the sample project")
    assert stops.at(1, "rename .*eval.lock")
    assert stops.said[-1].startswith("Going on with the demo in demo.")
    steps = {step["name"]: step["state"] for step in tunesmith("status", "-C", "demo", "--json").json["steps"]}
    assert (steps["split"], steps["seal"]) == ("done", "due")


@pytest.fixture(scope="module")
def small(tmp_path_factory, tunesmith_in, sample, tiny_folder) -> Path:
    """A project of 60 rows with rules, a short prompt and the tiny model; the tests below carry it on, one after the
    other."""
    folder: Path = tmp_path_factory.mktemp("interrupts")
    sample.write_csv(folder / "messages.csv", sample.rows(20))
    sample.write_csv(folder / "test.csv", sample.rows(8, start=500))
    files = ("--from", "messages.csv", "--eval", "test.csv", "--model", tiny_folder)
    made = tunesmith_in(folder)("init", "tickets", *files, *COLUMNS)
    assert made.code == 0, made.err
    project = folder / "tickets"
    (project / "prompts" / "system.md").write_text(PROMPT)
    (project / "rules.py").write_text(RULES)
    return project


@pytest.fixture(scope="module")
def measured(small) -> Path:
    """`small` with its baselines: `run` is stopped in its first steps, then `baseline` in all of its own."""
    run = Stops(small, "run", **LIGHT)
    for wanted in ("rename .*left-out.jsonl", "rename .*eval.lock", "rename .*run.json"):
        assert run.at(1, wanted), wanted
    assert Stops(small, "baseline", TUNESMITH_BASELINES_WHICH="classical").at_line("classical: making")
    baseline = Stops(small, "baseline", **LIGHT)
    for wanted in ("sqlite3.connect", "mkdir .*-baseline", "Popen", "rename .*artifacts", "rename .*eval.lock"):
        assert baseline.at(1, wanted), wanted
    assert baseline.at(2, "Popen")  # the first loads the rules, the second asks them for the sealed rows
    assert not baseline.at(1, "never")
    return small


@pytest.fixture(scope="module")
def trained(measured) -> Path:
    train = Stops(measured, "train", **LIGHT)
    for wanted in ("mkdir .*-train", "rename .*[.]train.jsonl", "rename .*job.json", "Popen", "open .*events.jsonl"):
        assert train.at(1, wanted), wanted
    assert train.at_line("Training on")
    assert not train.at(1, "never")
    return measured


@pytest.fixture(scope="module")
def compared(trained) -> Path:
    compare = Stops(trained, "compare", **LIGHT)
    assert compare.at(1, "mkdir .*-compare")
    assert compare.at_line("fine-tune: validation rows")
    for wanted in ("rename .*receipt.json", "rename .*report.html"):
        assert compare.at(1, wanted), wanted
    assert not compare.at(1, "never")
    return trained


def runs(project: Path, verb: str) -> list[dict[str, Any]]:
    found = [json.loads(path.read_text()) for path in sorted((project / ".tunesmith" / "runs").glob("*/run.json"))]
    return [run for run in found if run["verb"] == verb]


def test_baseline(measured):
    """Each look at the sealed rows is recorded once, though `baseline` was stopped before, at and behind it."""
    assert {run["state"] for run in runs(measured, "baseline")} == {"interrupted", "done"}
    looks = read_seal(measured / "evals" / "eval.lock").looks
    assert {look.candidates for look in looks} == {("majority",), ("rules",)}


def test_train_goes_on_in_the_run_that_was_stopped(trained):
    made = runs(trained, "train")
    assert [run["state"] for run in made].count("done") == 1
    assert made[-1]["result"]["resumed"]


def test_compare_and_run(compared):
    before = (compared / "evals" / "eval.lock").read_text()
    run = Stops(compared, "run", **LIGHT)
    assert run.at(1, "rename .*report.html")
    assert not run.at(1, "never")
    assert (compared / "evals" / "eval.lock").read_text() == before  # the look of the first verdict was the only one
    assert runs(compared, "compare")[-1]["result"]["verdict"] in ("ship", "hold", "reject")


def test_ask(compared, tunesmith_in):
    assert Stops(compared, "ask", "My invoice is wrong").at(3, "open .*candidate.json")
    assert tunesmith_in(compared)("ask", "My invoice is wrong", "--with", "rules").code == 0


def test_predict(measured, sample):
    """The answers appear whole or not at all."""
    sample.write_csv(measured / "in.csv", sample.rows(20, start=900))
    predict = Stops(measured, "predict", "in.csv", "-o", "out.csv", "--with", "rules")
    assert predict.at_every(12) >= 3
    assert len((measured / "out.csv").read_text().splitlines()) == 61

"""What an error looks like from outside: one message, the right exit code, no stack trace for a user's mistake."""

import errno
import json
import os
import signal
import subprocess
import sys

import pytest

from tunesmith.cli.boundary import guarded
from tunesmith.core.errors import ConfigError, TrainingError

MAIN = [sys.executable, "-c", "from tunesmith.cli.app import main; main()"]


def failing(error: BaseException):
    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConfigError("the key is wrong"), 2, "Error: the key is wrong\n"),
        (TrainingError("not finite"), 1, "Error: not finite\n"),
        (KeyboardInterrupt("Stopped at step 3."), 130, "Stopped at step 3.\n"),
        (OSError(errno.ENOSPC, "No space left on device", "a.bin"), 1, "Error: The disk is full: a.bin."),
        (OSError(errno.EFBIG, "File too large", "a.bin"), 1, "Error: A file may not grow so large: a.bin"),
        (PermissionError(errno.EACCES, "Permission denied", "a.bin"), 1, "may not be read or written: a.bin"),
    ],
)
def test_each_kind_of_error_has_its_words_and_its_code(error, code, said, capsys):
    assert guarded(failing(error), []) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err


def test_with_json_standard_output_is_one_document(capsys):
    assert guarded(failing(ConfigError("the key\nis wrong")), ["check", "--json"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out) == {"error": "the key\nis wrong", "kind": "ConfigError"}
    assert "the key" in err


def test_a_fault_of_the_program_leaves_its_stack_trace_in_the_project(tmp_path, monkeypatch, capsys):
    (tmp_path / ".tunesmith").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESMITH_DEBUG", raising=False)
    assert guarded(failing(ZeroDivisionError("division by zero")), []) == 1
    err = capsys.readouterr().err
    assert "a fault in Tunesmith: ZeroDivisionError: division by zero" in err
    assert len(err.splitlines()) == 1
    [trace] = (tmp_path / ".tunesmith").glob("fault-*.txt")
    assert str(trace) in err
    assert "Traceback" in trace.read_text()


FAULTY = """
from tunesmith.workflows import status
def fail(*_): raise ZeroDivisionError("by zero")
status.status = fail
from tunesmith.cli.app import main; main()
"""


@pytest.mark.parametrize("words", [("status", "-C", "tickets"), ("-C", "tickets", "status"), ("status", "-Ctickets")])
def test_a_fault_of_the_program_leaves_its_stack_trace_in_the_project_that_is_named(words, project):
    """Also where the working folder lies in another one."""
    (project.parent / ".tunesmith").mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "TUNESMITH_DEBUG"}
    done = subprocess.run(
        [sys.executable, "-c", FAULTY, *words],
        cwd=project.parent,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    [trace] = (project / ".tunesmith").glob("fault-*.txt")
    assert done.stderr.endswith(f": by zero. The stack trace is in {trace}.\n")
    assert not list((project.parent / ".tunesmith").iterdir())


def test_a_fault_is_said_where_its_stack_trace_cannot_be_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESMITH_DEBUG", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert guarded(failing(ZeroDivisionError("division by zero")), []) == 1
    assert capsys.readouterr().err.endswith("could not be written; TUNESMITH_DEBUG=1 prints it.\n")


def test_h_is_help_and_flags_show_no_type(tunesmith):
    words = [[], *([name] for name in ("demo", "init", "status", "check", "split", "seal", "baseline"))]
    for verb in (*words, ["train"], ["compare"], ["run"], ["ask"], ["predict"]):
        short, long = tunesmith(*verb, "-h"), tunesmith(*verb, "--help")
        assert (short.code, short.err) == (0, "")
        assert short.out == long.out
        assert "<bool>" not in long.out


def test_a_fault_is_shown_where_that_is_asked_for(monkeypatch, capsys):
    monkeypatch.setenv("TUNESMITH_DEBUG", "1")
    assert guarded(failing(ZeroDivisionError("division by zero")), []) == 1
    assert "Traceback" in capsys.readouterr().err


def test_text_of_the_data_cannot_drive_the_terminal(capsys):
    guarded(failing(ConfigError("\x1b[2J\x07 gone")), [])
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_verb_says_so_in_one_line_and_leaves_nothing(project, number):
    prompt = project / "prompts" / "system.md"
    prompt.unlink()
    os.mkfifo(prompt)
    child = subprocess.Popen(
        [*MAIN, "split"], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    with prompt.open("w"):  # returns once the child reads, and keeps it waiting
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, "")
    assert err.startswith("Stopped.")
    assert len(err.splitlines()) == 1
    assert not (project / "data" / "split").exists()


def test_a_reader_that_goes_away_is_no_error(project):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*MAIN, "status"], cwd=project, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.stderr == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_output_that_finds_no_room_is_said(project):
    with open("/dev/full", "w") as full:
        done = subprocess.run([*MAIN, "status"], cwd=project, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert b"The disk is full" in done.stderr


def test_two_commands_at_once_are_refused(project, tunesmith):
    from filelock import FileLock

    with FileLock(project / ".tunesmith" / "lock"):
        done = tunesmith("split", cwd=project)
    assert done.code == 2
    assert "Another tunesmith command is at work" in done.err

"""Words, tables and progress where there is no terminal, and on one."""

import os
import pty
import re
import sys

import pytest

from tunesmith.cli.console import CommandConsole, printable


def test_words_go_to_standard_output_or_with_json_to_standard_error(capsys):
    CommandConsole().say("hello")
    assert capsys.readouterr() == ("hello\n", "")
    CommandConsole(json=True).say("hello")
    assert capsys.readouterr() == ("", "hello\n")


def test_a_table_fits_eighty_columns(capsys):
    rows = [["a-candidate-with-quite-a-long-name", "88.3 %", "84.1–91.5", "12 ms", "a" * 90]]
    CommandConsole().table("Candidates", ["candidate", "accuracy", "95 % interval", "time", "note"], rows)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "".join(out.split()).count("a" * 10) >= 1


def test_cells_are_text_not_markup(capsys):
    CommandConsole().table("[red]", ["[bold]"], [["[/nonsense]"]])
    out = capsys.readouterr().out
    assert "[/nonsense]" in out
    assert "[bold]" in out


def test_progress_without_a_terminal_is_plain_lines_on_standard_error(capsys):
    progress = CommandConsole().progress("prompt: sealed rows")
    for done in range(11):
        progress(done, 10)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("prompt: sealed rows: done in ")
    assert len(err.splitlines()) == 1


def test_the_estimate_counts_what_was_done_since_the_work_went_on(monkeypatch, capsys):
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    progress = CommandConsole().progress("training")
    progress(50, 100)  # of an earlier execution
    for done in (60, 75):
        clock[0] += 10
        progress(done, 100)
    err = capsys.readouterr().err.splitlines()
    assert err == ["training: 60 %, about 40.0 s left", "training: 75 %, about 20.0 s left"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_on_a_terminal_is_a_bar_that_words_do_not_break(monkeypatch):
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setenv("TERM", "xterm")
        console = CommandConsole()
        progress = console.progress("training")
        progress(1, 4)
        console.say("Step 1 of 4")
        progress(2, 4)
        progress(4, 4)
    shown = _all_of(master)
    assert "training" in shown
    assert "100%" in shown
    assert re.search(r"(\n|\x1b\[2K)Step 1 of 4\r\n", shown)  # on a line of its own


def _all_of(master: int) -> str:
    """What was written to a pseudo-terminal that is closed by now: it hands over some of it at a time."""
    parts = []
    with os.fdopen(master, "rb", buffering=0) as reader:
        while True:
            try:
                part = reader.read(4096)
            except OSError:  # Linux says so where nothing is left
                part = b""
            if not part:
                return b"".join(parts).decode()
            parts.append(part)


def test_printable_keeps_lines_and_drops_what_rewrites_a_terminal():
    assert printable("a\tb\nc") == "a\tb\nc"
    assert printable("\x1b]0;title\x07\ud800") == "�]0;title��"

"""Answers in Python are compiled and tested inside bubblewrap, or not at all."""

import os
import shutil

import pytest

from tunesmith.core import sandbox
from tunesmith.core.errors import DataError, UserError
from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.tasks.coded import code_of, ran
from tunesmith.tasks.measures import measure
from tunesmith.tasks.spec import Task

TASK = Task(family="generation", prompt="Write Python.", max_new_tokens=200, runs_tests=True)
TESTS = "assert add(1, 2) == 3"
needs_sandbox = pytest.mark.skipif(sandbox.why_not() is not None, reason=f"no sandbox: {sandbox.why_not()}")


def row(place: int, tests: str = TESTS) -> Example:
    asked = (Message(role="user", content=f"Add two numbers, {place}"),)
    return Example(messages=asked, expected="def add(a, b):\n    return a + b", tests=tests)


def said(example: Example, text: str | None) -> Prediction:
    return Prediction(example=example.id, state="ok" if text else "invalid", output=text, text=text or "")


def test_the_code_is_what_stands_in_the_first_fence_else_all():
    assert code_of("Sure:\n```python\nx = 1\n```\nDone.") == "x = 1"
    assert code_of("```\nx = 1") == "x = 1"
    assert code_of("x = 1") == "x = 1"


@needs_sandbox
@pytest.mark.parametrize(
    ("code", "compiled", "passed"),
    [
        ("def add(a, b):\n    return a + b", True, True),
        ("def add(a, b):\n    return a - b", True, False),
        ("def add(a, b:", False, False),
        ("import os; os._exit(0)", True, False),
        ("print('passed')\ndef add(a, b): return 4", True, False),
        ("raise SystemExit", True, False),
    ],
)
def test_code_is_compiled_and_tested(code, compiled, passed):
    assert ran(code, TESTS) == (compiled, passed)


@needs_sandbox
@pytest.mark.parametrize(
    "tests",
    [
        "import socket; socket.create_connection(('1.1.1.1', 53), timeout=2)",
        "open('/usr/tunesmith-was-here', 'w')",
        f"open({os.path.abspath(__file__)!r}).read()",
        "import os; assert os.environ.get('HOME')",
        "x = bytearray(4 << 30)",
    ],
)
def test_nothing_of_the_machine_is_reached(tests):
    assert ran("y = 1", tests) == (True, False)


@needs_sandbox
def test_tests_that_are_no_python_are_the_rows_fault():
    example = row(0, "assert add(1, 2 ==")
    with pytest.raises(DataError, match=r"Row .*its tests cannot be run: SyntaxError"):
        measure(TASK, [example], [said(example, "def add(a, b): return 3")])


@needs_sandbox
def test_both_rates_have_their_intervals():
    rows = [row(place) for place in range(12)]
    texts = ["def add(a, b):\n    return a + b"] * 8 + ["def add(a, b): return 0"] * 2 + ["no code at all", None]
    found = measure(TASK, rows, [said(*pair) for pair in zip(rows, texts, strict=True)]).metrics
    assert found["pass_rate"].value == pytest.approx(8 / 12)
    assert found["compile_rate"].value == pytest.approx(10 / 12)
    assert 0 < found["pass_rate"].low < 8 / 12 < found["pass_rate"].high < 1


def test_without_bubblewrap_nothing_is_run_and_the_refusal_says_why(monkeypatch, tmp_path):
    (tmp_path / "python").symlink_to(shutil.which("true") or "/bin/true")
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox.why_not.cache_clear()
    try:
        with pytest.raises(UserError, match=r"bubblewrap or not at all: bubblewrap is not installed.*apt install"):
            measure(TASK, [row(0)], [said(row(0), "def add(a, b): return 3")])
    finally:
        sandbox.why_not.cache_clear()


@needs_sandbox
def test_a_row_without_tests_is_named():
    with pytest.raises(DataError, match=r"1 of 1 rows have no tests to run"):
        measure(TASK, [row(0, "")], [said(row(0, ""), "x = 1")])

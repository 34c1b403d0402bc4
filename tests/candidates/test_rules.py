"""The user's code is run for real, in its own process, and does its worst."""

import json
import os
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.candidates import rules
from tunesmith.candidates.load import load
from tunesmith.core.errors import UserError
from tunesmith.core.example import Example, Message, question
from tunesmith.tasks.spec import Task

SECONDS = 10.0  # generous: a busy machine must not fail a test
SHORT = 1.0  # for rows that hang on purpose


@pytest.fixture
def opened(tmp_path, task):
    """Source → the candidate that it makes."""

    def make(source: str, seconds: float = SECONDS):
        path = tmp_path / "rules.py"
        path.write_text(source, encoding="utf-8")
        artifacts = tmp_path / "artifacts"
        return load(artifacts, rules.make(artifacts, task, path, seconds=seconds), engines=None)

    return make


def answers(candidate, *texts):
    return list(candidate.predict([question(text) for text in texts]))


def test_the_four_states(opened):
    candidate = opened(
        """
def answer(message):
    if message == "raise":
        raise KeyError("x" * 5000)
    return {"rain": "weather", "shout": " WEATHER ", "vague": "the weather"}.get(message)
"""
    )
    found = answers(candidate, "rain", "shout", "vague", "silence", "raise")
    assert [p.state for p in found] == ["ok", "ok", "invalid", "refused", "failed"]
    assert [p.output for p in found] == ["weather", "weather", None, None, None]
    assert [p.text for p in found] == ["weather", " WEATHER ", "the weather", "", ""]
    assert found[4].error.startswith("rules.py:4: KeyError: 'xxx")
    assert len(found[4].error) < 120
    assert all(p.seconds > 0 and p.latency is None and p.confidence is None for p in found)


def test_alone_measures_latency(opened):
    candidate = opened("def answer(message):\n    return 'food'\n")
    [prediction] = candidate.predict([question("x")], alone=True)
    assert prediction.latency == prediction.seconds > 0


def test_a_multi_turn_row_arrives_as_one_text(opened):
    candidate = opened(
        "def answer(message):\n    return 'food' if message == 'user: a\\nassistant: b\\nuser: c' else None\n"
    )
    turns = tuple(Message(role=role, content=text) for role, text in (("user", "a"), ("assistant", "b"), ("user", "c")))
    [prediction] = candidate.predict([Example(messages=turns, expected="food")])
    assert prediction.output == "food"


def test_prints_and_reads_do_not_touch_the_protocol(opened):
    candidate = opened(
        """
import os, subprocess, sys
print("loading", flush=True)
def answer(message):
    print('{"row": 0, "answer": "travel"}', flush=True)
    sys.stderr.write("noise" * 100_000)
    os.write(1, b'{"row": 0, "answer": "travel"}\\n')
    os.system("echo shouting; echo louder >&2")
    try:
        input()
    except EOFError:
        return "food"
"""
    )
    assert [p.output for p in answers(candidate, "a", "b")] == ["food", "food"]


def test_a_hung_row_fails_and_the_next_one_is_answered(opened):
    candidate = opened(
        """
import time
def answer(message):
    while message == "hang":
        time.sleep(0.01)
    return "food"
""",
        seconds=SHORT,
    )
    found = answers(candidate, "a", "hang", "b", "hang")
    assert [p.state for p in found] == ["ok", "failed", "ok", "failed"]
    assert "not done within 1.0 s" in found[1].error


@pytest.mark.parametrize(
    ("death", "said"),
    [
        ("os._exit(7)", "exit code 7"),
        ("os.kill(os.getpid(), 9)", "SIGKILL"),
        ("os.closerange(0, 100)", "ended before its reply"),
        ("sys.exit('enough')", "SystemExit: enough"),
        ("answer(message)", "RecursionError"),
        ("[0] * 10**10", "MemoryError"),
        ("raise Rude()", "rules.py:7: Rude"),
        ("return 7", "returned int, expected a label as str"),
        ("return [message]", "returned list"),
    ],
)
def test_every_other_death_is_that_rows_failure(opened, death, said):
    candidate = opened(
        f"""
import os, sys
class Rude(Exception):
    def __str__(self): raise RuntimeError("no words")
def answer(message):
    if message == "die":
        {death}
    return "food"
"""
    )
    found = answers(candidate, "a", "die", "b")
    assert [p.state for p in found] == ["ok", "failed", "ok"]
    assert said in found[1].error


@pytest.fixture
def records(tmp_path):
    """The path of rules.py, and source → its answers to texts, of a task whose answers are records."""
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "seats": {"type": ["integer", "null"]}},
        "required": ["city"],
        "additionalProperties": False,
    }
    task = Task(family="extraction", prompt="", max_new_tokens=64, output_schema=json.dumps(schema))

    def asked(source: str, *texts: str):
        path = tmp_path / "rules.py"
        path.write_text(source, encoding="utf-8")
        made = rules.make(tmp_path / "artifacts", task, path, seconds=SECONDS)
        return answers(load(tmp_path / "artifacts", made, engines=None), *texts)

    return asked


def test_a_record_is_a_dict_or_its_text(records):
    found = records(
        """
def answer(message):
    return {"dict": {"seats": 4, "city": "Zürich"}, "text": '{"seats": 4, "city": "Zürich"}'}.get(message)
""",
        "dict",
        "text",
        "neither",
    )
    assert [p.state for p in found] == ["ok", "ok", "refused"]
    assert [p.output for p in found] == ['{"city": "Zürich", "seats": 4}'] * 2 + [None]
    assert found[0].text == '{"seats": 4, "city": "Zürich"}'


def test_what_is_no_record_is_invalid_and_what_json_cannot_carry_fails(records):
    found = records(
        """
import datetime
class Rude:
    def __str__(self): raise RuntimeError("no words")
GIVEN = {
    "schema": {"seats": 4},
    "words": "Bern, please",
    "long": {"city": "x" * 100_000},
    "date": {"city": datetime.date(2026, 3, 2)},
    "nan": {"city": float("nan")},
    "rude": {Rude(): 1},
    "list": ["Bern"],
}
def answer(message):
    return GIVEN[message]
""",
        *("schema", "words", "long", "date", "nan", "rude", "list"),
    )
    assert [p.state for p in found] == ["invalid"] * 3 + ["failed"] * 4
    said = ["lacks 'city'", "no JSON", "the first 20,000 kept", *["a dict that JSON cannot carry"] * 3]
    for prediction, part in zip(found, [*said, "returned list, expected a record as dict"], strict=True):
        assert part in prediction.error


def test_a_dict_is_no_label(opened):
    [found] = answers(opened("def answer(message):\n    return {'label': 'food'}\n"), "a")
    assert "returned dict, expected a label as str, or None" in found.error


def test_the_signature_is_that_of_the_family(records):
    with pytest.raises(UserError, match=r"def answer\(message: str\) -> dict \| None"):
        records("def respond(message): ...\n")


def test_what_the_rules_started_ends_with_them(opened, tmp_path):
    pipe = tmp_path / "alive"
    os.mkfifo(pipe)
    candidate = opened(
        f"""
import subprocess
def answer(message):
    subprocess.Popen(["sh", "-c", "exec 3>{pipe}; sleep 600"]).wait()
""",
        seconds=SHORT,
    )
    read = threading.Thread(target=lambda: pipe.read_bytes(), daemon=True)  # ends when the last writer is gone
    read.start()
    assert [p.state for p in answers(candidate, "a")] == ["failed"]
    read.join(timeout=30)
    assert not read.is_alive()


def test_an_abandoned_prediction_stops_the_process(opened, tmp_path):
    candidate = opened(f"import os\ndef answer(m):\n    open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n")
    predictions = candidate.predict([question("a"), question("b")])
    next(predictions)
    predictions.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_one_process_serves_all_rows_of_a_call(opened):
    candidate = opened(
        "seen = []\ndef answer(message):\n    seen.append(1)\n    return ['weather', 'food', 'travel'][len(seen) - 1]\n"
    )
    assert [p.output for p in answers(candidate, "a", "b", "c")] == ["weather", "food", "travel"]
    assert [p.output for p in answers(candidate, "a")] == ["weather"]


def test_the_process_is_isolated(opened, monkeypatch, tmp_path):
    (tmp_path / "sitting_beside.py").write_text("x = 1")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    candidate = opened(
        """
import os, sys
def answer(message):
    isolated = sys.flags.isolated and os.listdir(".") == []
    try:
        import sitting_beside
    except ImportError:
        return "food" if isolated else "travel"
"""
    )
    assert answers(candidate, "a")[0].output == "food"


def test_a_long_answer_is_bounded_and_says_so(opened):
    [found] = answers(opened("def answer(message):\n    return 'weather' * 10**6\n"), "a")
    assert found.state == "invalid"
    assert len(found.text) == 20_000
    assert "7,000,000 characters" in found.error


def test_a_large_message_goes_through(opened):
    candidate = opened("def answer(message):\n    return 'food' if len(message) == 3_000_000 else None\n")
    assert answers(candidate, "é" * 3_000_000)[0].output == "food"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def answer(message:\n    pass\n", r"rules\.py:1: SyntaxError"),
        ("x = 1\n\nx = 1 / 0\n", r"rules\.py:3: ZeroDivisionError: division by zero"),
        ("import nothing_of_the_kind\n", r"rules\.py:1: ModuleNotFoundError: No module named 'nothing_of_the_kind'"),
        ("def respond(message): ...\n", r"rules\.py:1: there is no function `answer`"),
        ("answer = 'food'\n", "there is no function `answer`"),
        ("\ndef answer(): ...\n", r"rules\.py:2: `answer` does not take exactly one argument"),
        ("def answer(message, other): ...\n", "does not take exactly one argument"),
        ("import sys\nsys.exit(3)\n", r"rules\.py:2: SystemExit: 3"),
        ("import os\nos._exit(3)\n", "exit code 3"),
        ("\0", "null bytes"),
        ("# -*- coding: utf-8 -*-\nx = '\udcff'\n", "rules.py"),
    ],
)
def test_a_file_that_does_not_load_is_refused_with_file_and_line(tmp_path, task, source, said):
    path = tmp_path / "rules.py"
    path.write_bytes(source.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=said) as refusal:
        rules.make(tmp_path / "artifacts", task, path, seconds=SECONDS)
    assert str(path) in str(refusal.value)
    assert "def answer(message: str)" in str(refusal.value)
    assert not (tmp_path / "artifacts").exists()


def test_a_file_that_hangs_while_loading_is_refused(tmp_path, task):
    path = tmp_path / "rules.py"
    path.write_text("while True: pass")
    with pytest.raises(UserError, match="not done within 300 ms"):
        rules.make(tmp_path, task, path, seconds=0.03)


def test_a_missing_file_is_refused(tmp_path, task):
    with pytest.raises(UserError, match="cannot be read"):
        rules.make(tmp_path, task, tmp_path / "rules.py", seconds=SECONDS)


def test_the_digest_is_of_the_code_and_the_limits(tmp_path, task):
    path = tmp_path / "mine.py"
    path.write_text("def answer(message): return 'food'\n")
    first = rules.make(tmp_path, task, path, seconds=SECONDS)
    assert rules.make(tmp_path, task, path, seconds=SECONDS) == first
    assert rules.make(tmp_path, task, path, seconds=1.0) != first
    path.write_text("def answer(message): return 'travel'\n")
    assert rules.make(tmp_path, task, path, seconds=SECONDS) != first
    assert answers(load(tmp_path, first, engines=None), "x")[0].output == "food"  # the copy, not the file


def test_naughty_strings_arrive_unchanged_and_come_back_as_said(opened, naughty):
    candidate = opened("def answer(message):\n    return message\n")
    found = answers(candidate, *naughty)
    assert [p.text for p in found] == naughty
    assert {p.state for p in found} == {"invalid"}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(max_size=50), max_size=5))
def test_any_text_comes_back_as_said(opened, texts):
    candidate = opened("def answer(message):\n    return message\n")
    assert [p.text for p in answers(candidate, *texts)] == texts


def test_an_answer_without_utf8_is_written_down_all_the_same(opened):
    [found] = answers(opened("def answer(message):\n    return '\\ud800weather'\n"), "a")
    assert (found.state, found.text) == ("invalid", "?weather")
    json.loads(found.model_dump_json())

"""Rows beside requests: the tests raise no more false alarms than they say, and see what was planted."""

import json
import random
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message
from tunesmith.data.finding import Finding
from tunesmith.data.production import compare
from tunesmith.data.requests import Request, read_requests
from tunesmith.data.two_samples import classifier_test, holm, shares_test

NOUNS = ["card", "transfer", "refund", "invoice", "account", "payment", "order", "password", "address", "receipt"]
VERBS = ["arrive", "change", "cancel", "lose", "find", "check", "update", "receive", "send", "move"]


def message(chance: random.Random) -> str:
    start = chance.choice(["How do I", "I want to", "Can you", "Please help me to", "When will I"])
    return f"{start} {chance.choice(VERBS)} the {chance.choice(NOUNS)} of my {chance.choice(NOUNS)}?"


def rows(texts: list[str]) -> list[Example]:
    return [
        Example(messages=(Message(role="user", content=text),), expected="x", origin=f"data/a.csv:{line}")
        for line, text in enumerate(texts, start=2)
    ]


def requests(texts: list[str], **fields: object) -> list[Request]:
    return [Request(text, f"log.jsonl:{line}", **fields) for line, text in enumerate(texts, start=1)]  # type: ignore[arg-type]


def found(ours: list[str], theirs: list[str]) -> dict[str, Finding]:
    findings = compare(rows(ours), requests(theirs), prompt=None)
    return {finding.check: finding for finding in findings}


def test_the_classifier_test_holds_its_level():
    """400 pairs of samples from one source: p at most 0.05 in about 5 % of them, at most 8 (3 deviations)."""
    chance = np.random.default_rng(0)
    low = 0
    for seed in range(400):
        vectors = chance.normal(size=(40, 8))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        low += classifier_test(vectors, np.arange(40) >= 25, dealings=99, seed=seed).p <= 0.05
    assert 0.02 <= low / 400 <= 0.083


def test_the_classifier_test_sees_what_differs():
    chance = np.random.default_rng(1)
    seen = 0
    for seed in range(40):
        vectors = chance.normal(size=(120, 8))
        vectors[60:, 0] += 1.3
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        told = classifier_test(vectors, np.arange(120) >= 60, dealings=199, seed=seed)
        seen += told.p <= 0.01
        assert told.scores_N.shape == (120,)
    assert seen >= 34


def test_the_test_of_shares_holds_its_level_and_sees_what_differs():
    chance = np.random.default_rng(2)
    second = np.arange(80) >= 30
    low = sum(
        shares_test(chance.integers(3, size=80), second, dealings=99, seed=seed)[1] <= 0.05 for seed in range(400)
    )
    assert low / 400 <= 0.083
    apart, p = shares_test(np.where(second, 1, chance.integers(2, size=80)), second)
    assert apart > 0.3
    assert p <= 0.01


def test_holm():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_whole_comparisons_raise_few_false_alarms():
    """30 comparisons of seven tests each at 1 %: four with a finding would be too many by far."""
    alarms = 0
    for seed in range(30):
        chance = random.Random(seed)
        texts = [message(chance) for _ in range(120)]
        alarms += bool(found(texts[:60], texts[60:]))
    assert alarms <= 3


def test_requests_about_something_else_are_seen_and_shown():
    seen = 0
    for seed in range(8):
        chance = random.Random(seed)
        ours, theirs = ([message(chance) for _ in range(150)] for _ in range(2))
        theirs[:45] = [f"My {chance.choice(NOUNS)} shows a broken turbine gearbox number {n}?" for n in range(45)]
        wording = found(ours, theirs).get("production-wording")
        seen += wording is not None
    assert seen >= 7
    assert wording
    assert wording.severity == "look"
    assert "turbine gearbox" in wording.message
    assert wording.origin.startswith("log.jsonl")
    assert len(wording.related) == 9


def test_length_language_and_habits():
    chance = random.Random(0)
    ours = [message(chance) for _ in range(100)]
    assert "production-length" in found(ours, [f"{text} {text} {text}" for text in ours])
    lower = found(ours, [text.lower() for text in ours])["production-formatting"]
    assert "0.0 % of the requests begin with a capital letter, 100.0 % of the rows' inputs" in lower.message
    german = [f"Wann kommt denn endlich meine neue Karte mit der Nummer {number} bei mir an?" for number in range(100)]
    other = found(ours, german)["production-language"]
    assert "de 100.0 %" in other.message


def test_topics_are_compared_where_there_are_vectors():
    chance = random.Random(0)
    ours, theirs = ([message(chance) for _ in range(60)] for _ in range(2))

    def embed(texts: list[str]) -> list[list[float]]:
        return [[1.0, 0.0] if text in theirs else [0.0, 1.0] for text in texts]

    findings = compare(rows(ours), requests(theirs), prompt=None, embed=embed)
    assert "production-topics" in {finding.check for finding in findings}


def test_few_requests_are_too_few():
    (note,) = compare(rows(["a"] * 100), requests(["b"] * 5), prompt=None)
    assert (note.severity, note.check) == ("note", "like-production")
    assert "100 rows and 5 requests; a test needs 30 of each" in note.message


def test_system_prompts_and_tools_that_rows_do_not_have():
    same = Request("a", "log.jsonl:1", "Sort  the\nmessage.", body=True)
    other = Request("a", "log.jsonl:2", "Be brief.", frozenset({"lookup"}), True)
    none = Request("a", "log.jsonl:3", None, body=True)
    findings = {f.check: f for f in compare(rows(["a"]), [same, other, none], prompt="Sort the message.")}
    assert findings["production-system"].line == 2
    assert "2 of 3 requests come with another system prompt" in findings["production-system"].message
    assert findings["production-system"].excerpt == "Be brief."
    assert "1 of 3 requests list tools" in findings["production-tools"].message
    plain = compare(rows(["a"]), requests(["a"] * 3), prompt="Sort the message.")
    assert "production-system" not in {finding.check for finding in plain}


CHAT = [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": "earlier"},
    {"role": "assistant", "content": "…"},
    {"role": "user", "content": [{"type": "text", "text": "the last"}, {"type": "image_url", "image_url": {}}]},
]


def test_every_form_of_a_request_is_read(tmp_path):
    tool = {"type": "function", "function": {"name": "lookup"}}
    lines = [
        json.dumps({"text": "by its column", "input": "not this"}),
        json.dumps({"input": "plain", "id": 7}),
        json.dumps({"model": "m", "messages": CHAT, "tools": [tool]}),
        json.dumps({"custom_id": "1", "body": {"model": "m", "messages": CHAT}}),
        json.dumps("a string"),
        "just text",
        "",
        "{broken",
        json.dumps({"messages": [{"role": "system", "content": "x"}]}),
        json.dumps({"other": 1}),
        "5",
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(lines))
    read, findings = read_requests(path, "log.jsonl", "text")
    assert [each.text for each in read] == ["by its column", "plain", "the last", "the last", "a string", "just text"]
    assert [each.system for each in read] == [None, None, "Be brief.", "Be brief.", None, None]
    assert read[2].tools == {"lookup"}
    assert [each.body for each in read] == [False, False, True, True, False, False]
    assert [(finding.check, finding.line) for finding in findings] == [("request", line) for line in (8, 9, 10, 11)]


def test_a_file_of_text_and_one_without_requests(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text('{"input": "as it stands"}\nsecond\n')
    assert [each.text for each in read_requests(path, "log.txt", "input")[0]] == ['{"input": "as it stands"}', "second"]
    path = tmp_path / "log.jsonl"
    path.write_text('{"a": 1}\n')
    with pytest.raises(DataError, match="holds no request"):
        read_requests(path, "log.jsonl", "input")
    with pytest.raises(DataError, match="does not exist"):
        read_requests(tmp_path / "none.jsonl", "none.jsonl", "input")


def test_the_chats_among_a_collectors_spans_are_the_requests(tmp_path):
    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}])
    chat = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": said}
    spans = [{"name": "GET", "traceId": "1", "attributes": {"http.method": "GET"}}, {"name": "c", "attributes": chat}]
    path = tmp_path / "log.jsonl"
    whole = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    path.write_text("\n".join(json.dumps(each) for each in (*spans, whole)))
    read, findings = read_requests(path, "log.jsonl", "input")
    assert [(each.text, each.origin, each.body) for each in read] == [
        ("Hi", "log.jsonl:2", True),
        ("Hi", "log.jsonl:3", True),
    ]
    assert [(each.severity, each.message) for each in findings] == [("note", "Passed over: 2 spans of other work.")]


def test_bodies_that_logs_wrap_twice_or_keep_as_text(tmp_path):
    path = tmp_path / "log.jsonl"
    sent = {"model": "m", "messages": CHAT}
    path.write_text("\n".join(json.dumps(each) for each in ({"request": {"body": sent}}, {"body": json.dumps(sent)})))
    assert [each.text for each in read_requests(path, "log.jsonl", "input")[0]] == ["the last"] * 2


def test_a_table_is_no_log(tmp_path):
    (tmp_path / "log.csv").write_text("input\nHi\n")
    with pytest.raises(DataError, match="tunesmith import"):
        read_requests(tmp_path / "log.csv", "log.csv", "input")


HOSTILE = st.binary(max_size=20) | st.text(max_size=9).map(lambda text: json.dumps({"messages": text}).encode())


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(HOSTILE, max_size=8))
def test_any_bytes_give_findings_never_an_exception(tmp_path, lines):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join(lines))
    with suppress(DataError):
        read_requests(path, "log.jsonl", "input")


def test_real_messages_are_like_themselves_and_unlike_others(real_data):
    from tunesmith.data.reading import read
    from tunesmith.data.section import DataSection

    section = DataSection(input="text", output="category")
    path = real_data / "banking77" / "train.csv"
    texts = [row.text for row in read(path, section, prompt="", name="train.csv").examples]
    random.Random(0).shuffle(texts)
    assert found(texts[:300], texts[300:600]) == {}
    demo = json.loads((real_data / "llamafactory_demo" / "alpaca_en_demo.json").read_text(encoding="utf-8"))
    assert {"production-wording", "production-length"} <= set(
        found(texts[:300], [row["instruction"] for row in demo[:300]])
    )

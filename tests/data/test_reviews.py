import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.data.reviews import Decision, Tail, append, forget, read_log


def decision(row: str = "r", verdict: str = "accept", **more: object) -> Decision:
    fields = {"origin": "data/a.csv:2", "reviewer": "Ada", "time": "2026-03-01T10:00:00+00:00", "guideline": "g"}
    return Decision(row=row, verdict=verdict, **fields | more)  # type: ignore[arg-type]


@pytest.fixture
def log(tmp_path) -> Path:
    return tmp_path / "data" / "reviews.jsonl"


def add(log: Path, *decisions: Decision) -> None:
    for each in decisions:
        append(log, each, log.parent / "lock")


TEXT = st.text(min_size=1)


@settings(max_examples=50, deadline=None)
@given(reason=st.text(), text=TEXT, reviewer=TEXT)
def test_what_was_decided_is_read_back_equal(tmp_path_factory, reason, text, reviewer):
    log = tmp_path_factory.mktemp("reviews") / "reviews.jsonl"
    said = [
        decision("a", "edit", text=text, becomes="b", reason=reason, reviewer=reviewer),
        decision("b", "skip", reason=reason),
    ]
    add(log, *said)
    assert read_log(log).decisions == tuple(said)


def test_a_line_that_was_torn_stays_is_named_and_takes_no_other_with_it(log):
    add(log, decision("a"), decision("b"))
    whole = log.read_bytes()
    for cut in range(1, len(whole)):
        log.write_bytes(whole[:cut])
        before = read_log(log)
        add(log, decision("c"))
        after = read_log(log)
        assert log.read_bytes().startswith(whole[:cut])
        assert [each.row for each in after.decisions] == [*(each.row for each in before.decisions), "c"]
        assert after.unreadable == before.unreadable
        assert len(before.decisions) + len(before.unreadable) == (1 if cut <= whole.index(b"\n") + 1 else 2)


def test_where_there_is_no_room_the_file_is_as_it_was(log, monkeypatch):
    add(log, decision("a"))
    before = log.read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        add(log, decision("b"))
    assert log.read_bytes() == before


def _many(log: Path, name: str) -> None:
    add(log, *(decision(f"{name}{number}", reviewer=name) for number in range(40)))


def test_people_who_decide_at_the_same_time_lose_nothing(log):
    context = multiprocessing.get_context("fork")
    people = [context.Process(target=_many, args=(log, name)) for name in ("Ada", "Bob", "Eve")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    found = read_log(log)
    assert not found.unreadable
    assert len({each.row for each in found.decisions}) == 120


def test_a_decision_of_a_later_version_is_refused(log):
    add(log, decision("a"))
    log.write_bytes(log.read_bytes().replace(b'"schema_version": 1', b'"schema_version": 2'))
    with pytest.raises(DataError, match=r"reviews\.jsonl:1 was written by a later version"):
        read_log(log)


@pytest.mark.parametrize("garbage", [b"<<<<<<< HEAD\n", b"\xff\xfe\n", b"[1]\n", b"{}\n", b"[" * 100_000 + b"\n"])
def test_any_other_line_is_counted(log, garbage):
    add(log, decision("a"))
    log.write_bytes(garbage + log.read_bytes())
    assert read_log(log).unreadable == (1,)


def test_what_is_forgotten_is_in_no_line(log):
    add(log, decision("a"), decision("b", "edit", text="secret", becomes="a"), decision("c"))
    log.write_bytes(log.read_bytes() + b'{"row": "a", "torn')
    assert forget(log, {"a"}, log.parent / "lock") == 3
    assert [each.row for each in read_log(log).decisions] == ["c"]
    assert b"secret" not in log.read_bytes()


def test_a_tail_says_what_was_added_since_whole_lines_alone(log):
    early = Tail(log)
    add(log, decision("a"))
    late = Tail(log)
    add(log, decision("b"))
    with log.open("ab") as file:
        file.write(b'{"row": "torn')
    assert [each.row for each in early.added()] == ["a", "b"]
    assert [each.row for each in late.added()] == ["b"]
    assert early.added() == []
    add(log, decision("c"))
    assert [each.row for each in early.added()] == ["c"]
    forget(log, {"a", "b"}, log.parent / "lock")
    add(log, decision("d"))
    assert "d" in {each.row for each in early.added()}

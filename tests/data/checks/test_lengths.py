from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message
from tunesmith.data.checks.lengths import DRAWN, Lengths
from tunesmith.data.finding import Finding


def found(lengths: list[int], limit: int = 100) -> list[Finding]:
    def tokens(row: Example) -> int:
        if row.text == "0":
            raise DataError("the template cannot carry it")
        return int(row.text)

    check = Lengths(tokens, limit=limit)
    for line, length in enumerate(lengths, start=1):
        row = Example(messages=(Message(role="user", content=str(length)),), expected="x", origin=f"a.jsonl:{line}")
        assert not list(check.see(row))
    return list(check.close())


def test_the_figures_of_all_rows():
    (note,) = found([*range(1, 100), 120])
    assert (note.severity, note.check, note.file, note.line) == ("note", "tokens", "a.jsonl", 0)
    assert "50 tokens in the median, 95 % at most 96, the longest 120; 1 longer than" in note.message
    assert "An epoch of all 100 rows is 5,070 tokens" in note.message


def test_none_too_long_and_rows_that_cannot_be_rendered():
    (note,) = found([5, 0, 7])
    assert "none longer than [model] max_tokens = 100" in note.message
    assert "all 3 rows is 18 tokens" in note.message
    assert found([0, 0]) == []
    assert found([]) == []


def test_of_many_rows_some_are_drawn():
    (note,) = found([10] * (3 * DRAWN))
    assert f"(of {DRAWN:,} rows drawn)" in note.message
    assert "all 3,000 rows is about 30,000 tokens" in note.message

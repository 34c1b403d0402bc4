from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message
from tunesmith.data.checks.billed import Billed
from tunesmith.data.checks.lengths import DRAWN, Epoch, Lengths
from tunesmith.data.finding import Finding
from tunesmith.models.renderer import Rendered

SHARED, ANSWER = 4, 1


def row(text: str, line: int = 1) -> Example:
    return Example(messages=(Message(role="user", content=text),), expected="x", origin=f"a.jsonl:{line}")


def checked(lengths: list[int], limit: int = 100) -> tuple[list[Finding], Epoch | None]:
    """The findings of rows of so many tokens, of which the first four are the same; 0 cannot be rendered."""
    asked: list[Epoch] = []

    def render(row: Example) -> Rendered:
        length = int(row.text)
        if not length:
            raise DataError("the template cannot carry it")
        own = [1000 + length] * (length - SHARED)
        return Rendered(tokens=(*range(SHARED), *own), start=length - ANSWER)

    def takes(epoch: Epoch) -> str:
        asked.append(epoch)
        return "It takes a while."

    check = Lengths(render, limit=limit, takes=takes)
    for line, length in enumerate(lengths, start=1):
        assert not list(check.see(row(str(length), line)))
    return list(check.close()), asked[0] if asked else None


def test_the_figures_of_all_rows():
    (tokens, epoch), given = checked([*range(10, 109), 120])
    assert (tokens.severity, tokens.check, tokens.file, tokens.line) == ("note", "tokens", "a.jsonl", 0)
    assert "59 tokens in the median, 95 % at most 105, the longest 120; 9 longer than" in tokens.message
    assert (epoch.severity, epoch.check, epoch.message) == ("note", "epoch", "It takes a while.")
    assert given == Epoch(rows=100, tokens=sum(range(10, 109)) + 120, labels=100, shared=SHARED, exact=True)


def test_none_too_long_and_rows_that_cannot_be_rendered():
    (tokens, _), given = checked([8, 0, 10])
    assert "none longer than [model] max_tokens = 100" in tokens.message
    assert given == Epoch(rows=3, tokens=27, labels=3, shared=SHARED, exact=False)
    assert checked([0, 0]) == ([], None)
    assert checked([]) == ([], None)


def test_of_many_rows_some_are_drawn():
    (tokens, _), given = checked([10] * (3 * DRAWN))
    assert f"(of {DRAWN:,} rows drawn)" in tokens.message
    assert given == Epoch(rows=3_000, tokens=30_000, labels=3_000, shared=9, exact=False)


def test_a_provider_is_sent_every_row_with_its_prompt():
    check = Billed("p" * 94, lambda rows, tokens: f"{rows} rows, {tokens} tokens")
    for line in range(1, 41):
        assert not list(check.see(row("ä\ud800y", line)))
    (note,) = check.close()
    assert (note.check, note.message) == ("epoch", "40 rows, 990 tokens")  # 94 + 2 + 1 + 1 + 1 bytes of each
    assert list(Billed("p", lambda rows, tokens: "").close()) == []

from collections.abc import Iterable

from tunesmith.core.example import Example, Message
from tunesmith.data.checks.coverage import Coverage
from tunesmith.data.finding import Finding

ANSWER = "Your card is on its way and should be with you on Monday."


def rows(pairs: Iterable[tuple[str, str]], **fields: str) -> list[Example]:
    return [
        Example(messages=(Message(role="user", content=text),), expected=output, origin=f"data/a.csv:{line}", **fields)
        for line, (text, output) in enumerate(pairs, start=2)
    ]


def found(examples: list[Example], *, labelled: bool = False) -> dict[str, Finding]:
    check = Coverage(labelled=labelled)
    assert not [finding for row in examples for finding in check.see(row)]
    findings = list(check.close())
    assert len({finding.check for finding in findings}) == len(findings)
    return {finding.check: finding for finding in findings}


def answers(number: int, output: str = ANSWER) -> list[Example]:
    return rows((f"Where is my card number {each}?", output) for each in range(number))


def test_no_rows_no_findings():
    assert found([]) == {}


def test_the_amount_is_that_of_the_kind_of_task():
    few = found(answers(40))["amount"]
    assert (few.severity, few.file, few.line) == ("look", "data/a.csv", 0)
    assert "40 rows; for a tone or a style the guides ask for 50 to 200" in few.message
    assert found(answers(100))["amount"].severity == "note"
    assert "amount" not in found(answers(200))
    assert "structured replies the guides ask for 200 to 1,000" in found(answers(100, '{"a": 1}'))["amount"].message
    labelled = rows((f"text {number}", "ab"[number % 2]) for number in range(100))
    assert "classification the guides ask for 200 to 1,000" in found(labelled, labelled=True)["amount"].message
    turns = (
        Message(role="user", content="?"),
        Message(role="assistant", content="!"),
        Message(role="user", content="?"),
    )
    talks = [Example(messages=turns, expected=f"{ANSWER} {number}", origin="a:1") for number in range(100)]
    assert "the guides ask for 1,000 and more" in found(talks)["amount"].message


def test_one_label_with_most_of_the_rows_is_worth_knowing():
    labels = ["a"] * 160 + ["b"] * 25 + ["c"] * 15
    uneven = found(rows((f"text {number}", label) for number, label in enumerate(labels)), labelled=True)["balance"]
    assert uneven.severity == "note"
    assert "'a' has 160 of 200 rows (80.0 %), the median label 25, the rarest 15" in uneven.message
    even = rows((f"text {number}", "abc"[number % 3]) for number in range(200))
    assert "balance" not in found(even, labelled=True)


def test_answers_that_never_refuse_hand_over_or_ask_back():
    happy = found(answers(300))["happy-paths"]
    assert happy.severity == "look"
    assert "none of 300 answers" in happy.message
    for other in (
        "I'm sorry, but I cannot cancel a payment that has been sent.",
        "I am passing this on to a colleague, who will call you.",
        "Could you tell me the last four digits of the card?",
    ):
        assert "happy-paths" not in found(answers(280) + answers(20, other))
    assert "happy-paths" not in found(answers(49))


def test_slices_that_nothing_shows_are_named():
    note = found(answers(300))["missing-slices"]
    assert note.severity == "note"
    assert "edge cases, ambiguous cases." in note.message
    assert "No row names its slice" in note.message
    marked = answers(280) + rows([("?", ANSWER)] * 20, slice="Edge cases")
    assert found(marked)["missing-slices"].message == "No slice or answer shows ambiguous cases."
    labels = ["edge", "ambiguous", "refuse", "escalate", "clarify"]
    pairs = ((f"text {number}", labels[number % 5]) for number in range(300))
    assert "missing-slices" not in found(rows(pairs), labelled=True)
    pairs = ((f"text {number}", ("knowledge_base", "librarian")[number % 2]) for number in range(300))
    assert "No slice or label shows edge cases" in found(rows(pairs), labelled=True)["missing-slices"].message


def test_texts_far_longer_or_shorter_than_the_others():
    texts = [f"Where is my card number {number}, which I ordered?" for number in range(200)]
    texts[100] = "Where is it? " * 300
    texts[150] = "Where is it? " * 200
    long = found(rows((text, ANSWER) for text in texts))["length"]
    assert (long.line, long.field, long.related) == (102, "input", ("data/a.csv:152",))
    assert "2 inputs far longer than the others: this one has 3,900 characters" in long.message
    texts[100] = texts[150] = "?"
    assert "2 inputs far shorter" in found(rows((text, ANSWER) for text in texts))["length"].message


def test_the_usual_spread_of_lengths_is_no_finding():
    assert "length" not in found(rows(("word " * (1 + number % 40), ANSWER) for number in range(400)))

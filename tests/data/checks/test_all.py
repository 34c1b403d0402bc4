from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message
from tunesmith.data.checks.all import check, check_eval, labels_of
from tunesmith.data.finding import Finding
from tunesmith.data.reading import EvalReading, EvalRow, Reading


def example(text: str, label: str, origin: str, group: str | None = None) -> Example:
    return Example(messages=(Message(role="user", content=text),), expected=label, origin=origin, group=group)


def reading(*rows: tuple[str, str], name: str = "data/a.csv", findings: tuple[Finding, ...] = ()) -> Reading:
    examples = tuple(example(text, label, f"{name}:{line}") for line, (text, label) in enumerate(rows, start=2))
    return Reading(examples=examples, findings=findings, name=name)


def short(example: Example) -> None:
    return None


def found(*readings: Reading, labels=None, eval_set=(), too_long=short, few: bool = False) -> list[Finding]:
    return [f for f in check(readings, labels, eval_set, too_long) if few or f.check != "few-rows"]


def test_clean_rows_have_no_findings():
    rows = [(f"text {number}", "ab"[number % 2]) for number in range(20)]
    assert found(reading(*rows), labels=["a", "b"], few=True) == []


def test_findings_of_reading_come_along_in_the_order_of_the_lines():
    broken = Finding(severity="stop", check="json", file="data/a.csv", line=3, message="…")
    first = reading(("one", "a"), ("two", "a"), ("one", "a"), ("one", "x"), findings=(broken,))
    second = reading(("three", "x"), name="data/0.csv")
    assert [f.origin for f in found(first, second, labels=["a"])] == [
        "data/a.csv:3",
        "data/a.csv:4",
        "data/a.csv:5",
        "data/0.csv:2",
    ]


def test_unknown_labels_stop_and_name_the_nearest():
    rows = [("one", "card_arival"), ("two", "Card_Arrival "), ("three", "zzz"), ("four", "card_arrival"), ("5", "lost")]
    near, same, far = found(reading(*rows), labels=["card_arrival", "lost"])
    assert {near.severity, same.severity, far.severity} == {"stop"}
    assert {near.check, same.check, far.check} == {"unknown-label"}
    assert "did you mean 'card_arrival'?" in near.message
    assert "did you mean 'card_arrival'? It must be written exactly so" in same.message
    assert "did you mean" not in far.message
    assert (near.line, near.field) == (2, "output")


def test_without_declared_labels_the_rarer_writing_stops():
    findings = found(reading(("one", "card"), ("two", "card"), ("three", "Card"), ("four", "card ")))
    assert [(f.severity, f.check, f.line) for f in findings] == [
        ("stop", "label-variant", 4),
        ("stop", "label-variant", 5),
    ]
    assert "differs from 'card' (2 rows)" in findings[0].message


def test_repeats_are_looked_at_each_with_its_original():
    other = reading(("top up?", "a"), name="data/b.csv")
    findings = found(reading(("Top-up", "a"), ("else", "a"), ("top up", "a")), other)
    assert [(f.severity, f.check, f.origin, f.related) for f in findings] == [
        ("look", "duplicate", "data/a.csv:4", ("data/a.csv:2",)),
        ("look", "duplicate", "data/b.csv:2", ("data/a.csv:2",)),
    ]


def test_the_same_input_with_different_labels_is_one_contradiction_that_names_both():
    (finding,) = found(reading(("Top-up", "a"), ("top up", "b"), ("top up!", "a")))
    assert (finding.severity, finding.check, finding.origin) == ("stop", "contradiction", "data/a.csv:2")
    assert finding.related == ("data/a.csv:3", "data/a.csv:4")
    assert "data/a.csv:2 says 'a', data/a.csv:3 says 'b'" in finding.message


def test_rows_that_differ_in_the_currency_may_differ_in_the_label():
    (finding,) = found(reading(("I paid £5", "pound"), ("I paid $5", "dollar"), ("I paid $5!", "dollar")))
    assert (finding.check, finding.line) == ("duplicate", 4)


def test_a_mislabelled_row_does_not_contradict_a_right_one():
    (finding,) = found(reading(("one", "a"), ("one", "aa")), labels=["a"])
    assert (finding.check, finding.line) == ("unknown-label", 3)


def test_rows_of_the_eval_set_are_looked_at():
    held = [example("Top up", "a", "evals/eval.jsonl:5"), example("else", "a", "evals/eval.jsonl:6", group="g")]
    rows = Reading(
        examples=(
            example("top-up", "a", "data/a.csv:2"),
            example("top up", "b", "data/b.csv:3"),
            example("new", "a", "data/b.csv:4", group="g"),
        ),
        findings=(),
        name="data/a.csv",
    )
    leaks = [f for f in found(rows, eval_set=held) if f.check == "leak"]
    assert [f.severity for f in leaks] == ["look"] * 3
    assert leaks[0].related == ("evals/eval.jsonl:5",)
    assert all("`split` leaves it out of training" in f.message for f in leaks)
    assert "another label ('a')" in leaks[1].message
    assert "Its group 'g'" in leaks[2].message


def test_the_sources_say_how_a_label_of_the_eval_set_is_written():
    rows = tuple(EvalRow(example(f"held {line}", "Card", "elsewhere:7"), line, {}) for line in (1, 2, 4))
    evals = EvalReading(rows, (), "evals/eval.jsonl")
    sources = reading(("one", "card")).examples
    findings = check_eval(evals, labels_of(sources), None, short)
    assert [(f.severity, f.check, f.origin) for f in findings] == [
        ("stop", "label-variant", "evals/eval.jsonl:1"),
        ("stop", "label-variant", "evals/eval.jsonl:2"),
        ("stop", "label-variant", "evals/eval.jsonl:4"),
    ]
    assert "differs from 'card' (1 row)" in findings[0].message
    assert check_eval(evals, {}, None, short) == []


def test_rows_that_split_cut_as_the_eval_set_are_counted_not_listed():
    source = reading(("one", "a"), ("two", "a"), ("three", "a"))
    (finding,) = found(source, eval_set=source.examples[:2])
    assert (finding.severity, finding.check, finding.origin) == ("note", "eval-rows", "data/a.csv:0")
    assert finding.message.startswith("2 rows of data/a.csv form the eval set")


def test_rows_too_long_for_the_model_stop():
    (finding,) = found(
        reading(("short", "a"), ("long " * 50, "a")), too_long=lambda row: 3000 if len(row.text) > 99 else None
    )
    assert (finding.severity, finding.check, finding.line) == ("stop", "too-long", 3)
    assert "3,000 tokens" in finding.message


def test_rows_that_cannot_be_rendered_stop():
    def refuse(example: Example) -> None:
        if "<|im_end|>" in example.text:
            raise DataError("A user message contains the model's control token '<|im_end|>'.")

    (finding,) = found(reading(("fine", "a"), ("not <|im_end|> so", "a")), too_long=refuse)
    assert (finding.severity, finding.check, finding.line) == ("stop", "not-rendered", 3)
    assert "control token" in finding.message


def test_unused_and_rare_labels_are_worth_knowing():
    rows = [(f"text {number}", "a") for number in range(10)] + [("b 1", "b"), ("b 2", "b"), ("c 1", "c")]
    few, unused = found(reading(*rows), labels=["a", "b", "c", "d"], few=True)
    assert (unused.severity, unused.check, unused.file, unused.line) == ("note", "unused-label", "tunesmith.toml", 0)
    assert "1 label under [task] labels without a row: d." in unused.message
    assert (few.severity, few.check, few.origin) == ("note", "few-rows", "data/a.csv:14")
    assert "2 labels with fewer than 10 rows: c (1), b (2)." in few.message


def test_many_rare_labels_are_one_finding():
    (few,) = found(reading(*[(f"text {n}", f"label {n}") for n in range(500)]), few=True)
    assert few.message.endswith("and 490 more.")


def test_hostile_labels_are_shown_harmlessly():
    long = "x" * 5000 + "\x1b[31m"
    (finding,) = found(reading(("one", long), ("two", "a")), labels=["a"])
    assert finding.message.isprintable()
    assert len(finding.message) < 200

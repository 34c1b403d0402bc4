from tunesmith.core.example import Example, Made, Message
from tunesmith.data.leaks import find_leaks, is_cut_from


def example(text: str, label: str = "a", origin: str = "", group: str | None = None) -> Example:
    return Example(messages=(Message(role="user", content=text),), expected=label, origin=origin, group=group)


EVAL = [example("Where is my card?", origin="evals/eval.jsonl:1"), example("Top up", origin="evals/eval.jsonl:2")]


def test_a_row_leaks_by_its_input_whatever_its_label():
    train = [
        example("Something else", origin="data/a.csv:2"),
        example("where is MY card", "b", origin="data/a.csv:3"),
        example("Top-up!", origin="data/a.csv:4"),
    ]
    leaks = find_leaks(train, EVAL)
    assert [(leak.train, leak.eval, leak.by) for leak in leaks] == [
        ("data/a.csv:3", "evals/eval.jsonl:1", "text"),
        ("data/a.csv:4", "evals/eval.jsonl:2", "text"),
    ]
    assert leaks[0].excerpt == "where is MY card"


def test_of_several_eval_rows_with_one_text_the_equal_one_is_named():
    held = [example("Top up", "a", "data/a.csv:2"), example("Top-up", "b", "data/a.csv:5")]
    assert [leak.eval for leak in find_leaks([held[1], held[0]], held)] == ["data/a.csv:5", "data/a.csv:2"]


def test_a_row_leaks_by_its_group():
    held = [example("x", origin="e:1", group="customer 7")]
    train = [example("y", origin="t:1", group="customer 7"), example("z", origin="t:2", group="customer 8")]
    assert [(leak.train, leak.by) for leak in find_leaks(train, held)] == [("t:1", "group")]


def test_a_conversation_leaks_as_a_whole():
    turns = (Message(role="user", content="Hi"), Message(role="assistant", content="Yes?"))
    long = Example(messages=(*turns, Message(role="user", content="Top up")), expected="a", origin="t:1")
    assert not find_leaks([long], EVAL)
    assert find_leaks([long], [long.model_copy(update={"origin": "e:1"})])


def test_nothing_leaks_from_nothing():
    assert find_leaks(EVAL, []) == []
    assert find_leaks([], EVAL) == []


def test_an_eval_row_is_known_by_the_source_it_was_cut_from():
    row = example("Hi", origin="data/a.csv:9")
    assert is_cut_from(row, example("Hi", origin="data/a.csv:7"))  # lines shift when rows are set aside
    assert not is_cut_from(row, example("Hi", origin="test.csv:9"))
    assert not is_cut_from(row, example("Hi!", origin="data/a.csv:9"))


def test_nearly_the_same_input_leaks():
    asked = "Could you please tell me how I can track the card that you sent me"
    held = [example("x", origin="e:1"), example(asked, origin="e:2")]
    train = [example(asked + " now", "b", "t:1"), example(asked + "?", origin="t:2"), example("new", origin="t:3")]
    assert [(leak.train, leak.eval, leak.by) for leak in find_leaks(train, held)] == [
        ("t:1", "e:2", "near"),
        ("t:2", "e:2", "text"),
    ]


def test_what_was_made_from_an_eval_row_leaks():
    def made(source: str, origin: str, at: str) -> Example:
        row = example(f"made {at}", origin=at)
        return row.model_copy(update={"made": Made(kind="paraphrase", by="m", source=source, origin=origin)})

    held = [example("Hi", origin="data/a.csv:9"), example("no place")]
    by_content, by_place = made(held[0].id, "", "t:1"), made("", "data/a.csv:9", "t:2")
    of_a_guideline, of_another = made("", "", "t:3"), made("0123", "data/a.csv:8", "t:4")
    leaks = find_leaks([by_content, by_place, of_a_guideline, of_another], held)
    assert [(leak.train, leak.eval, leak.by) for leak in leaks] == [
        ("t:1", "data/a.csv:9", "made"),
        ("t:2", "data/a.csv:9", "made"),
    ]

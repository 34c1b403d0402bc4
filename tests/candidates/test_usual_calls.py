from tunesmith.candidates import usual_calls
from tunesmith.candidates.load import load
from tunesmith.core.example import question
from tunesmith.tasks.calls import Call, text_of
from tunesmith.tasks.spec import Task

TASK = Task(family="tool_calls", prompt="", max_new_tokens=64)
CLOCK = text_of("", [Call("clock", {})])


def rows(*answers: str):
    return [question(f"row {number}").model_copy(update={"expected": each}) for number, each in enumerate(answers)]


def test_words_count_as_one_answer(tmp_path):
    train = rows(CLOCK, CLOCK, "No.", "Not possible.", "No.")
    usual = load(tmp_path, usual_calls.make(tmp_path, TASK, train), engines=None)
    [said] = usual.predict([question("?")])
    assert (said.output, said.confidence) == ("No.", 0.6)


def test_a_call_that_is_usual_is_made(tmp_path):
    train = rows(CLOCK, "I look.\n" + CLOCK, "No.")
    usual = load(tmp_path, usual_calls.make(tmp_path, TASK, train), engines=None)
    [said] = usual.predict([question("?")])
    assert (said.output, said.confidence) == (CLOCK, 2 / 3)

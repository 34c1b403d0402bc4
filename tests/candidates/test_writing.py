"""Free text: what the engine says is the answer, unless it is empty or the limit ended it."""

import json
import math

import pytest

from tunesmith.candidates import copying, few_shot, prompt, prompting, rules
from tunesmith.candidates.asking import Asked
from tunesmith.candidates.load import load
from tunesmith.candidates.writing import Writing
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message, question
from tunesmith.engines.local.engine import LocalEngine
from tunesmith.engines.local.loading import load as load_model
from tunesmith.models.renderer import Renderer
from tunesmith.tasks.spec import Task

TASK = Task(family="generation", prompt="Say it again.", max_new_tokens=12)


@pytest.fixture
def opened(tmp_path, model, engines):
    def make(task=TASK, max_tokens=2048):
        made = prompt.make(tmp_path, task, model=model, max_tokens=max_tokens, engines=engines)
        return load(tmp_path, made, engines)

    return make


def test_the_answer_is_what_was_said_with_the_mean_probability_of_a_token(opened):
    [found] = opened().predict([question("The cat sat down")])
    assert (found.state, found.output, found.error) == ("ok", "The cat sat down", None)
    assert found.confidence == pytest.approx(math.exp(-0.5))
    assert found.tokens_out == 4


def test_an_answer_that_reaches_the_limit_is_invalid_and_says_so(opened):
    short, long = opened().predict([question("Short"), question("word " * 40)])
    assert short.state == "ok"
    assert (long.state, long.output) == ("invalid", None)
    assert long.error == "ended by the limit of 12 tokens"
    assert long.text.startswith("word word")
    assert long.tokens_out == 12
    assert long.confidence is None


def test_an_empty_answer_is_invalid(opened):
    [found] = opened().predict([question("   \n ")])
    assert (found.state, found.error) == ("invalid", "empty")


def test_the_limit_of_an_answer_leaves_less_room_for_a_prompt(opened, engines, model):
    length = len(engines.renderer(model).prompt(prompting.conversation(TASK, question("cat"))))
    assert next(opened(max_tokens=length + 12).predict([question("cat")])).state == "ok"
    with pytest.raises(DataError, match="lower \\[model\\] max_new_tokens"):
        next(opened(max_tokens=length + 11).predict([question("cat")]))


def test_a_control_token_fails_its_row_and_no_other(opened):
    found = list(opened().predict([question("a"), question("b<|im_end|>"), question("c")]))
    assert [each.state for each in found] == ["ok", "failed", "ok"]
    assert found[2].output == "c"


def test_another_limit_is_another_candidate(opened):
    longer = TASK.model_copy(update={"max_new_tokens": 13})
    assert opened().digest != opened(longer).digest


def test_shots_of_free_text_are_shown_with_their_answers(tmp_path, model, engines):
    rows = [question(f"Row {n}").model_copy(update={"expected": f"Answer {n}"}) for n in range(6)]
    made = few_shot.make(tmp_path, TASK, rows, Asked(model, 2048, engines), shots=3, mode="seeded")
    assert next(load(tmp_path, made, engines).predict([question("cat")])).output == "cat"
    [engine] = engines.opened.values()
    asked = engines.renderer(model).decode(engine.calls[0][0])
    shown = [n for n in range(6) if f"Row {n}\nassistant\nAnswer {n}" in asked]
    assert len(shown) == 3


def test_copy_answers_with_the_last_message_unchanged(tmp_path, engines):
    turns = [Message(role=role, content=text) for role, text in (("user", "a"), ("assistant", "b"), ("user", " c  d"))]
    candidate = load(tmp_path, copying.make(tmp_path, TASK), engines)
    one, several = candidate.predict([question("Same."), Example(messages=tuple(turns), expected="x")])
    assert (one.state, one.output, one.confidence) == ("ok", "Same.", None)
    assert (several.output, several.text) == ("c  d", " c  d")


def test_rules_may_return_any_text(tmp_path, engines):
    source = tmp_path / "rules.py"
    source.write_text("def answer(message):\n    return {'a': 'Any text.', 'b': ' ', 'c': None}[message]\n")
    candidate = load(tmp_path, rules.make(tmp_path, TASK, source, seconds=5.0), engines)
    found = list(candidate.predict([question(text) for text in "abc"]))
    assert [(each.state, each.output, each.error) for each in found] == [
        ("ok", "Any text.", None),
        ("invalid", None, "empty"),
        ("refused", None, None),
    ]


@pytest.mark.parametrize(
    ("word", "limit", "state", "error"),
    [
        ("yes", 40, "ok", None),
        ("yes", 4, "invalid", "ended by the limit of 4 tokens"),
        ("\U00040000", 40, "failed", "the constraint could not be followed"),  # no token has its first byte
    ],
)
def test_under_a_constraint_an_answer_is_valid_or_says_why_not(tiny_folder, word, limit, state, error):
    renderer = Renderer(tiny_folder)
    properties = {"sure": {"type": "boolean"}, "word": {"const": word}, "late": {"type": "boolean"}}
    schema = {"properties": properties, "required": list(properties), "type": "object", "additionalProperties": False}
    engine = LocalEngine(load_model(tiny_folder), "tiny", tokenizer=renderer.tokenizer_file)
    task = Task(
        family="extraction",
        prompt=TASK.prompt,
        max_new_tokens=limit,
        output_schema=json.dumps(schema),
        constrained=True,
    )
    way = Writing(renderer, task)
    [said] = way.answers(engine, [renderer.prompt(prompting.conversation(task, question("cat")))])
    assert said.state == state
    if state == "ok":
        assert json.loads(said.output)["word"] == "yes"
        assert 0 < said.confidence <= 1
    else:
        assert error in said.error
        assert said.output is None
        assert said.confidence is None

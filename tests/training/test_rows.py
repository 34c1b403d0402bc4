"""Which tokens of a row carry loss, with which weight."""

import pytest

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message, ToolCall
from tunesmith.models.renderer import Renderer
from tunesmith.tasks.spec import Task
from tunesmith.training.preflight import masks
from tunesmith.training.rows import Span, learnt, render

TASK = Task(family="classification", prompt="Answer with one of: billing, bug.", labels=("billing", "bug"))
CALL = ToolCall(name="look_up", arguments='{"id": 7}', id="c1")


@pytest.fixture(scope="module")
def renderer(tiny_folder) -> Renderer:
    return Renderer(tiny_folder)


def conversation(first: float | None, second: float | None, weight: float = 1.0) -> Example:
    turns = [
        Message(role="user", content="It broke."),
        Message(role="assistant", content="Which?", weight=first),
        Message(role="user", content="The chart."),
        Message(role="assistant", content="", tool_calls=(CALL,), weight=second),
        Message(role="tool", content="no fault", tool_call_id="c1"),
    ]
    return Example(messages=tuple(turns), expected="bug", tools=('{"function": {"name": "look_up"}}',), weight=weight)


def spans(renderer, example: Example) -> list[tuple[str, float]]:
    (row,) = render(renderer, TASK, [example], 500)
    assert row.tokens[-1] == renderer.end_of_turn
    return [("".join(map(renderer.token, row.tokens[start:end])), weight) for start, end, weight in row.spans]


def test_earlier_turns_carry_loss_where_the_row_says_so(renderer):
    assert spans(renderer, conversation(None, None, 3.0)) == [("bug<|im_end|>", 3.0)]
    assert spans(renderer, conversation(0.5, 0.0, 3.0)) == [("Which?<|im_end|>", 1.5), ("bug<|im_end|>", 3.0)]
    first, call, answer = spans(renderer, conversation(1.0, 1.0))
    assert (first, answer) == (("Which?<|im_end|>", 1.0), ("bug<|im_end|>", 1.0))
    assert call == ('<tool_call>\n{"name": "look_up", "arguments": {"id": 7}}\n</tool_call><|im_end|>', 1.0)


def test_labels_are_learnt_from_a_conversations_end_alone():
    turn = Message(role="assistant", content="Which?")
    assert learnt(TASK, turn) == 0.0
    assert learnt(TASK, turn.model_copy(update={"weight": 0.25})) == 0.25


def test_the_prompt_is_all_before_the_answer_and_is_shared_up_to_the_first_loss(renderer):
    (row,) = render(renderer, TASK, [conversation(1.0, 1.0)], 500)
    assert len(row.prompt) == row.spans[-1].start > row.start == row.spans[0].start
    assert row.labels == sum(end - start for start, end, _ in row.spans)
    assert row.weighing(7.0).weight == pytest.approx(7.0)
    assert row.weighing(7.0).spans[0] == Span(row.start, row.spans[0].end, pytest.approx(7.0 / row.labels))


def test_a_row_is_shown_stretch_by_stretch(renderer):
    (mask,) = masks(render(renderer, TASK, [conversation(1.0, 0.0)], 500), renderer, 1)
    assert [bool(stretch.weight) for stretch in mask.stretches] == [False, True, False, True]
    assert "".join(mask.stretches[1].tokens) == "Which?<|im_end|>"
    assert mask.stretches[0].hidden > 0


def test_a_row_that_is_too_long_is_refused_not_cut(renderer):
    with pytest.raises(DataError, match=r"more than \[model\] max_tokens = 20"):
        render(renderer, TASK, [conversation(None, None)], 20)

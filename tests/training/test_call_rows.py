"""Rows that end in calls of tools: what carries loss."""

import json

import pytest

from tunesmith.core.example import Example, Message
from tunesmith.models.renderer import Renderer
from tunesmith.tasks.calls import Call, text_of
from tunesmith.tasks.spec import Task
from tunesmith.training.hosted import rows as hosted
from tunesmith.training.rows import render

TOOL = json.dumps(
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
)
TASK = Task(family="tool_calls", prompt="Call tools.", max_new_tokens=60)
EXPECTED = text_of("", [Call("weather", {"city": "Bern"}), Call("weather", {"city": "Thun"})])
ROW = Example(messages=(Message(role="user", content="Bern and Thun?"),), expected=EXPECTED, tools=(TOOL,))
LISTS_TOOLS = """{% if tools %}<|im_start|>system
{{ tools | tojson }}<|im_end|>
{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}{% for c in m.tool_calls or () %}<call>{{ c.function | tojson }}</call>{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


def test_the_calls_and_their_end_carry_loss(tiny_folder):
    renderer = Renderer(tiny_folder)
    [row] = render(renderer, TASK, [ROW], 512)
    [span] = row.spans
    assert renderer.decode(row.tokens[span.start : span.end]) == EXPECTED
    assert row.tokens[span.end - 1] == renderer.end_of_turn
    assert "The weather." in renderer.decode(row.tokens[: span.start])


def test_a_template_that_knows_tools_is_given_calls(tiny_folder, tmp_path):
    for file in tiny_folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "chat_template.jinja").unlink()
    (tmp_path / "chat_template.jinja").write_text(LISTS_TOOLS)
    renderer = Renderer(tmp_path)
    assert renderer.knows_tools
    [row] = render(renderer, TASK, [ROW], 512)
    said = renderer.decode(row.tokens[row.start :])
    assert said.count("<call>") == 2
    assert "<tool_call>" not in said


@pytest.mark.parametrize("expected", [EXPECTED, "No tool fits."])
def test_a_provider_is_sent_the_turn_as_its_api_has_it(expected):
    made = hosted.row(TASK, ROW.answered(expected))
    answer = made["messages"][-1]
    assert made["tools"] == [json.loads(TOOL)]
    if expected == EXPECTED:
        assert [call["function"]["arguments"] for call in answer["tool_calls"]] == [
            '{"city": "Bern"}',
            '{"city": "Thun"}',
        ]
    else:
        assert answer == {"role": "assistant", "content": expected}

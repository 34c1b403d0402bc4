"""Conversations of several turns and of tools: what the model sees of them, and which tokens carry loss."""

import json
import shutil

import pytest

from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.example import Message, ToolCall
from tunesmith.models.renderer import Renderer

TOOL = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Finds an order by its number.",
        "parameters": {"type": "object", "properties": {"number": {"type": "string", "description": "as on the bill"}}},
    },
}
TOOLS = (json.dumps(TOOL),)
CALL = ToolCall(name="find_order", arguments='{"number": "A-17 \\"old\\""}', id="call00001")
TURNS = (
    Message(role="system", content="You help."),
    Message(role="user", content="Where is A-17?"),
    Message(role="assistant", content="", tool_calls=(CALL, CALL.model_copy(update={"id": "call00002"}))),
    Message(role="tool", content="sent", tool_call_id="call00001"),
    Message(role="tool", content="twice", tool_call_id="call00002"),
    Message(role="assistant", content="It is on its way."),
    Message(role="user", content="Thanks."),
)
HEAD = "<|im_start|>{{ m.role }}\n"
WITH_TOOLS = (
    "{% if tools %}<|im_start|>system\n{% if messages[0].role == 'system' %}{{ messages[0].content }}\n{% endif %}"
    "{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}<|im_end|>\n{% endif %}"
    "{% for m in messages %}{% if not (tools and loop.first and m.role == 'system') %}" + HEAD + "{{ m.content }}"
    "{% for call in m.tool_calls %}<call>{{ call.function.name }} {{ call.function.arguments | tojson }}</call>"
    "{% endfor %}<|im_end|>\n{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKED = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
    "<|im_end|>{% endgeneration %}{% else %}{{ m.content }}<|im_end|>{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# As some models' templates do: a hint behind the last question alone, so that no earlier prompt is a prefix.
HINTED = MARKED.replace(
    "{{ m.content }}<|im_end|>{% endif %}", "{{ m.content }}{{ ' !' if HERE }}<|im_end|>{% endif %}"
)
HINTED = HINTED.replace("HERE", "m.role == 'user' and loop.index0 >= messages | length - 2")


@pytest.fixture
def with_template(folder, tmp_path):
    def made(template: str) -> Renderer:
        target = tmp_path / "model"
        target.mkdir()
        for name in ("tokenizer.json", "tokenizer_config.json", "config.json"):
            shutil.copy(folder / name, target / name)
        (target / "chat_template.jinja").write_text(template)
        return Renderer(target)

    return made


def text_of(renderer: Renderer, tokens) -> str:
    return "".join(renderer.token(token) for token in tokens)


def learnt(renderer: Renderer, turns, answer="Welcome.", tools=()) -> list[str]:
    """What carries loss, where all the assistant's turns do."""
    places = [place for place, turn in enumerate(turns) if turn.role == "assistant"]
    rendered = renderer.render(turns, answer, tools, places)
    spans = [*rendered.earlier, (rendered.start, rendered.end)]
    assert [start for start, _ in spans] == [len(renderer.prompt(turns[:place], tools)) for place in places] + [
        len(renderer.prompt(turns, tools))
    ]
    return [text_of(renderer, rendered.tokens[start:end]) for start, end in spans]


def test_a_template_that_knows_no_tools_gets_tunesmiths_format(renderer):
    assert not renderer.knows_tools
    whole = text_of(renderer, renderer.prompt(TURNS, TOOLS))
    system = whole[: whole.index("<|im_end|>")]
    assert system.startswith("<|im_start|>system\nYou help.\n\n# Tools")
    assert json.dumps(TOOL) in system
    assert '<tool_call>\n{"name": "find_order", "arguments": {"number": "A-17 \\"old\\""}}\n</tool_call>' in whole
    answers = "<tool_response>\nsent\n</tool_response>\n<tool_response>\ntwice\n</tool_response>"
    assert f"<|im_start|>user\n{answers}<|im_end|>" in whole


def test_every_turn_of_the_assistants_can_carry_loss_with_its_end(renderer):
    calls, said, answer = learnt(renderer, TURNS, tools=TOOLS)
    assert calls.count("<tool_call>") == 2
    assert calls.endswith("</tool_call><|im_end|>")
    assert (said, answer) == ("It is on its way.<|im_end|>", "Welcome.<|im_end|>")


def test_an_answer_may_be_a_call(renderer):
    answer = Message(role="assistant", content="Let me see.", tool_calls=(CALL,))
    assert learnt(renderer, TURNS[:2], answer, TOOLS)[0].startswith("Let me see.\n<tool_call>")


def test_tools_without_a_system_turn_stand_in_one(renderer):
    assert text_of(renderer, renderer.prompt(TURNS[1:2], TOOLS)).startswith("<|im_start|>system\n# Tools")


def test_a_template_that_knows_tools_is_given_them(with_template, folder):
    from transformers import AutoTokenizer

    renderer = with_template(WITH_TOOLS)
    assert renderer.knows_tools
    turns = [turn.openai() for turn in TURNS]
    for turn in turns:
        for call in turn.get("tool_calls", ()):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    tokenizer = AutoTokenizer.from_pretrained(folder)
    expected = tokenizer.apply_chat_template(
        turns, tools=[TOOL], chat_template=WITH_TOOLS, add_generation_prompt=True, tokenize=True, return_dict=False
    )
    assert renderer.prompt(TURNS, TOOLS) == list(expected)
    assert learnt(renderer, TURNS, tools=TOOLS)[1:] == ["It is on its way.<|im_end|>", "Welcome.<|im_end|>"]


def test_a_template_that_loses_a_part_of_a_tool_or_call_is_refused(with_template):
    renderer = with_template(WITH_TOOLS.replace("{{ tool | tojson }}", "{{ tool.function.parameters | tojson }}"))
    assert renderer.knows_tools, "it shows something of a tool"
    with pytest.raises(ModelError, match="drops 'find_order' of a tool"):
        renderer.prompt(TURNS[:2], TOOLS)


def test_a_control_token_in_a_call_or_a_tool_is_refused(renderer):
    hostile = CALL.model_copy(update={"arguments": '{"number": "<|im_end|>"}'})
    turns = [*TURNS[:2], Message(role="assistant", content="", tool_calls=(hostile,))]
    with pytest.raises(DataError, match="control token"):
        renderer.prompt(turns)
    with pytest.raises(DataError, match="control token"):
        renderer.prompt(TURNS[:2], ('{"function": {"name": "<|im_start|>"}}',))


PLAIN = (TURNS[0], TURNS[1], Message(role="assistant", content="Wait."), TURNS[6], TURNS[5], TURNS[1])


def test_the_templates_own_marks_say_the_same_as_turn_by_turn(with_template, renderer):
    marked = with_template(MARKED)
    assert (
        learnt(marked, PLAIN)
        == learnt(renderer, PLAIN)
        == ["Wait.<|im_end|>", "It is on its way.<|im_end|>", "Welcome.<|im_end|>"]
    )


def test_marks_find_turns_where_no_prompt_is_a_prefix(with_template):
    renderer = with_template(HINTED)
    rendered = renderer.render(PLAIN, "Welcome.", learnt=[2, 4])
    assert [text_of(renderer, rendered.tokens[start:end]) for start, end in rendered.earlier] == [
        "Wait.<|im_end|>",
        "It is on its way.<|im_end|>",
    ]


def test_without_marks_such_a_template_is_refused_where_earlier_turns_carry_loss(with_template):
    plain = HINTED.replace("{% generation %}", "").replace("{% endgeneration %}", "")
    renderer = with_template(plain)
    assert renderer.render(PLAIN, "Welcome.").start
    with pytest.raises(ModelError, match="token prefix"):
        renderer.render(PLAIN, "Welcome.", learnt=[2, 4])


def test_a_mark_in_a_text_is_refused(renderer):
    with pytest.raises(DataError, match="control token"):
        renderer.prompt([Message(role="user", content="a\ufdd0b")])

"""The renderer on the embedded model, against transformers' own rendering of the same template."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.example import Message
from tunesmith.models.renderer import Renderer


def messages(*turns: tuple[str, str]) -> list[Message]:
    return [Message(role=role, content=content) for role, content in turns]


ASKED = messages(("system", "Answer with a label."), ("user", "My card was eaten — 3,50 € gone 🙂"))


def test_tokens_equal_those_of_transformers(renderer, folder):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    turns = [message.model_dump() for message in ASKED]
    expected = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=True, return_dict=False)
    assert renderer.prompt(ASKED) == list(expected)


def test_the_answer_and_its_end_of_turn_carry_loss_and_nothing_else(renderer):
    rendered = renderer.render(ASKED, "card_swallowed")
    assert list(rendered.tokens[: rendered.start]) == renderer.prompt(ASKED)
    answer = rendered.tokens[rendered.start :]
    assert answer[-1] == renderer.end_of_turn
    assert renderer.decode(answer) == "card_swallowed"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text_is_rendered_whole_or_refused(renderer, text):
    """What the model sees is what the message says, character by character, apart from outer blank space."""
    try:
        tokens = renderer.prompt(messages(("user", text)))
    except (DataError, ModelError):
        return
    assert text.strip() in "".join(renderer.decode(tokens))


@pytest.mark.parametrize("role", ["system", "user"])
def test_a_control_token_in_a_text_is_refused(renderer, role):
    turns = messages(("system", "x"), ("user", "y"))
    hostile = [m if m.role != role else Message(role=m.role, content="a<|im_end|>b") for m in turns]
    with pytest.raises(DataError, match=r"control token '<\|im_end\|>'"):
        renderer.prompt(hostile)


def test_characters_that_the_vocabulary_lacks_are_refused_not_dropped(renderer):
    with pytest.raises(DataError, match=r"no tokens for U\+40000"):
        renderer.prompt(messages(("user", "a \U00040000 b")))


def changed(folder: Path, target: Path, template: str) -> Path:
    target.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "config.json"):
        shutil.copy(folder / name, target / name)
    (target / "chat_template.jinja").write_text(template)
    return target


def test_a_template_that_loses_a_turn_is_refused(folder, tmp_path):
    template = (
        "{% for m in messages %}{% if m.role != 'system' %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
        "{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    with pytest.raises(ModelError, match="drops or rewrites a system message"):
        Renderer(changed(folder, tmp_path / "m", template)).prompt(ASKED)


def test_a_template_whose_prompt_is_no_prefix_is_refused(folder, tmp_path):
    template = (
        "{% for m in messages %}<|im_start|>{{ m.role }} of {{ messages | length }}\n{{ m.content }}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    with pytest.raises(ModelError, match="token prefix"):
        Renderer(changed(folder, tmp_path / "m", template)).render(ASKED, "label")


def test_a_template_that_never_ends_the_turn_is_refused(folder, tmp_path):
    template = "{% for m in messages %}{{ m.content }}\n{% endfor %}"
    with pytest.raises(ModelError, match="does not end the assistant's turn"):
        Renderer(changed(folder, tmp_path / "m", template))


def test_rendering_loads_no_torch(folder):
    script = (
        "import sys; from pathlib import Path; from tunesmith.models.renderer import Renderer;"
        "from tunesmith.core.example import Message;"
        f"Renderer(Path({str(folder)!r})).prompt([Message(role='user', content='hi')]);"
        "print(sorted(set(sys.modules) & {'torch', 'transformers', 'scipy', 'sklearn', 'sqlalchemy'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_settings_on_disk_name_no_path(folder):
    assert "/" not in json.loads((folder / "tokenizer_config.json").read_text())["eos_token"]

"""A model's own chat template, rendered in Jinja's sandbox exactly as its authors wrote it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tunesmith.core.errors import ModelError

BEGIN, END = "\ufdd0", "\ufdd1"  # around the assistant's words; no characters, and in no text


class GenerationTag(Extension):
    """`{% generation %}…{% endgeneration %}` marks the assistant's words in some templates."""

    tags = {"generation"}

    def parse(self, parser: Any) -> nodes.Node:
        line = next(parser.stream).lineno
        body: list[nodes.Node] = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_mark"), [], [], body).set_lineno(line)

    def _mark(self, caller: Callable[[], str]) -> str:
        return f"{BEGIN}{caller()}{END}"


def unmarked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """`text` without the marks, and what lay between them: (first character, end)."""
    plain, spans, begin = "", [], 0
    for part in re.split(f"([{BEGIN}{END}])", text):
        if part == BEGIN:
            begin = len(plain)
        elif part == END:
            spans.append((begin, len(plain)))
        else:
            plain += part
    return plain, spans


def compile_template(source: str) -> jinja2.Template:
    # No `strftime_now`: templates that know it put today's date into the prompt, and tomorrow's model
    # would be asked something else than was trained. Without it they fall back to their fixed date.
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, "jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = _refuse
    environment.filters["tojson"] = lambda value, indent=None: json.dumps(value, ensure_ascii=False, indent=indent)
    return environment.from_string(source)


def read_template(folder: Path) -> str:
    """The chat template of the model in `folder`; raises ModelError where it has none."""
    path = folder / "chat_template.jinja"
    if path.exists():
        return path.read_text(encoding="utf-8")
    template = read_settings(folder).get("chat_template")
    if isinstance(template, list):  # several named templates: the default one is meant for plain chat
        template = next((item["template"] for item in template if item.get("name") == "default"), None)
    if not template:
        raise ModelError(
            f"The model in {folder} has no chat template, so its prompts cannot be rendered. Take an instruct model, "
            "or write its template to chat_template.jinja in that folder."
        )
    return str(template)


def read_settings(folder: Path) -> dict[str, Any]:
    path = folder / "tokenizer_config.json"
    settings: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return settings


def _refuse(message: str) -> None:
    raise ModelError(f"The model's chat template refuses these messages: {message}")

"""Every key of tunesmith.toml, from the sections themselves: the file that `init` writes and the reference page.

`python -m tunesmith.workflows.reference FILE` writes the page; a test says whether the kept one is current.
"""

import json
import re
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo

from tunesmith.core.files import write_text
from tunesmith.core.record import Record
from tunesmith.training.section import CHOSEN, TrainSection
from tunesmith.workflows.config import NAMED, SECTIONS

ABOUT = {
    "task": "What the model must do.",
    "model": "Which model is prompted and fine-tuned.",
    "data": "Where the examples lie and how they are split.",
    "baselines": "What the fine-tune has to beat.",
    "train": "The recipe. Names and meanings are those of PEFT and transformers.",
    "diagnose": "What the probes ask the fine-tune beside what ships with Tunesmith.",
    "cascade": "A candidate that answers where it is sure, and another for the rest.",
    "rules": "What the evidence must show before a fine-tune ships.",
    "judge": "A model that judges answers beside people (`tunesmith prefer --judge`), and harm in `diagnose`.",
    "prices": "What computing and tokens cost you; without prices, cost is not compared.",
    "style": "Of generation: what every answer has to hold to. Answers that break a rule are counted, not changed.",
    "behaviour": "By what an answer is known to refuse, to hand over to a person, or to ask back.",
    "providers": "A server that speaks OpenAI's API; its models are called NAME:model. `openai` is built in.",
}
WIDTH = 100


def toml(values: Mapping[str, Mapping[str, Any]]) -> str:
    """A commented tunesmith.toml: the given values as lines, every other key as a comment with its default.

    Of [train], the keys of the recipe's method: those of the others would be refused.
    """
    lines = [
        "# A Tunesmith project. A line '# key = value' shows a default; take the '# ' away to change it.",
        "# Unknown keys are refused. For one command: --set train.epochs=2, or TUNESMITH_TRAIN_EPOCHS=2.",
    ]
    for section, record in SECTIONS.items():
        lines += ["", f"[{section}]  # {ABOUT[section]}"]
        given = values.get(section, {})
        shown = TrainSection.keys_of(given.get("method", "lora")) if record is TrainSection else record.model_fields
        for key in shown:
            field = record.model_fields[key]
            lines += textwrap.wrap(field.description or "", WIDTH, initial_indent="# ", subsequent_indent="# ")
            if key in given:
                lines.append(f"{key} = {_value(given[key])}")
            elif (default := _default(field)) is None:
                lines.append(f"# {key} = {_kind(field.annotation)}")
            else:
                lines.append(f"# {key} = {_value(default)}")
    for section, record in NAMED.items():
        lines += ["", f"# [{section}.NAME]  # {ABOUT[section]}"]
        for key, field in record.model_fields.items():
            lines += textwrap.wrap(field.description or "", WIDTH, initial_indent="# ", subsequent_indent="# ")
            lines.append(f"# {key} = {_kind(field.annotation) if field.is_required() else _value(field.default)}")
    return "\n".join(lines) + "\n"


def page() -> str:
    """The reference page, in Markdown."""
    parts = [
        "# tunesmith.toml",
        "Every section and key. Flags win over the environment, which wins over the file: `--set train.epochs=2`, then "
        "`TUNESMITH_TRAIN_EPOCHS=2`, then `epochs = 2` under `[train]`. Unknown keys are refused; wrong values are "
        "named with their line.",
        "This page is made from the program by "
        "`python -m tunesmith.workflows.reference docs/reference/tunesmith-toml.md`.",
    ]
    for section, record in SECTIONS.items():
        parts += [f"## [{section}]", ABOUT[section], _table(record)]
    for section, record in NAMED.items():
        parts += [f"## [{section}.NAME]", ABOUT[section], _table(record)]
    return "\n\n".join(parts) + "\n"


def _table(record: type[Record]) -> str:
    rows = ["| key | default | what it does |", "|---|---|---|"]
    for key, field in record.model_fields.items():
        default = "required" if field.is_required() else _said(record, key, _default(field))
        text = " ".join((field.description or "").split()).replace("|", "\\|")
        choices = _choices(field.annotation)
        rows.append(f"| `{key}` | {default} | {text}{choices} |")
    return "\n".join(rows)


def _said(record: type[Record], key: str, default: Any) -> str:
    if record is TrainSection and key in CHOSEN:
        return "chosen"
    return "not set" if default is None else f"`{_value(default)}`"


def _default(field: FieldInfo) -> Any:
    """None where there is none."""
    return None if field.is_required() else field.get_default(call_default_factory=True, validated_data={})


def _choices(annotation: Any) -> str:
    options = [option for option in get_args(annotation) if isinstance(option, str)]
    return f" One of {', '.join(f'`{option}`' for option in options)}." if options else ""


def _value(value: Any) -> str:
    """A TOML value; JSON's notation is TOML's for text, numbers, booleans and lists."""
    if isinstance(value, dict):
        pairs = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _kind(annotation: Any) -> str:
    text = str(annotation)
    return '["…", "…"]' if "tuple" in text else '"…"' if "str" in text else "0"


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), page())

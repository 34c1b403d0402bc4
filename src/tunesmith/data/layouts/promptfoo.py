"""The tests of promptfoo: variables, and assertions of which one may say what the answer is.

{"prompts": ["…{{question}}…"], "vars": {"question": …}, "assert": [{"type": "equals", "value": …}]}
a CSV whose columns are variables, with `__expected` ("contains: …", or a text that must be equalled)

What is asked is the one variable there is; of several, the one prompt with the variables put in. What is expected is
the value of the first `equals`, else of the first `contains` or `icontains`; a test with neither is a request.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.core.texts import shown
from tunesmith.data import fields
from tunesmith.data.containers.expected import EXPECTED, test_of
from tunesmith.data.fields import RowError
from tunesmith.data.layouts.base import COLUMNS, OTHER, Layout, Row
from tunesmith.data.layouts.turns import dumped, parsed, string

VARS, ASSERT, PROMPTS = "promptfoo.vars", "promptfoo.assert", "promptfoo.prompts"  # under `other`
DEFAULT = ["{{input}}"]  # the prompts of a configuration that is written
GIVING = (("equals",), ("contains", "icontains"))  # types of assertions whose value is an answer, best first
VARIABLE = re.compile(r"{{-?\s*([^{}]*?)\s*-?}}")


def _read(row: Mapping[str, Any]) -> Row:
    given, prompts = parsed(row["vars"]), parsed(row.get("prompts"))
    asked = _asked(given, prompts)
    turns = [{"role": "user", "content": asked}]
    asserted = parsed(row.get("assert")) or []
    expected = expected_of(asserted)
    if expected is not None:
        turns.append({"role": "assistant", "content": expected})
    other = {} if given == {"input": asked} else {VARS: given}
    other |= {} if asserted == ([] if expected is None else _equals(expected)) else {ASSERT: asserted}
    other |= {PROMPTS: prompts} if prompts and prompts != DEFAULT else {}
    return {"messages": turns} | ({OTHER: other} if other else {})


def _equals(answer: str) -> list[Row]:
    return [{"type": "equals", "value": answer}]


def _asked(given: Any, prompts: Any) -> str:
    if not isinstance(given, dict) or not given:
        raise RowError("type", f"'vars' is {fields.kind(given)}; expected variables with their values.", field="vars")
    texts = {name: _text(value, f"vars.{shown(str(name))}") for name, value in given.items()}
    if len(texts) == 1:
        return next(iter(texts.values()))
    templates = [prompts] if isinstance(prompts, str) else prompts if isinstance(prompts, list) else []
    plain = [each for each in templates if isinstance(each, str)]
    if len(templates) != 1 or not plain:
        raise RowError(
            "vars",
            f"The test has {len(texts)} variables and the file {len(templates)} prompts, so what is asked is not "
            "clear. Keep the one prompt that is meant, or one variable.",
            field="vars",
        )
    return _filled(plain[0], texts)


def _filled(template: str, texts: Mapping[str, str]) -> str:
    if "{%" in template or "{#" in template:
        raise RowError("prompt", "The prompt has a statement ({% … %}); only variables are put in.", field="prompts")
    unknown = [name for name in VARIABLE.findall(template) if name not in texts]
    if unknown or template.startswith("file://"):
        what = f"'{shown(unknown[0], 30)}', which is no variable of the test" if unknown else "the name of a file"
        raise RowError("prompt", f"The prompt holds {what}.", field="prompts")
    return VARIABLE.sub(lambda found: texts[found[1]], template)


def _text(value: Any, field: str) -> str:
    if isinstance(value, bool | int | float):
        return dumped(value, field)
    text = string(value, field)
    if text.startswith("file://"):
        raise RowError("file", f"'{field}' stands in a file of its own; write its text into the test.", field=field)
    return text


def expected_of(asserted: Any) -> str | None:
    """The answer that the assertions give, or None."""
    if not isinstance(asserted, Sequence) or not all(isinstance(each, dict) for each in asserted):
        raise RowError("type", f"'assert' is {fields.kind(asserted)}; expected a list of assertions.", field="assert")
    for types in GIVING:
        for each in asserted:
            if each.get("type") in types:
                value = each.get("value")
                return dumped(value, "assert") if isinstance(value, dict | list) else _text(value, "assert.value")
    return None


def _write(row: Row) -> Row:
    asked, other = row["messages"][0]["content"], row.get(OTHER, {})
    answer = row["messages"][1]["content"] if len(row["messages"]) > 1 else None
    given, prompts, asserted = other.get(VARS), other.get(PROMPTS), other.get(ASSERT)
    made: Row = {"prompts": prompts} if prompts else {}
    made["vars"] = given if given is not None and _same(lambda: _asked(given, prompts), asked) else {"input": asked}
    _refuse_file(made["vars"], asked)
    if asserted is not None and _same(lambda: expected_of(asserted), answer):
        made["assert"] = asserted
    elif answer is not None:
        made["assert"] = _equals(answer)
        _refuse_file({}, answer)
    return made


def _same(read: Any, text: str | None) -> bool:
    try:
        return bool(read() == text)
    except RowError:
        return False


def _refuse_file(given: Mapping[str, Any], text: str) -> None:
    if text.startswith("file://") and given in ({}, {"input": text}):
        raise RowError("not-carried", "The row begins with file://, which promptfoo would take for the name of a file.")


def _fits(row: Mapping[str, Any]) -> bool:
    return isinstance(parsed(row.get("vars")), dict) or EXPECTED in row


PROMPTFOO = Layout(
    name="promptfoo",
    what="promptfoo tests: vars, assert (equals or contains is the answer); CSV with __expected",
    fits=_fits,
    read=_read,
    write=_write,
    keys=frozenset({"vars", "assert", "prompts"}),
    carries=frozenset({"request"}) | COLUMNS,
    over=frozenset({"table", "prompt", "prompt-completion"}),
    unfold=lambda row: iter((test_of(row),)),
)

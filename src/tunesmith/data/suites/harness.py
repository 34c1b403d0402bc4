"""A task file of lm-evaluation-harness (YAML) whose data lie beside it, as far as it is plain: fields in templates.

Python (`!function`), Jinja logic, filters, few-shot examples and metrics other than exact_match are refused in words:
a task that is half understood would give figures of another task.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.core.errors import DataError
from tunesmith.core.texts import shown
from tunesmith.core.units import size
from tunesmith.data.containers.base import missing
from tunesmith.data.containers.tests_file import not_yaml
from tunesmith.data.lines import refuse_unreadable
from tunesmith.data.suites.base import MOST_TOKENS, Item
from tunesmith.data.suites.checks import Exact
from tunesmith.data.suites.rows import Row, asked, choosing, which

LIMIT = 256 << 10
DEPTH = 30
DATA_LIMIT = 64 << 20
NEW_TOKENS = 256  # the harness's own default
FIELD = re.compile(r"\{\{\s*(\w+)\s*\}\}")
JINJA = re.compile(r"\{\{|\}\}|\{%|\{#")
KNOWN = {
    "task", "dataset_path", "dataset_name", "dataset_kwargs", "test_split", "validation_split", "output_type",
    "doc_to_text", "doc_to_target", "doc_to_choice", "description", "generation_kwargs", "metric_list", "num_fewshot",
    "tag", "group", "task_alias", "metadata", "training_split", "target_delimiter",
}  # fmt: skip


class Task(NamedTuple):
    """`data` is the file of the rows, `shown` its name in messages."""

    name: str
    data: Path
    shown: str
    item: Callable[[Row, int], Item]


def read_task(path: Path, name: str) -> Task:
    """Raises DataError for what is refused, MissingExtraError without PyYAML."""
    written = _load(path, name)
    if not isinstance(written, dict):
        raise DataError(f"{name} holds no task; expected keys and values, such as task, doc_to_text and doc_to_target.")
    if unknown := sorted(shown(str(key), 40) for key in written.keys() - KNOWN):
        raise DataError(
            f"{name}: {', '.join(unknown[:5])} cannot be followed. Read are {', '.join(sorted(KNOWN))}; for other "
            "tasks write the items in Tunesmith's own layout (docs/suites.md)."
        )
    if written.get("num_fewshot"):
        raise DataError(f"{name}: num_fewshot is {shown(str(written['num_fewshot']))}; items are asked without shots.")
    kind = written.get("output_type", "generate_until")
    if kind not in ("generate_until", "multiple_choice"):
        raise DataError(f"{name}: output_type is {shown(str(kind))}; expected generate_until or multiple_choice.")
    data, called = _data(written, path, name)
    title = written.get("task")
    title = title if isinstance(title, str) and title else path.stem
    make = _choosing(written, title, name) if kind == "multiple_choice" else _writing(written, title, name)
    return Task(title, data, called, make)


def _writing(written: Mapping[str, Any], title: str, name: str) -> Callable[[Row, int], Item]:
    prompt, target = _template(written, "doc_to_text", name), _template(written, "doc_to_target", name)
    given = written.get("generation_kwargs") or {}
    until = given.get("until", []) if isinstance(given, dict) else None
    until = [until] if isinstance(until, str) else until
    room = given.get("max_gen_toks", NEW_TOKENS) if isinstance(given, dict) else None
    if not isinstance(until, list) or not all(isinstance(each, str) for each in until):
        raise DataError(f"{name}: generation_kwargs.until is no list of texts; expected one.")
    if not isinstance(room, int) or not 1 <= room <= MOST_TOKENS:
        raise DataError(f"{name}: generation_kwargs.max_gen_toks is {shown(str(room))}; expected 1 to {MOST_TOKENS:,}.")
    any_case = _ignores_case(written.get("metric_list"), name)

    def item(row: Row, number: int) -> Item:
        right = target(row)
        if not right.strip():
            raise DataError("doc_to_target is empty in this row; expected the answer that is right.")
        check = Exact(accepted=(right,), any_case=any_case, until=tuple(until))
        return Item(id=f"{title}-{number}", kind=title, messages=asked(prompt(row)), check=check, max_new_tokens=room)

    return item


def _choosing(written: Mapping[str, Any], title: str, name: str) -> Callable[[Row, int], Item]:
    prompt, target = _template(written, "doc_to_text", name), _value(written, "doc_to_target", name)
    given = written.get("doc_to_choice")
    choices = _value(written, "doc_to_choice", name) if isinstance(given, str) else lambda _: given

    def item(row: Row, number: int) -> Item:
        listed = choices(row)
        if not isinstance(listed, list) or not 2 <= len(listed) <= 26 or not all(isinstance(x, str) for x in listed):
            raise DataError("doc_to_choice gives no list of 2 to 26 texts; expected one.")
        return choosing(prompt(row), listed, which(target(row), listed), title, number)

    return item


def _ignores_case(metrics: Any, name: str) -> bool:
    if metrics is None:
        return False
    first = metrics[0] if isinstance(metrics, list) and len(metrics) == 1 else None
    if not isinstance(first, dict) or first.get("metric") != "exact_match":
        raise DataError(f"{name}: metric_list is something else than exact_match alone, which is what can be checked.")
    others = first.keys() - {"metric", "aggregation", "higher_is_better", "ignore_case"}
    if others:
        raise DataError(f"{name}: metric_list has {', '.join(sorted(map(str, others))[:5])}, which cannot be followed.")
    return first.get("ignore_case") is True


def _template(written: Mapping[str, Any], key: str, name: str) -> Callable[[Row], str]:
    """A text with `{{field}}` in it; a text that is a field's name stands for that field where a row has it."""
    given = written.get(key)
    if not isinstance(given, str) or not given.strip():
        found = "is missing" if given is None else f"is {shown(repr(given))}"
        raise DataError(f"{name}: {key} {found}; expected a text with fields, such as 'Question: {{{{question}}}}'.")
    if JINJA.search(FIELD.sub("", given)):
        raise DataError(
            f"{name}: {key} has Jinja logic ({shown(given)!r}); only fields, such as {{{{question}}}}, are filled in."
        )
    before = written.get("description") or ""
    if not isinstance(before, str) or JINJA.search(before):
        raise DataError(f"{name}: description is no plain text; expected one without Jinja.")
    head = before if key == "doc_to_text" else ""

    def filled(row: Row) -> str:
        if given.strip() in row:
            return head + _plain(row[given.strip()], given.strip())
        return head + FIELD.sub(lambda field: _plain(_of(row, field[1]), field[1]), given)

    return filled


def _value(written: Mapping[str, Any], key: str, name: str) -> Callable[[Row], Any]:
    """What one field holds, named as it is or as `{{field}}`; or a number that is the same for every row."""
    given = written.get(key)
    if isinstance(given, int) and not isinstance(given, bool):
        return lambda _: given
    if not isinstance(given, str):
        raise DataError(f"{name}: {key} is {shown(repr(given))}; expected the name of a field.")
    alone = FIELD.fullmatch(given.strip())
    field = alone[1] if alone else given.strip()
    if JINJA.search(field):
        raise DataError(f"{name}: {key} is {shown(given)!r}; expected one field, such as {{{{label}}}}.")
    return lambda row: _of(row, field)


def _of(row: Row, field: str) -> Any:
    if field not in row:
        raise DataError(f"the task takes the field '{field}', which this row does not have.")
    return row[field]


def _plain(value: Any, field: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise DataError(f"'{field}' is {shown(repr(value))}; expected a text or a number to fill in.")
    return str(value)


def _data(written: Mapping[str, Any], path: Path, name: str) -> tuple[Path, str]:
    """The file of the rows: in the folder of the task, and JSON Lines."""
    source, given = written.get("dataset_path"), written.get("dataset_kwargs") or {}
    files = given.get("data_files") if isinstance(given, dict) else None
    if source != "json":
        files = source if files is None else None
    if isinstance(files, dict):
        split = written.get("test_split") or written.get("validation_split") or "test"
        files = files.get(split)
    if not isinstance(files, str) or Path(files).suffix.lower() not in (".jsonl", ".json"):
        raise DataError(
            f"{name}: the data set is {shown(repr(source))}; expected dataset_path: json with dataset_kwargs."
            "data_files naming a JSON Lines file beside the task. Data sets are not fetched from a hub."
        )
    target = path.parent / files
    called = (Path(name).parent / files).as_posix()
    if not target.resolve().is_relative_to(path.parent.resolve()):
        raise DataError(f"{name} names {shown(files)}; only files in its own folder are read.")
    refuse_unreadable(target, called, f"{name} names it.")
    if (length := target.stat().st_size) > DATA_LIMIT:
        raise DataError(f"{called} has {size(length)}; at most {size(DATA_LIMIT)} is read. Use fewer of its rows.")
    return target, called


def _load(path: Path, name: str) -> Any:
    """The document, by the safe loader; aliases are refused, since they can multiply."""
    try:
        import yaml  # comes with an extra
    except ImportError:
        raise missing("PyYAML") from None
    refuse_unreadable(path, name, "Check the name of the file.")
    if (length := path.stat().st_size) > LIMIT:
        raise DataError(f"{name} has {size(length)}; of a task file at most {size(LIMIT)} is read.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
        _refuse_events(yaml.parse(text, yaml.SafeLoader), name)
        return yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: byte {error.start + 1} is not UTF-8. Save the file as UTF-8.") from None
    except yaml.YAMLError as error:
        raise not_yaml(error, name) from None
    except (ValueError, TypeError) as error:  # a date or a number that is none, a key that is a list
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} cannot be read as YAML ({type(error).__name__}).") from None


def _refuse_events(events: Iterator[Any], name: str) -> None:
    depth = 0
    for event in events:
        kind = type(event).__name__
        depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        place = f"{name}:{event.start_mark.line + 1}"
        if depth > DEPTH:
            raise DataError(f"{place}: nested more than {DEPTH} deep, which no task is.")
        if kind == "AliasEvent":
            raise DataError(f"{place}: an alias (*{shown(event.anchor, 30)}); write the value out.")
        tag = getattr(event, "tag", None)
        if tag and not tag.startswith("tag:yaml.org,2002:"):
            raise DataError(f"{place}: {shown(tag, 40)} would run code or read another file, which is never done here.")

"""A promptfoo configuration, or a file of its tests: YAML or JSON, with the line that each test begins on.

`tests` may be a list, or name files beside the configuration; `defaultTest` adds its variables and assertions to each.
Aliases in YAML can multiply: the values they stand for are counted before any is made.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DataError
from tunesmith.core.texts import shown
from tunesmith.core.units import size
from tunesmith.data import fields
from tunesmith.data.containers import text
from tunesmith.data.containers.base import Items, Placed, finding, missing, plain
from tunesmith.data.containers.expected import test_of
from tunesmith.data.fields import RowError
from tunesmith.data.finding import Finding
from tunesmith.data.lines import refuse_unreadable

LIMIT = 8 << 20  # PyYAML needs a hundred times as much
MOST_VALUES = 1_000_000
DEPTH = 100
PROMPTS = (".txt", ".md")


def tests(path: Path, name: str) -> Items:
    document, lines = _load(path, name)
    config = document if isinstance(document, dict) else {}
    given = config.get("tests") if isinstance(document, dict) else document
    beside = {"prompts": _prompts(config.get("prompts"), path, name)} if config.get("prompts") else {}
    default = config.get("defaultTest")
    for item in _tests(given, lines, path, name):
        if isinstance(item, Finding):
            yield item
        else:
            yield item._replace(row=_with_default(item.row, default) | beside)


def _tests(given: Any, lines: list[int], path: Path, name: str) -> Items:
    if isinstance(given, str):
        given, lines = [given], [1]
    if not isinstance(given, list) or not given:
        raise DataError(f"{name} has no tests; expected a list under 'tests', or a list of tests.")
    for number, test in enumerate(given):
        line = lines[number] if number < len(lines) else 1
        if isinstance(test, str):
            yield from _named(test, path, name)
        elif isinstance(test, dict):
            try:
                yield Placed(line, plain(test, "test"))
            except RowError as fault:
                yield finding(fault, line, name)
        else:
            what = fields.kind(test)
            yield finding(RowError("type", f"The test is {what}; expected an object with vars and assert."), line, name)


def _named(reference: str, path: Path, name: str) -> Items:
    """The tests of a file that the configuration names; its rows keep the line of that file."""
    target, called = _file(reference, path, name)
    suffix = target.suffix.lower()
    if suffix == ".csv":
        rows = text.table(target, called)
    elif suffix == ".jsonl":
        rows = text.json_lines(target, called)
    elif suffix in (".yaml", ".yml", ".json"):
        document, lines = _load(target, called)
        if isinstance(document, list) and any(isinstance(test, str) for test in document):
            raise DataError(f"{called} names further files; expected tests.")
        rows = _tests(document, lines, target, called)
    else:
        raise DataError(f"{name} takes its tests from {shown(reference)}; .csv, .jsonl, .yaml and .json are read.")
    yield from (item if isinstance(item, Finding) else Placed(item.line, test_of(item.row), called) for item in rows)


def _file(reference: str, path: Path, name: str) -> tuple[Path, str]:
    """A file beside the configuration: none outside its folder is opened because a file says so."""
    folder, relative = path.parent, Path(reference.removeprefix("file://"))
    target = folder / relative
    if "://" in reference.removeprefix("file://") or not target.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{name} names {shown(reference)}; only files in its own folder are read.")
    if not target.is_file():
        raise DataError(f"{name} names {shown(reference)}, which is no file.")
    return target, name.removesuffix(path.name) + relative.as_posix()


def _prompts(given: Any, path: Path, name: str) -> list[Any]:
    listed = given if isinstance(given, list) else [given]
    return [_prompt(each, path, name) for each in listed]


def _prompt(given: Any, path: Path, name: str) -> Any:
    raw = given.get("raw", given.get("id")) if isinstance(given, dict) else given
    if isinstance(raw, str) and raw.startswith("file://") and Path(raw).suffix.lower() in PROMPTS:
        target, called = _file(raw, path, name)
        refuse_unreadable(target, called, "It holds a prompt.")
        if target.stat().st_size > LIMIT:
            raise DataError(f"{called} is too large for a prompt.")
        return target.read_text(encoding="utf-8", errors="replace").strip()
    return plain(raw, "prompts") if isinstance(raw, str) else str(raw)


def _with_default(test: dict[str, Any], default: Any) -> dict[str, Any]:
    if not isinstance(default, dict):
        return test
    shared = plain(default, "defaultTest")
    made = dict(test)
    for key, join in (("vars", lambda a, b: a | b), ("assert", lambda a, b: [*b, *a])):
        first, own = shared.get(key), test.get(key)
        if first and isinstance(first, type(own or first)):
            made[key] = join(first, own) if own else first
    return made


def _load(path: Path, name: str) -> tuple[Any, list[int]]:
    """What the file says, and the line of each test in it."""
    try:
        import yaml  # comes with an extra
    except ImportError:
        raise missing("PyYAML") from None
    refuse_unreadable(path, name, "Check the name of the file.")
    if path.stat().st_size > LIMIT:
        raise DataError(
            f"{name} has {size(path.stat().st_size)}; of YAML at most {size(LIMIT)} is read. "
            "Put the tests into CSV or JSON Lines."
        )
    loader = None
    try:
        kind = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it was built
        written = path.read_bytes().decode("utf-8-sig")
        _refuse_depth(yaml.parse(written, kind), name)
        loader = kind(written)
        node = loader.get_single_node()
        if node is None:
            raise DataError(f"{name} is empty; expected tests.")
        if _weight(node, {}) > MOST_VALUES:
            raise DataError(f"{name} holds more than {MOST_VALUES:,} values once its aliases stand for what they mean.")
        return loader.construct_document(node), list(_lines(node))
    except yaml.YAMLError as error:
        raise not_yaml(error, name) from None
    except UnicodeDecodeError:
        raise DataError(f"{name} is not UTF-8 text. Save it as UTF-8.") from None
    except (RecursionError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} cannot be read as YAML ({type(error).__name__}).") from None
    finally:
        if loader is not None:
            loader.dispose()


def _refuse_depth(events: Iterator[Any], name: str) -> None:
    """What nests too deep would exhaust the stack of the parser, which is written in C."""
    depth = 0
    for event in events:
        depth += type(event).__name__.endswith("StartEvent") - type(event).__name__.endswith("EndEvent")
        if depth > DEPTH:
            raise DataError(f"{name}:{event.start_mark.line + 1}: nested more than {DEPTH} deep, which no test is.")


def _weight(node: Any, known: dict[int, int]) -> int:
    """The values that a node stands for, aliases written out. A node that holds itself raises ValueError."""
    if id(node) in known:
        if known[id(node)] < 0:
            raise ValueError("a value that holds itself")
        return known[id(node)]
    known[id(node)] = -1
    children: Iterator[Any] = iter(())
    if isinstance(node.value, list):
        children = (part for each in node.value for part in (each if isinstance(each, tuple) else (each,)))
    known[id(node)] = 1 + sum(_weight(child, known) for child in children)
    return known[id(node)]


def _lines(node: Any) -> Iterator[int]:
    """The first line of each item of the list of tests."""
    if isinstance(node.value, list) and node.value and isinstance(node.value[0], tuple):
        node = next((value for key, value in node.value if key.value == "tests"), None)
    if node is not None and isinstance(node.value, list):
        yield from (each.start_mark.line + 1 for each in node.value if not isinstance(each, tuple))


def not_yaml(error: Exception, name: str) -> DataError:
    """What to raise for an error of PyYAML's in the file `name`, with its line."""
    mark = getattr(error, "problem_mark", None)
    place = f"{name}:{mark.line + 1}" if mark else name
    return DataError(f"{place}: not valid YAML: {shown(str(getattr(error, 'problem', '') or error), 100)}.")

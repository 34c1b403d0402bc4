"""A folder of documents: name.txt or name.md is a row's input, name.answer.txt, .md or .json beside it its output."""

from pathlib import Path

from tunesmith.core.errors import DataError
from tunesmith.core.texts import shown
from tunesmith.core.units import count, size
from tunesmith.data.containers.base import Items, Placed, finding
from tunesmith.data.fields import SURROGATE, RowError
from tunesmith.data.lines import ROW_LIMIT

TEXTS = (".txt", ".md")
ANSWERS = (".answer.txt", ".answer.md", ".answer.json")
MOST_FILES = 1_000_000


def is_answer(path: Path) -> bool:
    return path.name.lower().endswith(ANSWERS)


def is_document(path: Path) -> bool:
    return path.suffix.lower() in TEXTS and not is_answer(path)


def documents(folder: Path, name: str) -> Items:
    files = sorted(path for path in folder.rglob("*") if not _hidden(path, folder))
    if len(files) > MOST_FILES:
        raise DataError(f"{name} has {count(len(files), 'file')}; at most {MOST_FILES:,} are read.")
    used = set()
    for path in files:
        if is_document(path) and path.is_file():
            called = f"{name}/{path.relative_to(folder).as_posix()}"
            answers = [each for each in (path.with_name(path.stem + end) for end in ANSWERS) if each.is_file()]
            used.update(answers)
            try:
                yield _placed(path, folder, answers)._replace(file=called)
            except RowError as fault:
                yield finding(fault, 1, shown(called, 300) if SURROGATE.search(called) else called)
    for path in files:
        if is_answer(path) and path not in used:
            lone = RowError("answer", "An answer without a document; expected name.txt or name.md beside name.answer.*")
            yield finding(lone, 1, f"{name}/{path.relative_to(folder).as_posix()}")


def _placed(path: Path, folder: Path, answers: list[Path]) -> Placed:
    if len(answers) > 1:
        raise RowError("answer", f"The document has two answers, {answers[0].name} and {answers[1].name}; keep one.")
    row = {"document": path.relative_to(folder).as_posix(), "input": _text(path)}
    if SURROGATE.search(row["document"]):
        raise RowError("encoding", "The name of the file is not UTF-8. Rename it.")
    return Placed(1, row | ({"output": _text(answers[0])} if answers else {}))


def _text(path: Path) -> str:
    if (length := path.stat().st_size) > ROW_LIMIT:
        raise RowError("too-large", f"{shown(path.name)} has {size(length)}; at most {size(ROW_LIMIT)} is read.")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RowError("encoding", f"Byte {error.start + 1} of {shown(path.name)} is not UTF-8.") from None


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)

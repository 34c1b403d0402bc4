"""`tunesmith predict`: one candidate answers every message of a file, into a new file.

The rows of the input come back in their order, with what was answered added to each; a row without a message comes
back as failed, with the reason. The output appears whole or not at all, and takes no other file's place unasked.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.candidates.load import load
from tunesmith.core import interrupts
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, question
from tunesmith.core.files import write_jsonl, write_text
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Console
from tunesmith.core.units import count, size
from tunesmith.data.conversation import tools_of
from tunesmith.data.fields import SURROGATE, RowError
from tunesmith.data.lines import (
    ROW_LIMIT,
    RawRow,
    delimiter_of,
    is_csv,
    refuse_unreadable,
    split_cells,
    split_rows,
)
from tunesmith.data.rows import object_at
from tunesmith.engines.registry import LocalEngines
from tunesmith.workflows import candidates, sure
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.status import next_command

ADDED = ("answer", "state", "confidence", "error")
SHOWN = "passages"  # and where a candidate was shown some, their places
SUFFIXES = (".csv", ".jsonl")
NAMED = 8  # columns that a message lists


class Row(NamedTuple):
    place: str  # "file:line"
    cells: dict[str, Any]


class PredictOutcome(Outcome):
    candidate: str
    digest: str
    output: str
    rows: int
    states: dict[str, int]


def predict(
    project: Project, console: Console, source: Path, target: Path, name: str, *, overwrite: bool = False
) -> PredictOutcome:
    """Answer the rows of `source` with the candidate `name`. Raises DataError before anything is answered."""
    [entry] = candidates.choose(project, [name])
    _check_files(project, source, target, overwrite)
    rows = read_rows(source)
    if taken := [name for name in (*ADDED, SHOWN) if any(name in row.cells for row in rows)]:
        raise DataError(f"{source} has a column {taken[0]!r} already, which the answers would overwrite. Rename it.")
    asked = questions(rows, project)
    examples = [each for each in asked if isinstance(each, Example)]
    engines = LocalEngines(project.folder, project.config.providers, project.answers)
    candidate = load(project.artifacts, entry.digest, engines)
    progress = console.progress(f"{name}: {source.name}")
    progress(0, len(examples))
    answers: list[Prediction] = []
    for prediction in candidate.predict(examples):
        answers.append(prediction)
        progress(len(answers), len(examples))
    answers = project.settled(candidate.card.task, examples, answers)
    predictions = _in_order(asked, answers)
    predictions = list(sure.put_right(project, entry.digest, predictions))
    interrupts.settle()  # the same command again would be refused, its output exists
    _write(target, [row.cells for row in rows], predictions)
    states = Counter(prediction.state for prediction in predictions)
    words = ", ".join(f"{number:,} {state}" for state, number in states.most_common())
    console.say(f"Wrote {target}: {count(len(rows), 'row')} answered by {name} ({words}).")
    if engines.answers_used:
        console.say(
            f"{count(engines.answers_used, 'answer')} given before, not asked again: {project.name(project.answers)}."
        )
    if unasked := len(rows) - len(examples):
        console.say(f"{count(unasked, 'row')} had no message to answer; the column 'error' says why.")
    return PredictOutcome(
        candidate=name,
        digest=entry.digest,
        output=str(target),
        rows=len(rows),
        states=dict(states),
        next=next_command(project),
    )


def _check_files(project: Project, source: Path, target: Path, overwrite: bool) -> None:
    for path in (source, target):
        if path.suffix.lower() not in SUFFIXES:
            raise DataError(f"{path}: expected a file that ends in .csv or .jsonl.")
    if target.resolve() == source.resolve():
        raise DataError(f"{target} is the input as well; name another file for the answers.")
    if what := project.reserved(target):
        raise DataError(f"{target} is {what}; answers do not go there. Name another file, such as -o answers.csv.")
    if target.is_dir():
        raise DataError(f"{target} is a folder; name a file for the answers.")
    if target.exists() and not overwrite:
        raise DataError(f"{target} exists already. Name another file, or pass --overwrite to replace it.")


def read_rows(path: Path) -> list[Row]:
    return list(each_row(path))


def each_row(path: Path) -> Iterator[Row]:
    """The rows of a file, one after the other. Raises DataError for what is none, or where there are none."""
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(f"{path}: expected a file that ends in .csv or .jsonl.")
    refuse_unreadable(path, str(path), "Check the path.")
    with path.open("rb") as file:
        delimiter = delimiter_of(path)
        raws = (raw for raw in split_rows(file, delimiter) if not raw.blank)
        texts = ((f"{path}:{raw.line}", _text(raw, f"{path}:{raw.line}")) for raw in raws)
        empty = True
        for row in _read_csv(texts, path, delimiter) if delimiter else _read_jsonl(texts):
            empty = False
            yield row
    if empty:
        raise DataError(f"{path} holds no rows.")


def _text(raw: RawRow, place: str) -> str:
    if not raw.closed:
        raise DataError(f"{place}: not valid CSV: a quote opens in this row and is never closed.")
    if raw.too_large:
        raise DataError(f"{place}: the row has {size(raw.end - raw.start)}; at most {size(ROW_LIMIT)} is read.")
    try:
        return raw.raw.decode("utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{place}: the row is not UTF-8 text. Save the file as UTF-8.") from None


def _read_csv(texts: Iterator[tuple[str, str]], path: Path, delimiter: bytes) -> Iterator[Row]:
    header: list[str] = []
    for place, text in texts:
        try:
            cells = split_cells(text, delimiter)
        except csv.Error as error:
            raise DataError(f"{place}: not valid CSV: {error}. A quote inside quotes is doubled.") from None
        if not header:
            header = cells
            if twice := next((name for name in header if header.count(name) > 1), None):
                raise DataError(f"{path}: the column {twice!r} stands in the header twice; rename one.")
        elif len(cells) != len(header):
            fields = count(len(cells), "field")
            raise DataError(
                f"{place}: the row has {fields}, the header {len(header)}; a text with a comma needs quotes."
            )
        else:
            yield Row(place, dict(zip(header, cells, strict=True)))


def _read_jsonl(texts: Iterator[tuple[str, str]]) -> Iterator[Row]:
    for place, text in texts:
        cells = object_at(text, place)
        if SURROGATE.search(json.dumps(cells, ensure_ascii=False)):
            raise DataError(f"{place}: half of a surrogate pair, which no file can carry. Take it out.")
        yield Row(place, cells)


def questions(rows: Sequence[Row], project: Project) -> list[Example | str]:
    """What each row asks, or why it asks nothing. Raises DataError where none asks anything."""
    questions = [asked_by(row, project) for row in rows]
    if all(isinstance(each, str) for each in questions):
        raise DataError(f"{rows[0].place}: {questions[0]}")
    return questions


def asked_by(row: Row, project: Project) -> Example | str:
    """What a row asks, or why it asks nothing."""
    try:
        return _question(row, project).model_copy(update={"tools": _tools(row, project)})
    except DataError as fault:
        return str(fault)


def _question(row: Row, project: Project) -> Example:
    """The message of a row: its column under [data] input, else its `prompt`, else its last user turn's history."""
    column = project.config.data.input
    name = next((name for name in (column, "prompt") if name in row.cells), None)
    if name is None and isinstance(row.cells.get("messages"), list):
        return _conversation(row, project.prompt)
    if name is None:
        found = ", ".join(list(row.cells)[:NAMED]) or "none"
        raise DataError(
            f"no text in the column {column!r}. Columns found: {found}. Name the column for this command: "
            "--set data.input=COLUMN."
        )
    value = row.cells[name]
    if not isinstance(value, str):
        raise DataError(f"the column {name!r} holds {json.dumps(value)[:30]}; expected text.")
    if not value.strip():
        raise DataError(f"the column {name!r} is empty; expected text.")
    return question(value).model_copy(update={"origin": row.place})


def _tools(row: Row, project: Project) -> tuple[str, ...]:
    """Those that the row brings, else those of the project; none where the task calls none."""
    if project.config.task.family != "tool_calls":
        return ()
    try:
        tools = tools_of(row.cells.get("tools")) or project.tools
    except RowError as fault:
        raise DataError(fault.message) from None
    if not tools:
        raise DataError("the row has no 'tools', and [task] tools names none, so there is nothing to call.")
    return tools


def _conversation(row: Row, prompt: str) -> Example:
    """A row of `messages`: a system turn must be the task's own, and an answer at the end is not shown."""
    asked = list(row.cells["messages"])
    if asked and isinstance(asked[-1], dict) and asked[-1].get("role") == "assistant":
        asked.pop()
    try:
        example = Example.model_validate({"messages": asked, "expected": "", "origin": row.place})
    except ValueError:
        raise DataError("'messages' must be a list of turns, each with a role and a content.") from None
    turns = list(example.messages)
    if turns and turns[0].role == "system" and turns.pop(0).content.strip() != prompt:
        raise DataError("the system turn differs from the task's prompt, which is always sent. Drop it.")
    if not turns or turns[-1].role != "user" or not turns[-1].content.strip():
        raise DataError("'messages' holds no user turn to answer.")
    return example.model_copy(update={"messages": tuple(turns)})


def _in_order(questions: Sequence[Example | str], answers: Sequence[Prediction]) -> list[Prediction]:
    """One prediction for each row: the next answer, or a failed one with the reason why nothing was asked."""
    left = iter(answers)
    return [
        next(left) if isinstance(each, Example) else Prediction(example="", state="failed", error=each)
        for each in questions
    ]


def _write(path: Path, rows: Sequence[dict[str, Any]], predictions: Sequence[Prediction]) -> None:
    answered = [
        row | dict(zip(ADDED, (each.output, each.state, _rounded(each.confidence), each.error), strict=True))
        for row, each in zip(rows, predictions, strict=True)
    ]
    if any(each.passages for each in predictions):
        answered = [row | {SHOWN: list(each.passages)} for row, each in zip(answered, predictions, strict=True)]
    try:
        if is_csv(path):
            write_text(path, _csv_text(answered))
        else:
            write_jsonl(path, answered)
    except OSError as error:
        error.filename, error.filename2 = str(path), None  # the temporary name beside it says nothing to the user
        raise


def _csv_text(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)))
    writer.writeheader()
    for row in rows:
        writer.writerow({key: cell(value) for key, value in row.items()})
    return text.getvalue()


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence, 4)


def cell(value: Any) -> Any:
    """A CSV cell: what is not text, number or nothing stands there as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else value

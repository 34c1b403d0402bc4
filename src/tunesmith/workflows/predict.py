"""`tunesmith predict`: one candidate answers every message of a file, into a new file.

The rows of the input come back in their order, with what was answered added to each; the output appears whole or not
at all.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunesmith.candidates.load import load
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, question
from tunesmith.core.files import write_jsonl, write_text
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Console
from tunesmith.core.units import count
from tunesmith.data.rows import SURROGATE
from tunesmith.engines.registry import LocalEngines
from tunesmith.workflows import candidates
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.status import next_command

ADDED = ("answer", "state", "confidence")
SUFFIXES = (".csv", ".jsonl")
Row = dict[str, Any]


class PredictOutcome(Outcome):
    candidate: str
    digest: str
    output: str
    rows: int
    states: dict[str, int]


def predict(project: Project, console: Console, source: Path, target: Path, name: str) -> PredictOutcome:
    """Answer the rows of `source` with the candidate `name`. Raises DataError before anything is answered."""
    [entry] = candidates.choose(project, [name])
    for path in (source, target):
        if path.suffix.lower() not in SUFFIXES:
            raise DataError(f"{path}: expected a file that ends in .csv or .jsonl.")
    if target.resolve() == source.resolve():
        raise DataError(f"{target} is the input as well; name another file for the answers.")
    rows = _read(source)
    examples = _examples(rows, source, project)
    candidate = load(project.artifacts, entry.digest, LocalEngines(project.folder))
    progress = console.progress(f"{name}: {source.name}")
    progress(0, len(examples))
    predictions: list[Prediction] = []
    for prediction in candidate.predict(examples):
        predictions.append(prediction)
        progress(len(predictions), len(examples))
    _write(target, rows, predictions)
    states = Counter(prediction.state for prediction in predictions)
    words = ", ".join(f"{number:,} {state}" for state, number in states.most_common())
    console.say(f"Wrote {target}: {count(len(rows), 'row')} answered by {name} ({words}).")
    return PredictOutcome(
        candidate=name,
        digest=entry.digest,
        output=str(target),
        rows=len(rows),
        states=dict(states),
        next=next_command(project),
    )


def _read(path: Path) -> list[Row]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path} does not exist. Check the path.") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder; name a file of messages.") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text. Save it as UTF-8.") from None
    rows = _read_csv(text, path) if path.suffix.lower() == ".csv" else _read_jsonl(text, path)
    if not rows:
        raise DataError(f"{path} holds no rows.")
    if taken := [name for name in ADDED if name in rows[0]]:
        raise DataError(f"{path} has a column {taken[0]!r} already, which the answers would overwrite. Rename it.")
    return rows


def _read_csv(text: str, path: Path) -> list[Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows = []
    try:
        for row in reader:
            if None in row or None in row.values():
                raise DataError(f"{path}:{reader.line_num}: the row has not as many fields as the header.")
            rows.append(row)
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: not valid CSV: {error}.") from None
    return rows


def _read_jsonl(text: str, path: Path) -> list[Row]:
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{path}:{number}: not valid JSON: {error}. Expected one object on each line.") from None
        if not isinstance(row, dict):
            raise DataError(f'{path}:{number}: expected a JSON object, such as {{"input": "…"}}.')
        if SURROGATE.search(json.dumps(row, ensure_ascii=False)):
            raise DataError(f"{path}:{number}: half of a surrogate pair, which no file can carry. Take it out.")
        rows.append(row)
    return rows


def _examples(rows: Sequence[Row], path: Path, project: Project) -> list[Example]:
    """The message of each row: its column under [data] input, else its `prompt`, else its last user turn's history."""
    column = project.config.data.input
    examples = []
    for number, row in enumerate(rows, start=1):
        value = row.get(column, row.get("prompt"))
        if value is None and isinstance(row.get("messages"), list):
            examples.append(_conversation(row, f"{path}, row {number}", project.prompt))
        elif isinstance(value, str) and value.strip():
            examples.append(question(value).model_copy(update={"origin": f"{path}, row {number}"}))
        else:
            found = ", ".join(list(row)[:8])
            raise DataError(
                f"{path}, row {number}: no text in the column {column!r}. Columns found: {found}. Name the column for "
                "this command: --set data.input=COLUMN."
            )
    return examples


def _conversation(row: Row, place: str, prompt: str) -> Example:
    """A row of `messages`: a system turn must be the task's own, and an answer at the end is not shown."""
    try:
        example = Example.model_validate({"messages": row["messages"], "expected": "", "origin": place})
    except ValueError:
        raise DataError(f"{place}: 'messages' must be a list of turns, each with a role and a content.") from None
    turns = list(example.messages)
    if turns and turns[0].role == "system" and turns.pop(0).content.strip() != prompt:
        raise DataError(f"{place}: the system turn differs from the task's prompt, which is always sent. Drop it.")
    if turns and turns[-1].role == "assistant":
        turns.pop()
    if not turns or turns[-1].role != "user":
        raise DataError(f"{place}: 'messages' holds no user turn to answer.")
    return example.model_copy(update={"messages": tuple(turns)})


def _write(path: Path, rows: Sequence[Row], predictions: Sequence[Prediction]) -> None:
    answered = [
        row | {"answer": each.output, "state": each.state, "confidence": _rounded(each.confidence)}
        for row, each in zip(rows, predictions, strict=True)
    ]
    if path.suffix.lower() == ".jsonl":
        write_jsonl(path, answered)
        return
    columns = list(dict.fromkeys(key for row in answered for key in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for row in answered:
        writer.writerow({key: _cell(value) for key, value in row.items()})
    write_text(path, text.getvalue())


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence, 4)


def _cell(value: Any) -> Any:
    """A CSV cell: what is not text, number or nothing stands there as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else value

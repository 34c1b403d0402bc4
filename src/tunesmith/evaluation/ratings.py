"""Ratings of answers by people: evals/ratings.csv or .jsonl, from 1 to 5 on five dimensions.

A line is one rating: `example` (the id of a row), `candidate`, `rater`, `dimension` and `rating`; further columns are
not read, and a line whose rating is empty is one still to be given. The mean is over rows, each by the mean of its
raters, with the interval of means of scores (`tasks/bounded.py`) on the scale from 1 to 5.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from tunesmith.core.errors import DataError, nearest
from tunesmith.core.example import Example
from tunesmith.core.record import Record
from tunesmith.core.scorecard import Estimate, Rated
from tunesmith.core.texts import shown
from tunesmith.data.containers.text import columns, json_lines, table
from tunesmith.data.finding import Finding
from tunesmith.evaluation.agreement import MIN_UNITS, alpha
from tunesmith.tasks import bounded
from tunesmith.tasks.figures import estimate, groups_of

Dimension = Literal["accuracy", "helpfulness", "tone", "consistency", "safety"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
COLUMNS = ("example", "candidate", "rater", "dimension", "rating")
LOWEST, HIGHEST = 1, 5


class Rating(Record):
    example: str
    candidate: str
    rater: str
    dimension: Dimension
    rating: int


def read_ratings(path: Path, name: str, ids: set[str]) -> tuple[Rating, ...]:
    """The ratings in `path`, of rows whose ids are `ids`. Raises DataError with the line."""
    found: dict[tuple[str, str, str, str], Rating] = {}
    for line, row in _rows(path, name):
        rating = _rating(row, f"{name}:{line}", ids)
        if rating is None:
            continue
        key = (rating.example, rating.candidate, rating.rater, rating.dimension)
        if key in found:
            raise DataError(f"{name}:{line}: {shown(rating.rater)} has rated that answer on {key[3]} before. Keep one.")
        found[key] = rating
    return tuple(found.values())


def rated(ratings: Sequence[Rating], examples: Sequence[Example], candidates: Sequence[str]) -> tuple[Rated, ...]:
    """Of every dimension that was rated; of `candidates` alone, in their order."""
    kept = [each for each in ratings if each.candidate in candidates]
    return tuple(
        _of_dimension(dimension, [each for each in kept if each.dimension == dimension], examples, candidates)
        for dimension in DIMENSIONS
        if any(each.dimension == dimension for each in kept)
    )


def _of_dimension(
    dimension: Dimension, ratings: Sequence[Rating], examples: Sequence[Example], candidates: Sequence[str]
) -> Rated:
    units: dict[tuple[str, str], list[int]] = defaultdict(list)
    for each in ratings:
        units[each.candidate, each.example].append(each.rating)
    twice = sum(len(unit) > 1 for unit in units.values())
    means = {}
    for candidate in candidates:
        rows = [example for example in examples if (candidate, example.id) in units]
        if rows:
            means[candidate] = _mean(rows, [units[candidate, example.id] for example in rows])
    return Rated(
        dimension=dimension,
        means=means,
        raters=len({each.rater for each in ratings}),
        ratings=len(ratings),
        agreement=alpha(units.values()) if twice >= MIN_UNITS else None,
    )


def _mean(rows: Sequence[Example], units: Sequence[Sequence[int]]) -> Estimate:
    scores = (np.array([np.mean(unit) for unit in units]) - LOWEST) / (HIGHEST - LOWEST)
    found = bounded.mean(scores, groups_of(rows))
    if found is None:
        return estimate(None, len(rows))
    value, low, high = (LOWEST + (HIGHEST - LOWEST) * part for part in (found.value, found.low, found.high))
    return estimate((value, low, high), len(rows))


def _rows(path: Path, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    read = json_lines
    if path.suffix.lower() == ".csv":
        read = table
        _refuse_missing(columns(path, name), name)  # also where nobody has rated yet
    for item in read(path, name):
        if isinstance(item, Finding):
            raise DataError(f"{name}:{item.line}: {item.message} Correct it.")
        _refuse_missing(item.row, f"{name}:{item.line}")
        yield item.line, item.row


def _refuse_missing(named: Iterable[str], where: str) -> None:
    if missing := [column for column in COLUMNS if column not in set(named)]:
        raise DataError(f"{where}: missing {', '.join(missing)}; a rating has {', '.join(COLUMNS)}.")


def _rating(row: Mapping[str, Any], where: str, ids: set[str]) -> Rating | None:
    """None where it is still to be given."""
    said = {column: str(row[column] if row[column] is not None else "").strip() for column in COLUMNS}
    if not said["rating"]:
        return None
    if said["rating"] not in {str(number) for number in range(LOWEST, HIGHEST + 1)}:
        raise DataError(
            f"{where}: rating is {shown(said['rating'])!r}; expected a whole number from 1 to 5, or nothing."
        )
    if said["dimension"] not in DIMENSIONS:
        raise DataError(
            f"{where}: dimension is {shown(said['dimension'])!r}{nearest(said['dimension'], list(DIMENSIONS))}; "
            f"expected one of {', '.join(DIMENSIONS)}."
        )
    if empty := next((column for column in ("candidate", "rater") if not said[column]), None):
        raise DataError(f"{where}: {empty} is empty. Name it.")
    if said["example"] not in ids:
        raise DataError(
            f"{where}: there is no row {shown(said['example'])!r} among the sealed and the validation rows. "
            "`tunesmith compare --rating-sheet` writes lines with the ids of rows."
        )
    return Rating.model_validate(said | {"rating": int(said["rating"])})

"""Ratings of people: how the file is read, what is refused, and what is reckoned from them."""

import json
from pathlib import Path

import pytest

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message
from tunesmith.evaluation.agreement import alpha
from tunesmith.evaluation.ratings import COLUMNS, rated, read_ratings

ROWS = [Example(messages=(Message(role="user", content=f"q{place}"),), expected="a") for place in range(30)]
IDS = {row.id for row in ROWS}
# Four observers, twelve units: the example of Krippendorff (2011), section C; 0 is "not rated".
OBSERVED = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3),
    (0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0),
)


def line(
    row: Example, rating: object, *, candidate: str = "prompt", rater: str = "ann", dimension: str = "tone"
) -> str:
    return ",".join(map(str, (row.id, candidate, rater, dimension, rating)))


def written(folder: Path, *lines: str) -> Path:
    path = folder / "ratings.csv"
    path.write_text("\n".join((",".join(COLUMNS), *lines)) + "\n", encoding="utf-8")
    return path


def test_alpha_is_that_of_the_published_example() -> None:
    units = [[rating for rating in unit if rating] for unit in zip(*OBSERVED, strict=True)]
    assert alpha(units) == pytest.approx(0.815, abs=0.0005)


def test_alpha_of_full_agreement_of_chance_and_of_nothing() -> None:
    assert alpha([[1, 1], [3, 3], [5, 5]]) == pytest.approx(1.0)
    assert alpha([[1, 5], [5, 1], [1, 5]]) < 0
    assert alpha([[3, 3], [3, 3]]) is None
    assert alpha([[1], [2], [3]]) is None


def test_means_are_over_rows_on_the_scale_and_agreement_over_answers_rated_twice(tmp_path: Path) -> None:
    lines = [line(row, 4 if place % 2 else 5) for place, row in enumerate(ROWS)]
    lines += [line(row, 4, rater="bob") for row in ROWS[:12]]
    lines += [line(row, 2, candidate="other") for row in ROWS[:5]]
    lines += [line(row, 1, candidate="gone") for row in ROWS[:3]]
    lines.append(line(ROWS[0], "", dimension="safety"))
    ratings = read_ratings(written(tmp_path, *lines), "evals/ratings.csv", IDS)
    [tone] = rated(ratings, ROWS, ["prompt", "other"])
    assert (tone.dimension, tone.raters, tone.ratings) == ("tone", 2, 47)
    mean = tone.means["prompt"]
    assert mean.value == pytest.approx((15 * 4 + 6 * 4.5 + 9 * 5) / 30)
    assert mean.low is not None
    assert mean.high is not None
    assert 1 <= mean.low < mean.value < mean.high <= 5
    assert (tone.means["other"].value, tone.means["other"].n) == (None, 5)
    assert tone.agreement is not None


def test_json_lines_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    row = dict(zip(COLUMNS, (ROWS[0].id, "prompt", "ann", "safety", 5), strict=True))
    path.write_text(json.dumps(row) + "\n\n" + json.dumps(row | {"rating": None, "rater": "bob"}) + "\n")
    [rating] = read_ratings(path, "evals/ratings.jsonl", IDS)
    assert (rating.dimension, rating.rating) == ("safety", 5)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([line(ROWS[0], 6)], "ratings.csv:2: rating is '6'; expected a whole number from 1 to 5"),
        ([line(ROWS[0], 3, dimension="tune")], "dimension is 'tune' .did you mean 'tone'"),
        ([line(ROWS[0], 3, rater="")], "rater is empty"),
        ([line(ROWS[0], 3).replace(ROWS[0].id, "0000")], "there is no row '0000' among"),
        ([line(ROWS[0], 3), line(ROWS[0], 4)], "ratings.csv:3: ann has rated that answer on tone before"),
    ],
)
def test_what_is_no_rating_is_refused_with_its_line(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_ratings(written(tmp_path, *lines), "evals/ratings.csv", IDS)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text("example,candidate,rating\n")
    with pytest.raises(DataError, match="missing rater, dimension"):
        read_ratings(path, "evals/ratings.csv", IDS)

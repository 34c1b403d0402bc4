"""Putting the confidence of written answers right: by validation rows alone, the order kept."""

import numpy as np
import pytest

from tunesmith.core.prediction import Prediction
from tunesmith.evaluation import confidence


def drawn(rows: int, seed: int = 0, slope: float = 0.7, shift: float = -1.5):
    """Answers that are far surer than they are right, and which of them are."""
    rng = np.random.default_rng(seed)
    sure_N = rng.beta(12, 1.5, rows)
    true_N = 1 / (1 + np.exp(-(slope * np.log(sure_N / (1 - sure_N)) + shift)))
    said = [Prediction(example=str(n), state="ok", output="a", confidence=float(p)) for n, p in enumerate(sure_N)]
    return said, rng.random(rows) < true_N, true_N


def test_what_was_too_sure_becomes_as_sure_as_it_is_right():
    said, right, _ = drawn(400)
    found = confidence.fit(said, right, "rows")
    assert (found.rows, found.of) == (400, "rows")
    fresh, _, true_N = drawn(4000, seed=1)
    after = np.array([each.confidence for each in confidence.scaled(found, fresh)])
    before = np.array([each.confidence for each in fresh])
    assert np.abs(before - true_N).mean() > 0.25
    assert np.abs(after - true_N).mean() < 0.06
    assert (np.argsort(after, kind="stable") == np.argsort(before, kind="stable")).all()


def test_rows_without_an_answer_are_no_part_of_it():
    said, right, _ = drawn(200)
    silent = [Prediction(example="x", state="invalid", confidence=0.99), Prediction(example="y", state="ok")]
    found = confidence.fit([*said, *silent], np.append(right, [False, False]), "rows")
    assert found == confidence.fit(said, right, "rows")
    assert confidence.scaled(found, silent)[1].confidence is None


@pytest.mark.parametrize(
    ("rows", "right"),
    [(49, np.arange(49) % 2 == 0), (100, np.ones(100, bool)), (100, np.arange(100) < 4)],
    ids=["too few", "never wrong", "hardly right"],
)
def test_too_few_rows_leave_it_as_it_is(rows, right):
    said, _, _ = drawn(rows)
    assert confidence.fit(said, right, "rows") is None
    assert confidence.scaled(None, said) == tuple(said)


def test_where_surer_answers_are_worse_nothing_is_turned_around():
    said, _, true_N = drawn(300)
    assert confidence.fit(said, true_N < np.median(true_N), "rows") is None


def test_parted_without_a_mistake_it_stays_finite():
    said, _, true_N = drawn(200)
    found = confidence.fit(said, true_N > np.median(true_N), "rows")
    assert 0 < found.slope < 100

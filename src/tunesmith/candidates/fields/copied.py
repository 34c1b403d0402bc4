"""A field whose value stands in the message: each stretch that may be it is scored by logistic regression, and the
value with the largest odds is the answer, unless none has larger odds.

The odds of a value are those of its stretches, summed; its probability is its share of all odds, those of no value
among them. How strongly the weights are held back and the odds of no value are chosen on the validation rows.
"""

# Axes: N messages, S stretches, F columns, U columns that training rows use.

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression

from tunesmith.candidates.fields.base import Answer, Arrays, Messages, Rows, Saved
from tunesmith.candidates.fields.readings import Reading
from tunesmith.candidates.fields.stretches import Wanted
from tunesmith.candidates.logistic import LEAST, STRENGTHS, choose
from tunesmith.tasks.comparing import Comparator, same

KIND = "copied"
SEEN = 0.5  # in the column that says whether another row had this value; the other columns have unit length together
NONE = (0.0, 0.1, 0.15, 0.2, 0.35, 0.5, 0.7, 1.0, 1.5, 2.5)  # odds of no value
LARGEST = 30.0  # score


class Odds(NamedTuple):
    """Of one message: its values and their odds, the largest first."""

    values: list[Any]
    odds: list[float]


class Copied(NamedTuple):
    reading: Reading
    wanted: Wanted
    used_U: Any
    coef_U: Any
    intercept: float
    none: float

    def answers(self, messages: Messages) -> Sequence[Answer]:
        return [self._answer(found) for found in self.odds(messages)]

    def _answer(self, found: Odds) -> Answer:
        total = self.none + sum(found.odds)
        if not found.odds or found.odds[0] <= self.none:
            return Answer(None, self.none / total if total else None)
        return Answer(found.values[0], found.odds[0] / total)

    def odds(self, messages: Messages) -> list[Odds]:
        places_S, values = _candidates(messages, self.reading, self.wanted)
        seen_S = [self.wanted.seen.get(messages.stretches.found[place].text.casefold(), 0) for place in places_S]
        columns = _columns(messages, places_S, np.array(seen_S))[:, self.used_U]
        scores_S = np.asarray(columns @ self.coef_U + self.intercept, np.float64).clip(-LARGEST, LARGEST)
        found: list[dict[Any, float]] = [defaultdict(float) for _ in messages.texts]
        for owner, value, odds in zip(messages.stretches.owners[places_S], values, np.exp(scores_S), strict=True):
            found[owner][value] += float(odds)
        ranked = (sorted(each.items(), key=lambda pair: -pair[1]) for each in found)
        return [Odds([value for value, _ in each], [odds for _, odds in each]) for each in ranked]

    def saved(self) -> Saved:
        shapes, seen, longest = self.wanted
        wanted = {"shapes": sorted(shapes), "seen": dict(seen), "longest": longest}
        scalars = {"intercept": self.intercept, "none": self.none}
        return {"reading": list(self.reading), "wanted": wanted, **scalars}, {"used": self.used_U, "coef": self.coef_U}


class Trial(NamedTuple):
    model: Copied
    accuracy: float
    log_loss: float


def fit(rows: Rows, checks: Rows, *, reading: Reading, wanted: Wanted, how: Comparator | float) -> Copied:
    places_S, values = _candidates(rows.messages, reading, wanted)
    stretches = rows.messages.stretches
    owners_S = stretches.owners[places_S]
    right_S = np.array(
        [same(value, rows.values[owner], how) for owner, value in zip(owners_S, values, strict=True)], np.bool_
    )
    seen_S = np.array([wanted.seen.get(stretches.found[place].text.casefold(), 0) for place in places_S]) - right_S
    columns = _columns(rows.messages, places_S, seen_S)
    found_N = np.zeros(len(rows.values), np.bool_)
    found_N[owners_S[right_S]] = True
    known_N = found_N | np.array([value is None for value in rows.values])  # else the value stands nowhere
    kept_S = known_N[owners_S]
    used_U = np.unique(columns[kept_S].indices).astype(np.int32)
    weights_S = np.array(rows.weights)[owners_S[kept_S]]
    models = _models(columns[kept_S][:, used_U], right_S[kept_S], weights_S)
    trials = [
        trial
        for coef_U, intercept in models
        for trial in _trials(Copied(reading, wanted, used_U, coef_U, intercept, 1.0), checks, how)
    ]
    return choose(trials).model


def _models(columns_SU: Any, right_S: Any, weights_S: Any) -> Iterator[tuple[Any, float]]:
    if right_S.all():  # nothing to tell apart
        yield np.zeros(columns_SU.shape[1], np.float32), LARGEST
        return
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=1000).fit(columns_SU, right_S, sample_weight=weights_S)
        yield model.coef_[0].astype(np.float32), float(np.float32(model.intercept_[0]))


def _trials(model: Copied, checks: Rows, how: Comparator | float) -> Iterator[Trial]:
    """The model with each of the odds of no value."""
    odds = model.odds(checks.messages)
    right = [
        [same(value, wanted, how) for value in found.values] for found, wanted in zip(odds, checks.values, strict=True)
    ]
    total_N = np.array([sum(found.odds) for found in odds])
    best_N = np.array([max(found.odds, default=0.0) for found in odds])
    hits_N = np.array([bool(each and each[0]) for each in right])
    odds_N = np.array([np.dot(found.odds, each) for found, each in zip(odds, right, strict=True)], np.float64)
    absent_N = np.array([value is None for value in checks.values])
    for none in NONE:
        accuracy = float(np.mean(np.where(best_N > none, hits_N, absent_N)))
        shares_N = np.where(absent_N, none, odds_N) / np.maximum(none + total_N, LEAST)
        yield Trial(model._replace(none=none), accuracy, float(-np.mean(np.log(np.maximum(shares_N, LEAST)))))


def _candidates(messages: Messages, reading: Reading, wanted: Wanted) -> tuple[Any, list[Any]]:
    """The places of the stretches that the field wants and can read, and what it reads."""
    found = [
        (place, value)
        for place, stretch in enumerate(messages.stretches.found)
        if wanted.wants(stretch) and (value := reading.value(stretch.text)) is not None
    ]
    return np.array([place for place, _ in found], np.int64), [value for _, value in found]


def _columns(messages: Messages, places_S: Any, seen_S: Any) -> Any:
    """What is told about each stretch, and whether another row had it as its value."""
    told = messages.stretches.columns[places_S]
    return hstack([told, csr_matrix(np.where(seen_S > 0, SEEN, 0.0).astype(np.float32)[:, None])], format="csr")


def opened(saved: Mapping[str, Any], arrays: Arrays) -> Copied:
    wanted = saved["wanted"]
    return Copied(
        reading=Reading(*saved["reading"]),
        wanted=Wanted(frozenset(wanted["shapes"]), wanted["seen"], wanted["longest"]),
        used_U=arrays["used"],
        coef_U=arrays["coef"],
        intercept=saved["intercept"],
        none=saved["none"],
    )

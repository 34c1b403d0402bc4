"""A field that chooses among the values which the training rows have, absent among them: logistic regression over
TF-IDF."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tunesmith.candidates.fields.base import Answer, Arrays, Messages, Rows, Saved
from tunesmith.candidates.logistic import choose, fits, log_probabilities

KIND = "chosen"


class Chosen(NamedTuple):
    """`values` are JSON texts; one alone needs no weights."""

    values: Sequence[str]
    coef_KF: Any
    intercept_K: Any

    def answers(self, messages: Messages) -> Sequence[Answer]:
        values = [json.loads(value) for value in self.values]
        if len(values) == 1:
            return [Answer(values[0], 1.0)] * len(messages.texts)
        logs_NK = log_probabilities(messages.words, self.coef_KF, self.intercept_K)
        return [Answer(values[logs_K.argmax()], float(np.exp(logs_K.max()))) for logs_K in logs_NK]

    def saved(self) -> Saved:
        return {"values": list(self.values)}, {"coef": self.coef_KF, "intercept": self.intercept_K}


def fit(rows: Rows, checks: Rows) -> Chosen:
    expected, right = ([json.dumps(value, sort_keys=True) for value in part.values] for part in (rows, checks))
    if len(set(expected)) == 1:
        return Chosen(expected[:1], np.zeros((1, 0), np.float32), np.zeros(1, np.float32))
    trials = list(fits(rows.messages.words, expected, rows.weights, checks_NF=checks.messages.words, checks=right))
    best = choose(trials)
    return Chosen(best.labels, best.coef_KF, best.intercept_K)


def opened(saved: Mapping[str, Any], arrays: Arrays) -> Chosen:
    return Chosen(saved["values"], arrays["coef"], arrays["intercept"])

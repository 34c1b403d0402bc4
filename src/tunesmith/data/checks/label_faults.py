"""Labels that are probably wrong, and topics of few rows, told by the meaning of the inputs.

Confident learning (Northcutt et al. 2021, cleanlab): a logistic regression over the sentence vectors says how probable
each label is, always for rows that it was not fitted on. A row is suspected where another label is as probable as it
usually is for rows of that label, and the surest come first. Rows that repeat each other count once, or a wrong label
would be confirmed by its own copy.
"""

# Axes: N rows, F features, K labels.

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.example import Example
from tunesmith.core.progress import Progress, silent
from tunesmith.core.texts import shown
from tunesmith.data.checks.base import AtTheEnd, about
from tunesmith.data.checks.scope import Scope
from tunesmith.data.finding import Finding
from tunesmith.data.normal import normalise

FOLDS = 5
STRENGTH = 10.0  # C of the regression: unit vectors want weak regularisation
FEWEST_OF_LABEL = FOLDS  # rows of a label, so that each fold is fitted on some
FEWEST = 50

Vectors = Any  # a sequence of vectors, or an array of them


class LabelFaults(AtTheEnd):
    """Asked where an embedding is given."""

    def __init__(self, scope: Scope):
        self._scope = scope

    def close(self) -> list[Finding]:
        if not self._scope.embed:
            return []
        rows, vectors = self._scope.embedded()
        return label_faults(rows, vectors, self._scope.fitting)


def label_faults(examples: Sequence[Example], vectors: Vectors, progress: Progress = silent) -> list[Finding]:
    """The rows whose label is suspected, surest first; `vectors` are those of their texts, in order.

    Raises MissingExtraError without cleanlab or scikit-learn.
    """
    kept = _once_each(examples)
    labels = sorted({examples[place].expected for place in kept})
    if len(labels) < 2 or len(kept) < FEWEST:
        return []
    rows, known = [examples[place] for place in kept], [vectors[place] for place in kept]
    given_N, probable_NK = _out_of_fold(rows, known, labels, progress)
    suspected = _suspected(given_N, probable_NK)
    agreeing = float((probable_NK.argmax(1) == given_N).mean())
    found = []
    for rank, place in enumerate(suspected, start=1):
        row, probable_K = examples[kept[place]], probable_NK[place]
        likely = int(probable_K.argmax())
        message = (
            f"The label '{shown(row.expected)}' is probably wrong: rows that mean the same say "
            f"'{shown(labels[likely])}' ({probable_K[likely] * 100:.0f} % against "
            f"{probable_K[given_N[place]] * 100:.0f} %). Number {rank:,} of {len(suspected):,}, surest first, by rows "
            f"that agree with {agreeing * 100:.0f} % of all labels."
        )
        finding = about(row, "look", "label-fault", message, field="output")
        sure = 1 - float(probable_K[given_N[place]])
        found.append(finding.model_copy(update={"likely": labels[likely], "sure": sure}))
    return found


def _once_each(examples: Sequence[Example]) -> list[int]:
    """The places of the rows whose label can be judged: one of each text and label, of labels with some rows."""
    first: dict[tuple[str, str], int] = {}
    for place, row in enumerate(examples):
        first.setdefault((normalise(row.text), row.expected), place)
    uses = Counter(label for _, label in first)
    return [place for (_, label), place in first.items() if uses[label] >= FEWEST_OF_LABEL]


def _out_of_fold(
    rows: Sequence[Example], vectors: Vectors, labels: Sequence[str], progress: Progress
) -> tuple[Any, Any]:
    """Each row's label as a number, and how probable each label is by a model that has not seen the row."""
    import numpy as np

    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold
    except ImportError:
        raise _missing() from None
    numbers = {label: number for number, label in enumerate(labels)}
    given_N = np.array([numbers[row.expected] for row in rows])
    vectors_NF = np.asarray(vectors, dtype=np.float32)
    probable_NK = np.zeros((len(rows), len(labels)))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(vectors_NF, given_N)
    for done, (fit, held) in enumerate(folds, start=1):
        model = LogisticRegression(C=STRENGTH, max_iter=1000).fit(vectors_NF[fit], given_N[fit])
        probable_NK[np.ix_(held, model.classes_)] = model.predict_proba(vectors_NF[held])
        progress(done, FOLDS)
    return given_N, probable_NK


def _suspected(given_N: Any, probable_NK: Any) -> list[int]:
    try:
        from cleanlab.filter import find_label_issues
    except ImportError:
        raise _missing() from None
    ranked = find_label_issues(given_N, probable_NK, return_indices_ranked_by="self_confidence", n_jobs=1)
    return [int(place) for place in ranked]


def _missing() -> MissingExtraError:
    return MissingExtraError(
        "Label faults are found with cleanlab and scikit-learn. Install them with `pip install 'tunesmith[data]'`, or "
        "check without --meaning."
    )

"""The classical baseline: logistic regression over TF-IDF or over MiniLM's sentence vectors.

Which features, and how strongly the weights are held back (C), is chosen on the validation rows (`logistic`). What is
kept are arrays and word lists (npz without pickle, JSON).
"""

# Axes: N rows, F features, K labels.

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tunesmith.candidates.base import Card, keep, same_embedder
from tunesmith.candidates.chunks import Said, in_chunks
from tunesmith.candidates.rows import ordered, rows_digest
from tunesmith.core.errors import DataError, MissingExtraError
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.engines.base import Embedder, Engines
from tunesmith.tasks.costs import cheapest
from tunesmith.tasks.spec import Task

try:
    from tunesmith.candidates.logistic import STRENGTHS, Fitted, choose, fits, log_probabilities
    from tunesmith.candidates.tfidf import TfIdf
except ImportError:
    raise MissingExtraError(
        "The classical baseline needs scikit-learn. Install it with `pip install 'tunesmith[evidence]'`, or take "
        '"classical" out of [baselines] which.'
    ) from None

KIND = "classical"
WEIGHTS = "weights.npz"

Features = Literal["tfidf", "minilm"]
Matrix = Callable[[Sequence[str]], Any]  # texts → (N, F), dense or sparse, float32


@dataclass(frozen=True)
class Trial:
    features: Features
    fitted: Fitted

    @property
    def accuracy(self) -> float:
        return self.fitted.accuracy

    @property
    def log_loss(self) -> float:
        return self.fitted.log_loss

    @property
    def figures(self) -> dict[str, Any]:
        """What the card says of it: 6 digits, so that the last bits of a sum are no part of an identity."""
        accuracy, log_loss = round(self.accuracy, 6), round(self.log_loss, 6)
        return {"features": self.features, "C": self.fitted.C, "accuracy": accuracy, "log_loss": log_loss}


def make(
    artifacts: Path,
    task: Task,
    train: Sequence[Example],
    validation: Sequence[Example],
    engines: Engines,
    *,
    features: Sequence[Features] = ("tfidf", "minilm"),
    strengths: Sequence[float] = STRENGTHS,
) -> str:
    """Fit every pair of `features` and C (`strengths`), and keep the best. Rows count by their weight in the fit.

    Raises DataError where the rows do not allow a choice: one label only, or no validation rows.
    """
    rows, checks = ordered(train, task), ordered(validation, task, "validation")
    if len({row.expected for row in rows}) < 2:
        raise DataError(
            f"All {len(rows)} training rows expect {rows[0].expected!r}: a classifier needs at least 2 labels. "
            "Add rows of the other labels."
        )
    texts = [row.text for row in rows]
    tfidf = TfIdf.fit(texts) if "tfidf" in features else None
    embedder = engines.embedder() if "minilm" in features else None
    trials = [
        Trial(kind, fitted)
        for kind in features
        for fitted in _fits(_matrix(kind, tfidf, embedder), rows, checks, strengths)
    ]
    best = choose(trials)
    inputs = {"train": rows_digest(rows), "validation": rows_digest(checks)}
    if best.features == "minilm":
        assert embedder
        inputs["embedder"] = embedder.digest
    config = {**best.figures, "labels": list(best.fitted.labels), "trials": [trial.figures for trial in trials]}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        np.savez(folder / WEIGHTS, coef=best.fitted.coef_KF, intercept=best.fitted.intercept_K)
        if best.features == "tfidf":
            assert tfidf
            tfidf.save(folder)
        return keep(artifacts, Card(kind=KIND, name=KIND, task=task, config=config, inputs=inputs), folder)


@dataclass(frozen=True)
class Classical:
    card: Card
    digest: str
    matrix: Matrix
    coef_KF: Any
    intercept_K: Any

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        """The most probable label, or the one that costs least on average where the task has it so, with its
        probability as confidence."""
        return in_chunks(examples, self._answers, alone=alone)

    def _answers(self, texts: Sequence[str]) -> list[Said]:
        task = self.card.task
        chances_NK = self._chances(log_probabilities(self.matrix(texts), self.coef_KF, self.intercept_K))
        cheapest_of = self._cheapest
        winners_N = chances_NK.argmax(1) if cheapest_of is None else [cheapest_of(row) for row in chances_NK.tolist()]
        return [
            (task.labels[winner], float(chances_K[winner]))
            for winner, chances_K in zip(winners_N, chances_NK, strict=True)
        ]

    @cached_property
    def _cheapest(self) -> Callable[[Sequence[float]], int] | None:
        task = self.card.task
        return cheapest(task.cheapest, task.labels) if task.cheapest else None

    @cached_property
    def _places(self) -> list[int]:
        """Of the labels that training saw, among those of the task."""
        return [self.card.task.labels.index(label) for label in self.card.config["labels"]]

    def _chances(self, logs_NK: Any) -> Any:
        """Of the labels of the task, in its order; those that training never saw have none."""
        chances_NK = np.zeros((len(logs_NK), len(self.card.task.labels)))
        chances_NK[:, self._places] = np.exp(logs_NK)
        return chances_NK


def open_candidate(folder: Path, card: Card, engines: Engines) -> Classical:
    features = card.config["features"]
    tfidf = TfIdf.open(folder) if features == "tfidf" else None
    embedder = same_embedder(engines, card) if features == "minilm" else None
    with np.load(folder / WEIGHTS, allow_pickle=False) as arrays:
        coef_KF, intercept_K = arrays["coef"], arrays["intercept"]
    return Classical(
        card=card,
        digest=folder.name,
        matrix=_matrix(features, tfidf, embedder),
        coef_KF=coef_KF,
        intercept_K=intercept_K,
    )


def _matrix(kind: Features, tfidf: TfIdf | None, embedder: Embedder | None) -> Matrix:
    if kind == "tfidf":
        assert tfidf
        return tfidf.matrix
    assert embedder
    return lambda texts: np.asarray(embedder.embed(texts), dtype=np.float32)


def _fits(matrix: Matrix, rows: list[Example], checks: list[Example], strengths: Sequence[float]) -> Iterator[Fitted]:
    return fits(
        matrix([row.text for row in rows]),
        [row.expected for row in rows],
        [row.weight for row in rows],
        checks_NF=matrix([row.text for row in checks]),
        checks=[row.expected for row in checks],
        strengths=strengths,
    )

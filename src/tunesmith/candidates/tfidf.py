"""TF-IDF features of the classical baseline: words and word pairs beside character pieces, each of unit length.

Kept as word lists (JSON) and inverse document frequencies (npz), from which scikit-learn's vectorizers are rebuilt.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from tunesmith.core.errors import DataError
from tunesmith.core.files import write_json

VOCABULARY = "vocabulary.json"
FREQUENCIES = "idf.npz"
LARGEST = 30_000  # terms of each kind, the most frequent ones
KINDS: dict[str, dict[str, Any]] = {
    "word": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
    "char": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}


class TfIdf:
    def __init__(self, vectorizers: dict[str, Any]):
        self._vectorizers = vectorizers

    @classmethod
    def fit(cls, texts: Sequence[str]) -> "TfIdf":
        vectorizers = {kind: _vectorizer(kind, max_features=LARGEST) for kind in KINDS}
        try:
            for vectorizer in vectorizers.values():
                vectorizer.fit(texts)
        except ValueError:  # scikit-learn's "empty vocabulary"
            raise DataError(
                f"None of the {len(texts)} training rows contains a word, so there is nothing to learn from. Check "
                "under [data] that `input` names the right column."
            ) from None
        return cls(vectorizers)

    def matrix(self, texts: Sequence[str]) -> Any:
        """(N, F), sparse, float32."""
        return hstack([vectorizer.transform(texts) for vectorizer in self._vectorizers.values()], format="csr")

    def save(self, folder: Path) -> None:
        terms = {kind: list(vectorizer.get_feature_names_out()) for kind, vectorizer in self._vectorizers.items()}
        write_json(folder / VOCABULARY, terms)
        np.savez(folder / FREQUENCIES, **{kind: vectorizer.idf_ for kind, vectorizer in self._vectorizers.items()})

    @classmethod
    def open(cls, folder: Path) -> "TfIdf":
        terms = json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))
        vectorizers = {kind: _vectorizer(kind, vocabulary=terms[kind]) for kind in KINDS}
        with np.load(folder / FREQUENCIES, allow_pickle=False) as frequencies:
            for kind, vectorizer in vectorizers.items():
                vectorizer.idf_ = frequencies[kind]
        return cls(vectorizers)


def _vectorizer(kind: str, **settings: Any) -> Any:
    return TfidfVectorizer(sublinear_tf=True, dtype=np.float32, **KINDS[kind], **settings)

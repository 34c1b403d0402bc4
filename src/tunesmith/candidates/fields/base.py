"""The one interface of the models of a field, and the messages as they look at them.

A model answers every message with a value, None where the field is absent, and how probable it is; None where nothing
says so. It is kept as what JSON can say beside arrays.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from tunesmith.candidates.fields.stretches import Stretches, Wanted
from tunesmith.candidates.tfidf import TfIdf

Arrays = Mapping[str, Any]
Saved = tuple[dict[str, Any], dict[str, Any]]  # JSON, arrays


class Answer(NamedTuple):
    value: Any
    probability: float | None


class Looks(NamedTuple):
    """What is looked at in a message: its words, its stretches, and the training row that is most like it."""

    tfidf: TfIdf | None
    wanted: Wanted
    rows: Any = None  # TF-IDF of the training rows


class Messages:
    """Texts, and what is seen in them, found once for all fields."""

    def __init__(self, texts: Sequence[str], looks: Looks):
        self.texts = texts
        self._looks = looks

    @cached_property
    def words(self) -> Any:
        assert self._looks.tfidf is not None, "no field of this record looks at words"
        return self._looks.tfidf.matrix(self.texts)

    @cached_property
    def stretches(self) -> Stretches:
        return Stretches(self.texts, self._looks.wanted)

    @cached_property
    def nearest(self) -> Sequence[int]:
        """The place of the training row with the largest cosine, for each text."""
        found: Sequence[int] = (self.words @ self._looks.rows.T).toarray().argmax(1).tolist()
        return found


class Rows(NamedTuple):
    """Messages with the values of one field."""

    messages: Messages
    values: Sequence[Any]
    weights: Sequence[float]


class FieldModel(Protocol):
    def answers(self, messages: Messages) -> Sequence[Answer]: ...

    def saved(self) -> Saved: ...

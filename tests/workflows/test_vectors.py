"""Vectors that were computed once are not computed again, and never taken for those of another text or model."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from tunesmith.workflows.vectors import Vectors


class Model:
    """Gives each text the vector of its length, and notes what it is asked."""

    def __init__(self, breaks_at: str | None = None):
        self.asked: list[str] = []
        self._breaks_at = breaks_at

    def __call__(self, texts: list[str]) -> Iterable[list[float]]:
        for text in texts:
            if text == self._breaks_at:
                raise KeyboardInterrupt
            self.asked.append(text)
            yield [float(len(text)), 1.0]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "state" / "vectors.npz"


def of(path: Path | None, texts: list[str], model: Model, digest: str = "m") -> list[list[float]]:
    return np.array(Vectors(path, digest).of(texts, model)).tolist()


def test_only_new_texts_are_computed_and_each_once(path):
    first, second = Model(), Model()
    assert of(path, ["a", "bb", "a", "\ud800"], first) == [[1, 1], [2, 1], [1, 1], [1, 1]]
    assert first.asked == ["a", "bb", "\ud800"]
    assert of(path, ["ccc", "bb"], second) == [[3, 1], [2, 1]]
    assert second.asked == ["ccc"]
    third = Model()
    assert of(path, ["ccc", "\ud800", "a"], third) == [[3, 1], [1, 1], [1, 1]]
    assert third.asked == []
    assert of(path, [], third) == []


def test_what_was_computed_before_it_was_stopped_is_kept(path):
    with pytest.raises(KeyboardInterrupt):
        of(path, ["a", "bb", "ccc"], Model(breaks_at="ccc"))
    again = Model()
    of(path, ["a", "bb", "ccc"], again)
    assert again.asked == ["ccc"]


def test_those_of_another_model_and_of_a_damaged_file_do_not_count(path):
    of(path, ["a"], Model())
    other = Model()
    of(path, ["a"], other, "another")
    assert other.asked == ["a"]
    for broken in (b"", b"no archive", path.read_bytes()[:-30]):
        path.write_bytes(broken)
        again = Model()
        assert of(path, ["a"], again) == [[1, 1]]
        assert again.asked == ["a"]


def test_a_project_that_cannot_be_written_is_read_all_the_same(tmp_path):
    (tmp_path / "file").write_text("")
    assert of(tmp_path / "file" / "vectors.npz", ["a"], Model()) == [[1, 1]]
    assert of(None, ["a"], Model()) == [[1, 1]]


def test_the_file_holds_no_text(path):
    of(path, ["an unmistakable message"], Model())
    assert b"unmistakable" not in path.read_bytes()

"""Sentence vectors that were computed once: .tunesmith/vectors.npz, each by the digest of its text.

What a text means does not change, so nothing in the file is ever out of date; those of another model are left out. It
holds no text and may be deleted at any time: the next look by meaning computes them again.
"""

import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from tunesmith.core.files import replacing

KEY = 16  # bytes of a digest

Compute = Callable[[list[str]], Iterable[Sequence[float]]]  # texts → their vectors, in order


class Vectors:
    """`path` is None where nothing is to be remembered; `model` is the digest of the model whose vectors they are."""

    def __init__(self, path: Path | None, model: str):
        self._path, self._model = path, model
        self._known: dict[bytes, Sequence[float]] = _read(path, model) if path and path.is_file() else {}

    def of(self, texts: Sequence[str], compute: Compute) -> list[Sequence[float]]:
        """The vectors of `texts`, in order. Those that are new are computed, and kept even where that is stopped."""
        keys = [_key(text) for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        try:
            for key, vector in zip(new, compute(list(new.values())) if new else (), strict=True):
                self._known[key] = vector
        finally:
            if new and self._path:
                with suppress(OSError):  # a project may be read where it cannot be written
                    self._write(self._path)
        return [self._known[key] for key in keys]

    def _write(self, path: Path) -> None:
        import numpy as np

        keys = np.frombuffer(b"".join(self._known), np.uint8).reshape(-1, KEY)
        vectors = np.array(list(self._known.values()), np.float32)
        with replacing(path) as file:
            np.savez(file, model=np.array(self._model), keys=keys, vectors=vectors)


def _read(path: Path, model: str) -> dict[bytes, Sequence[float]]:
    """None of them where the file is damaged, or holds those of another model."""
    import numpy as np

    try:
        with np.load(path) as kept:
            if str(kept["model"]) != model:
                return {}
            return {key.tobytes(): vector for key, vector in zip(kept["keys"], kept["vectors"], strict=True)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}


def _key(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY).digest()

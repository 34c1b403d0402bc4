"""The embedding that checks of meaning and measures of likeness ask for, with its progress."""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.core.errors import MissingExtraError, ModelError
from tunesmith.core.progress import Console, Progress
from tunesmith.tasks.base import Embed
from tunesmith.workflows.vectors import Vectors

if TYPE_CHECKING:
    from tunesmith.engines.base import Embedder, Engines

AFTER = ("cleanlab", "sklearn")  # what finds wrong labels and topics
AT_ONCE = 256  # texts between two moves of the bar


def refuse_missing(option: str, *packages: str) -> None:
    """Raise MissingExtraError before any work where one of the packages is absent that `option` needs in the end."""
    if missing := [name for name in packages if find_spec(name) is None]:
        raise MissingExtraError(
            f"{option} needs {' and '.join(missing)}, which the extra 'data' brings: pip install 'tunesmith[data]'."
        )


def embedding(console: Console, remembered: Path | None = None) -> Embed:
    """MiniLM, opened when it is first asked; `remembered`: where its vectors are kept from one command to the next.

    Raises MissingExtraError where what works on its vectors is absent.
    """
    refuse_missing("--meaning", *AFTER)

    @cache
    def opened() -> "tuple[Embedder, Vectors]":
        embedder = _open()
        return embedder, Vectors(remembered, embedder.digest)

    def embed(texts: Sequence[str]) -> list[Sequence[float]]:
        embedder, vectors = opened()
        return vectors.of(texts, lambda new: _in_parts(embedder, new, console.progress("Meaning")))

    return embed


def for_measuring(engines: "Engines", console: Console, remembered: Path) -> Embed | None:
    """MiniLM, for likeness in meaning; None, in words, where it cannot be had: the other figures do without."""
    try:
        embedder = engines.embedder()
    except (MissingExtraError, ModelError) as error:
        console.say(f"Likeness in meaning is not measured: {error}")
        return None
    vectors = Vectors(remembered, embedder.digest)
    return lambda texts: vectors.of(texts, embedder.embed)


def _open() -> "Embedder":
    from tunesmith.engines.registry import LocalEngines  # a backend loaded on demand

    try:
        return LocalEngines().embedder()
    except MissingExtraError:
        raise MissingExtraError(
            "--meaning needs sentence vectors, which the extra 'train' brings: pip install 'tunesmith[train]'."
        ) from None


def _in_parts(embedder: "Embedder", texts: list[str], progress: Progress) -> Iterator[list[float]]:
    for start in range(0, len(texts), AT_ONCE):
        yield from embedder.embed(texts[start : start + AT_ONCE])
        progress(min(start + AT_ONCE, len(texts)), len(texts))

"""The embedding that checks of meaning ask for, with its progress."""

from collections.abc import Sequence

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.progress import Console
from tunesmith.data.meaning import Embed

AT_ONCE = 256  # texts between two moves of the bar


def embedding(console: Console) -> Embed:
    """MiniLM, opened when it is first asked. Raises MissingExtraError where its libraries are absent."""
    from tunesmith.engines.registry import LocalEngines  # a backend loaded on demand

    engines = LocalEngines()

    def embed(texts: Sequence[str]) -> list[list[float]]:
        try:
            embedder = engines.embedder()
        except MissingExtraError:
            raise MissingExtraError(
                "--meaning needs sentence vectors, which the extra 'train' brings: pip install 'tunesmith[train]'."
            ) from None
        progress, vectors = console.progress("Meaning"), list[list[float]]()
        for start in range(0, len(texts), AT_ONCE):
            vectors += embedder.embed(texts[start : start + AT_ONCE])
            progress(len(vectors), len(texts))
        return vectors

    return embed

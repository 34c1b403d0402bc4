"""The embedding that checks of meaning ask for, with its progress."""

from collections.abc import Sequence
from importlib.util import find_spec

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.progress import Console
from tunesmith.data.meaning import Embed

AFTER = ("cleanlab", "sklearn")  # what finds wrong labels and topics
AT_ONCE = 256  # texts between two moves of the bar


def refuse_missing(option: str, *packages: str) -> None:
    """Raise MissingExtraError before any work where one of the packages is absent that `option` needs in the end."""
    if missing := [name for name in packages if find_spec(name) is None]:
        raise MissingExtraError(
            f"{option} needs {' and '.join(missing)}, which the extra 'data' brings: pip install 'tunesmith[data]'."
        )


def embedding(console: Console) -> Embed:
    """MiniLM, opened when it is first asked. Raises MissingExtraError where what works on its vectors is absent."""
    refuse_missing("--meaning", *AFTER)
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

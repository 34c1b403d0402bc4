"""The retrieval baseline: the model with the passages of the user's documents that fit each request best.

What changes with a document belongs there, not into weights; so a fine-tune has to beat the prompt that may look it
up. The passages stand behind the task's prompt, each under its place, and the prediction names those places: an answer
can be checked against its source. The passages are kept with the candidate, in plain text.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tunesmith.candidates import asking, prompting
from tunesmith.candidates.base import Candidate, Card, keep, same_embedder
from tunesmith.candidates.prompting import Context, Contexts
from tunesmith.candidates.searching import BM25, merged
from tunesmith.core.errors import ConfigError, DataError, ModelError
from tunesmith.core.example import Example, question
from tunesmith.core.files import read_jsonl, write_jsonl
from tunesmith.data.passages import Passage, passages_digest
from tunesmith.engines.base import Embedder, Engines
from tunesmith.models.names import is_hosted
from tunesmith.models.renderer import Renderer
from tunesmith.tasks.spec import Task

KIND = "retrieval"
PASSAGES, VECTORS = "passages.jsonl", "vectors.npy"


def make(
    artifacts: Path,
    task: Task,
    passages: Sequence[Passage],
    *,
    model: str,
    max_tokens: int,
    engines: Engines,
    count: int,
) -> str:
    """`count` of the passages are shown to each request.

    Raises ConfigError where that many do not fit into `max_tokens`, DataError for a passage that the model cannot be
    shown.
    """
    embedder = engines.embedder()
    inputs = {
        **asking.made_with(engines, model, task),
        "documents": passages_digest(passages),
        "embedder": embedder.digest,
    }
    if not is_hosted(model):
        _check_shown(engines.renderer(model), task, passages, count, max_tokens)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        vectors_NH = np.asarray(embedder.embed([each.text for each in passages]), dtype=np.float32)
        np.save(folder / VECTORS, vectors_NH, allow_pickle=False)
        write_jsonl(folder / PASSAGES, [each.model_dump(mode="json") for each in passages])
        config = {**asking.config(model, max_tokens), "passages": count}
        return keep(artifacts, Card(kind=KIND, name=KIND, task=task, config=config, inputs=inputs), folder)


def open_candidate(folder: Path, card: Card, engines: Engines) -> Candidate:
    passages = _read(folder / PASSAGES)
    embedder = same_embedder(engines, card)
    vectors_NH = np.load(folder / VECTORS, allow_pickle=False)
    return asking.opened(folder, card, engines, _found(passages, vectors_NH, embedder, card.config["passages"]))


def shown_by(folder: Path) -> dict[str, str]:
    """The text of every passage that the candidate in `folder` may show, by its place; none where it shows none."""
    path = folder / PASSAGES
    if not path.is_file():
        return {}
    return {each.place: each.text for each in _read(path)}


def _read(path: Path) -> list[Passage]:
    return [Passage.model_validate_json(line) for line in read_jsonl(path)]


def _found(passages: Sequence[Passage], vectors_NH: np.ndarray, embedder: Embedder, count: int) -> Contexts:
    """The best passages of each request, the best last, next to it."""
    bm25 = BM25([passage.text for passage in passages])

    def contexts(examples: Sequence[Example]) -> list[Context]:
        asked = np.asarray(embedder.embed([example.text for example in examples]), dtype=np.float32)
        found = []
        for example, vector_H in zip(examples, asked, strict=True):
            best = merged(bm25.scores(example.text), vectors_NH @ vector_H, count)
            found.append(Context(passages=[passages[place] for place in best[::-1]]))
        return found

    return contexts


def _check_shown(renderer: Renderer, task: Task, passages: Sequence[Passage], count: int, max_tokens: int) -> None:
    """A passage that the template cannot carry would fail every request that it is shown to."""
    lengths = []
    for passage in passages:
        try:
            shown = prompting.conversation(task, question("?"), Context(passages=[passage]))
            lengths.append(len(renderer.prompt(shown)))
        except (DataError, ModelError) as error:
            raise type(error)(f"{passage.place} cannot be shown to the model. {error}") from None
    alone = len(renderer.prompt(prompting.conversation(task, question("?"))))
    needed = alone + sum(sorted(length - alone for length in lengths)[-count:])
    longest = prompting.longest_prompt(renderer, prompting.way_of(renderer, task), max_tokens)
    if needed > longest:
        raise ConfigError(
            f"The task's prompt with {count} passages takes up to {needed:,} tokens; at most {longest:,} fit before "
            "the answer. Lower [baselines] passages, or raise [model] max_tokens as far as the model allows."
        )

"""The one interface of everything that answers, and the folder it is kept in.

A candidate lives in `artifacts/<digest>/`: `candidate.json` (its card) beside the files it needs. The digest covers
the card's identity and every file, so equal folders are equal candidates.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from tunesmith.core.digests import digest, sha256_folder
from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.core.files import new_folder, write_json
from tunesmith.core.prediction import Prediction
from tunesmith.core.record import Record
from tunesmith.engines.base import Embedder, Engines
from tunesmith.tasks.spec import Task

CARD = "candidate.json"
AGAIN = "`tunesmith baseline` or `tunesmith train` makes the candidate again."


class Card(Record):
    """What a candidate is. `config` holds what its kind needs to open it again (JSON values only)."""

    schema_version: Literal[1] = 1
    kind: str
    name: str
    task: Task
    config: dict[str, Any] = {}
    inputs: dict[str, str] = {}  # name → digest of what it was made from: training rows, model, recipe


class Candidate(Protocol):
    """`predict` yields one prediction per example, in order, as they become known.

    `alone=True` answers every example by itself, so that `latency` can be measured; otherwise a candidate batches
    as it likes. Costs are left at zero: the runner prices seconds and tokens. One that has `timed = True` states the
    latency itself, alone or not, where it is known; that of all others is measured.
    """

    card: Card
    digest: str

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]: ...


def card_digest(card: Card, files: dict[str, str]) -> str:
    """Identity of a candidate: its kind, task, config, inputs and files. The name is a label, not identity."""
    return digest(
        "candidate",
        1,
        kind=card.kind,
        task=card.task.digest,
        config=card.config,
        inputs=card.inputs,
        files=files,
    )


def keep(artifacts: Path, card: Card, files: Path | None = None) -> str:
    """Write `card` and the files of folder `files` to their content address below `artifacts`; return the digest."""
    hashes = sha256_folder(files) if files else {}
    address = card_digest(card, hashes)
    with new_folder(artifacts / address) as folder:
        for name in hashes:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((files / name).read_bytes())  # type: ignore[operator]
        write_json(folder / CARD, card.model_dump(mode="json"))
    return address


def read_card(folder: Path) -> Card:
    """The card in `folder`. Raises UserError where there is none, or none that can be read."""
    path = folder / CARD
    if not path.exists():
        raise UserError(f"{folder} is not a candidate: it holds no {CARD}. {AGAIN}")
    try:
        return Card.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError:
        raise UserError(
            f"{path} cannot be read: it was changed, or written by another version of Tunesmith. Delete that folder. "
            f"{AGAIN}"
        ) from None


def verify(folder: Path) -> Card:
    """The card of `folder`, after checking that its files still hash to its name."""
    card = read_card(folder)
    files = sha256_folder(folder)
    files.pop(CARD)
    if card_digest(card, files) != folder.name:
        raise UserError(
            f"The files of candidate {card.name!r} in {folder} have changed since it was recorded. "
            f"Delete that folder. {AGAIN}"
        )
    return card


def same_embedder(engines: Engines, card: Card) -> Embedder:
    """The sentence encoder, which must be the one that the candidate was made with. Raises UserError."""
    embedder = engines.embedder()
    if embedder.digest != card.inputs["embedder"]:
        raise UserError(
            f"Candidate {card.name!r} was made with another sentence encoder than the one that is installed. "
            "Make it again with `tunesmith baseline`."
        )
    return embedder


class Opener(Protocol):
    def __call__(self, folder: Path, card: Card, engines: Engines) -> Candidate: ...

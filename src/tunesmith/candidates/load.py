"""Any candidate by its digest: the card names the kind, and only that kind's backend is imported."""

import importlib
from pathlib import Path

from tunesmith.candidates.base import Candidate, Opener, verify
from tunesmith.core.errors import UserError
from tunesmith.engines.base import Engines

MODULES = {
    "majority": "majority",
    "usual-record": "usual_record",
    "usual-calls": "usual_calls",
    "rules": "rules",
    "classical": "classical",
    "classical-record": "classical_record",
    "classical-sets": "classical_sets",
    "copy": "copying",
    "prompt": "prompt",
    "few-shot": "few_shot",
    "retrieval": "retrieval",
    "recorded": "recorded",
    "cascade": "cascade",
    "fine-tuned": "fine_tuned",
}


def load(artifacts: Path, digest: str, engines: Engines) -> Candidate:
    """Open `artifacts/<digest>/` after checking that nothing in it has changed.

    Raises UserError where there is no such candidate, where its card or its files have changed, or where its kind is
    not known.
    """
    folder = artifacts / digest
    card = verify(folder)
    if card.kind not in MODULES:
        raise UserError(
            f"Candidate {card.name!r} in {folder} is of kind {card.kind!r}; this version of Tunesmith opens "
            f"{', '.join(MODULES)}. Install a newer version."
        )
    opener: Opener = importlib.import_module(f"tunesmith.candidates.{MODULES[card.kind]}").open_candidate
    return opener(folder, card, engines)

"""The fine-tune: a base model with the adapter that training made, or the model that a provider trained.

It is asked as the prompt baseline is asked.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tunesmith.candidates import asking, prompting
from tunesmith.candidates.base import Candidate, Card, keep
from tunesmith.core.errors import ModelError
from tunesmith.engines.base import Engines
from tunesmith.models.names import is_hosted
from tunesmith.tasks.spec import Task

KIND = "fine-tuned"
ADAPTER = "adapter"
CONFIG = "adapter_config.json"
NEEDED = (CONFIG, "adapter_model.safetensors")
PICKLED = (".bin", ".pt", ".pth", ".pkl", ".ckpt")


def make(
    artifacts: Path,
    task: Task,
    *,
    name: str,
    model: str,
    adapter: Path,
    max_tokens: int,
    engines: Engines,
    inputs: Mapping[str, str],
) -> str:
    """Keep the PEFT folder `adapter` with what it was made from: `inputs` names the digests of recipe and rows.

    The adapter is opened once, on its base model, before it is recorded: what does not load is no candidate. Raises
    ModelError where the folder is not a PEFT adapter in safetensors, or does not fit `model`.
    """
    missing = [file for file in NEEDED if not (adapter / file).is_file()]
    if missing:
        raise ModelError(f"Adapter folder {adapter} lacks {' and '.join(missing)}; expected an adapter as PEFT saves.")
    pickled = sorted(path.name for path in adapter.rglob("*") if path.suffix in PICKLED)
    if pickled:
        raise ModelError(
            f"Adapter folder {adapter} holds {pickled[0]}, which can run code when loaded; expected safetensors and "
            "JSON only. Take it out."
        )
    _refuse_another_base(adapter, model)
    prompting.label_tokens(engines.renderer(model), task.labels)
    made_from = {**inputs, "engine": engines.language(model, adapter).digest}
    card = Card(kind=KIND, name=name, task=task, config=prompting.config(model, max_tokens), inputs=made_from)
    with tempfile.TemporaryDirectory() as temporary:
        shutil.copytree(adapter, Path(temporary, ADAPTER))
        return keep(artifacts, card, Path(temporary))


def _refuse_another_base(adapter: Path, model: str) -> None:
    """A base of the same shapes would take the adapter without a word, and answer nonsense."""
    path = adapter / CONFIG
    try:
        base = json.loads(path.read_text(encoding="utf-8")).get("base_model_name_or_path")
    except (ValueError, AttributeError):
        raise ModelError(f"{path} is no JSON object; expected an adapter as PEFT saves it.") from None
    if base and base != model:
        raise ModelError(
            f"The adapter in {adapter} was made for the model {base!r}, not for {model!r}. Name {base!r} under [model] "
            "base, or train again on this one."
        )


def make_hosted(artifacts: Path, task: Task, *, name: str, model: str, inputs: Mapping[str, str]) -> str:
    """Keep the model `PROVIDER:ID` that a provider trained: there is nothing of it here but its name."""
    return keep(artifacts, Card(kind=KIND, name=name, task=task, config={"model": model}, inputs=dict(inputs)))


def open_candidate(folder: Path, card: Card, engines: Engines) -> Candidate:
    if is_hosted(card.config["model"]):
        return asking.opened(folder, card, engines)
    _refuse_another_base(folder / ADAPTER, card.config["model"])
    return prompting.Prompted(folder, card, engines, adapter=folder / ADAPTER)

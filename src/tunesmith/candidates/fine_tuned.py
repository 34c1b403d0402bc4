"""The fine-tune: a base model with the adapter that training made, a whole model, or one that a provider trained.

It is asked as the prompt baseline is asked.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tunesmith.candidates import asking, prompting
from tunesmith.candidates.base import Card, keep
from tunesmith.core.errors import ModelError
from tunesmith.engines.base import Engines
from tunesmith.models.names import ADAPTER_CONFIG as CONFIG
from tunesmith.models.names import ADAPTER_WEIGHTS, is_hosted
from tunesmith.tasks.spec import Task

KIND = "fine-tuned"
ADAPTER, MODEL = "adapter", "model"  # the artifact's folder with what was trained
NEEDED = {ADAPTER: (CONFIG, ADAPTER_WEIGHTS), MODEL: ("config.json",)}
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
    """Keep the folder `adapter` with what it was made from: `inputs` names the digests of recipe and rows.

    It holds a PEFT adapter, or a whole model in a folder of the name `model`. It is opened once before it is recorded:
    what does not load is no candidate. Raises ModelError where it is neither in safetensors, or does not fit `model`.
    """
    kind = MODEL if adapter.name == MODEL else ADAPTER
    missing = [file for file in NEEDED[kind] if not (adapter / file).is_file()]
    if kind == MODEL and not any(adapter.glob("*.safetensors")):
        missing.append("model.safetensors")
    if missing:
        made_by = "an adapter as PEFT" if kind == ADAPTER else "a model as transformers"
        raise ModelError(f"The folder {adapter} lacks {' and '.join(missing)}; expected {made_by} saves it.")
    pickled = sorted(path.name for path in adapter.rglob("*") if path.suffix in PICKLED)
    if pickled:
        raise ModelError(
            f"The folder {adapter} holds {pickled[0]}, which can run code when loaded; expected safetensors and "
            "JSON only. Take it out."
        )
    if kind == ADAPTER:
        _refuse_another_base(adapter, model)
    prompting.way_of(engines.renderer(model), task)
    made_from = {**inputs, "engine": engines.language(model, adapter).digest}
    card = Card(kind=KIND, name=name, task=task, config=prompting.config(model, max_tokens), inputs=made_from)
    with tempfile.TemporaryDirectory() as temporary:
        shutil.copytree(adapter, Path(temporary, kind))
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


def open_candidate(folder: Path, card: Card, engines: Engines) -> asking.Opened:
    if is_hosted(card.config["model"]):
        return asking.opened(folder, card, engines)
    trained = trained_folder(folder)
    if trained.name == ADAPTER:
        _refuse_another_base(trained, card.config["model"])
    return prompting.Prompted(folder, card, engines, adapter=trained, virtual=_virtual_tokens(trained))


def trained_folder(artifact: Path) -> Path:
    """The folder of what was trained, in the artifact."""
    return artifact / (MODEL if (artifact / MODEL).is_dir() else ADAPTER)


def _virtual_tokens(trained: Path) -> int:
    """How many learned tokens stand before every prompt."""
    path = trained / CONFIG
    config = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return int(config.get("num_virtual_tokens") or 0)

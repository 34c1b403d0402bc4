"""What training made, opened for answers: adapters merged into the weights, learned tokens, or a whole model."""

from pathlib import Path
from typing import NamedTuple

from peft import PeftModel, get_peft_model_state_dict
from safetensors import SafetensorError, safe_open
from transformers import PreTrainedModel

from tunesmith.core.errors import ModelError
from tunesmith.engines.local.loading import load
from tunesmith.engines.local.quantised import quantisation_of
from tunesmith.engines.local.virtual import Virtual, virtual_tokens
from tunesmith.models.names import ADAPTER_CONFIG as CONFIG
from tunesmith.models.names import ADAPTER_WEIGHTS as WEIGHTS

CURE = "It was made for another base model: name that one under [model] base, or train again on this one"


class Tuned(NamedTuple):
    """A model in evaluation mode, and the learned tokens that stand before every row, where there are any."""

    model: PreTrainedModel
    virtual: Virtual | None = None


def open_tuned(base: Path, folder: Path) -> Tuned:
    """The model that answers: `folder` holds a PEFT adapter of the model in `base`, or a whole model of its own.

    An adapter that was trained over a quantised base answers over the same values. On the CPU they are unpacked
    first, since they would be for every product, and the adapter is merged into them; elsewhere they stay in 4 bits.
    """
    if not (folder / CONFIG).exists():
        return Tuned(load(folder))
    quantisation = quantisation_of(folder)
    model = load(base, quantisation=quantisation)
    if quantisation and model.device.type == "cpu":
        model = model.dequantize(model.dtype)  # type: ignore[no-untyped-call]
    return with_adapter(model, folder, merge=not quantisation or model.device.type == "cpu")


def with_adapter(model: PreTrainedModel, folder: Path, *, merge: bool = True) -> Tuned:
    """`model` with the adapter in `folder`. Merged, it answers the same without the adapter's extra products."""
    try:
        wrapped = PeftModel.from_pretrained(model, str(folder), is_trainable=False)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise ModelError(f"The adapter in {folder} does not fit the model: {_first(error)}. {CURE}.") from None
    _refuse_other_layers(wrapped, folder)
    wrapped.eval()
    base: PreTrainedModel = wrapped.get_base_model()  # type: ignore[assignment]
    if wrapped.active_peft_config.is_prompt_learning:
        return Tuned(base, virtual_tokens(wrapped.requires_grad_(False)))
    if not merge:
        return Tuned(base)
    merged: PreTrainedModel = wrapped.merge_and_unload(safe_merge=True)
    merged.eval()  # type: ignore[no-untyped-call]
    return Tuned(merged)


def _refuse_other_layers(wrapped: PeftModel, folder: Path) -> None:
    """PEFT passes over weights of layers that the model lacks, and leaves layers without weights as they begin."""
    with safe_open(folder / WEIGHTS, framework="pt") as file:
        theirs = set(file.keys())
    ours = set(get_peft_model_state_dict(wrapped, save_embedding_layers=False))
    if odd := sorted(theirs ^ ours):
        whose = "the model has no such layer" if odd[0] in theirs else "the adapter has no weights for it"
        raise ModelError(
            f"The adapter in {folder} does not fit the model: {len(odd)} layers differ, {odd[0]} first ({whose})."
            f" {CURE}."
        )


def _first(error: Exception) -> str:
    """The line that says what differs; PyTorch's first line only says that something does."""
    lines = [line.strip() for line in str(error).strip().splitlines()] or [type(error).__name__]
    return next((line for line in lines if line.startswith("size mismatch")), lines[0]).rstrip(".:")

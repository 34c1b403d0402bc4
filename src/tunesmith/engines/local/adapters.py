"""PEFT adapters on a loaded model, merged into its weights for inference."""

from pathlib import Path

from peft import PeftModel, get_peft_model_state_dict
from safetensors import SafetensorError, safe_open
from transformers import PreTrainedModel

from tunesmith.core.errors import ModelError

WEIGHTS = "adapter_model.safetensors"
CURE = "It was made for another base model: name that one under [model] base, or train again on this one"


def with_adapter(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """`model` with the adapter in `folder` merged in: the same answers, without the adapter's extra products."""
    try:
        wrapped = PeftModel.from_pretrained(model, str(folder), is_trainable=False)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise ModelError(f"The adapter in {folder} does not fit the model: {_first(error)}. {CURE}.") from None
    _refuse_other_layers(wrapped, folder)
    merged: PreTrainedModel = wrapped.merge_and_unload(safe_merge=True)
    merged.eval()  # type: ignore[no-untyped-call]
    return merged


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

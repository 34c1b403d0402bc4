"""PEFT adapters on a loaded model, merged into its weights for inference."""

from pathlib import Path

from peft import PeftModel
from safetensors import SafetensorError
from transformers import PreTrainedModel

from tunesmith.core.errors import ModelError


def with_adapter(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """`model` with the adapter in `folder` merged in: the same answers, without the adapter's extra products."""
    try:
        wrapped = PeftModel.from_pretrained(model, str(folder), is_trainable=False)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"The adapter in {folder} does not fit the model: {first}") from None
    merged: PreTrainedModel = wrapped.merge_and_unload(safe_merge=True)
    merged.eval()  # type: ignore[no-untyped-call]
    return merged

"""A model's folder → a transformers model that attends by Tunesmith's attention, on the best device at hand."""

import ctypes
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging

from tunesmith.core import bfloat16
from tunesmith.core.errors import ModelError
from tunesmith.engines.local import attention
from tunesmith.engines.local.quantised import Quantisation

PLAIN_ROTARY = ("default", "linear", "llama3", "yarn")  # regimes that do not depend on the row's length


def load(
    folder: Path,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | None = None,
    quantisation: Quantisation | None = None,
) -> PreTrainedModel:
    """The causal language model in `folder`, in evaluation mode. Only safetensors; no code from the folder runs.

    Raises ModelError for architectures whose attention the shared-prefix layout does not reproduce.
    """
    prepare_process()
    device = device or best_device()
    dtype = dtype or best_dtype(device)
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        refuse_unsupported(config, folder)
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            attn_implementation=attention.NAME,
            quantization_config=quantisation.config(dtype) if quantisation else None,
            device_map={"": device} if quantisation else None,  # layers are quantised where they will be
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
        )
    except (OSError, ValueError, KeyError) as error:
        if isinstance(error, ModelError):
            raise
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"The model in {folder} could not be loaded: {first}") from None
    if quantisation is None:
        model.to(device)  # type: ignore[arg-type]
    model.eval()  # type: ignore[no-untyped-call]
    return model


def refuse_unsupported(config: Any, folder: Path) -> None:
    """Say in words which part of the architecture shared-prefix attention would get wrong."""
    text = config.get_text_config()
    kinds = set(getattr(text, "layer_types", None) or [])
    reasons = []
    if odd := kinds - {"full_attention", "sliding_attention"}:
        reasons.append(f"layers of kind {', '.join(sorted(odd))}")
    if getattr(text, "use_bidirectional_attention", None):
        reasons.append("attention that looks ahead")
    if getattr(text, "num_kv_shared_layers", 0):
        reasons.append("layers that share keys and values")
    rotary = (getattr(text, "rope_parameters", None) or {}).get("rope_type", "default")
    if rotary not in PLAIN_ROTARY:
        reasons.append(f"{rotary!r} rotary scaling, which depends on the row's length")
    if reasons:
        raise ModelError(
            f"The model in {folder} uses {' and '.join(reasons)}, which shared-prefix attention does not compute yet. "
            "Choose a model of the Llama, Qwen, Mistral, Gemma or Phi family under [model] base."
        )


def best_device() -> torch.device:
    return torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")


def best_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where its products are fast."""
    cuda = device.type == "cuda"
    fast = torch.cuda.is_bf16_supported(including_emulation=False) if cuda else bfloat16.is_fast()
    return torch.bfloat16 if fast else torch.float32


@cache
def prepare_process() -> None:
    """Threads set to the cores this process may use; an allocator that keeps its pages; quiet libraries."""
    if hasattr(os, "sched_getaffinity"):
        torch.set_num_threads(len(os.sched_getaffinity(0)))
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if torch.cuda.is_available():
        _repeatable()
    if sys.platform == "linux":
        _keep_pages()


def _repeatable() -> None:
    """The same bits every time on the same GPU, so that a run that was stopped goes on to the very same weights."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else streams take turns at workspaces
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def _keep_pages() -> None:
    """Tell glibc not to return memory to the kernel between layers: fresh pages cost more than the arithmetic."""
    trim_threshold, top_pad, mmap_max = -1, -2, -4  # malloc.h: M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX
    try:
        libc = ctypes.CDLL("libc.so.6")
        for option, value in ((mmap_max, 0), (trim_threshold, 2**31 - 1), (top_pad, 64 << 20)):
            libc.mallopt(option, value)
    except (OSError, AttributeError):
        return  # another C library: slower, not wrong

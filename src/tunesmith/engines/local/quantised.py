"""A base model in 4 bits, by bitsandbytes: NF4 (Dettmers et al., 2023, arXiv:2305.14314), on the CPU as well.

The linear layers of the blocks are quantised; embeddings, norms and the head keep their precision.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import torch
from pydantic import ValidationError
from torch import nn
from transformers import BitsAndBytesConfig

from tunesmith.core.errors import MissingExtraError, ModelError
from tunesmith.core.record import Record

FILE = "quantization_config.json"  # beside an adapter: how the base was quantised under it


class Quantisation(Record):
    """Names and meanings of transformers' BitsAndBytesConfig."""

    quant_method: Literal["bitsandbytes"] = "bitsandbytes"
    load_in_4bit: Literal[True] = True
    bnb_4bit_quant_type: Literal["nf4"] = "nf4"
    bnb_4bit_use_double_quant: bool = True

    def config(self, dtype: torch.dtype) -> BitsAndBytesConfig:
        """Products are in `dtype`, the precision of the layers that are not quantised."""
        if importlib.util.find_spec("bitsandbytes") is None:
            raise MissingExtraError("4-bit weights need the extra 'qlora': pip install 'tunesmith[qlora]'.")
        return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type=self.bnb_4bit_quant_type,
            bnb_4bit_use_double_quant=self.bnb_4bit_use_double_quant,
            bnb_4bit_compute_dtype=dtype,
        )


def quantisation_of(adapter: Path) -> Quantisation | None:
    """How the base under the adapter in this folder was quantised; None where it was not."""
    path = adapter / FILE
    if not path.exists():
        return None
    try:
        return Quantisation.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError:
        raise ModelError(f"{path} does not say NF4 by bitsandbytes, the one quantisation that is known here.") from None


def four_bit_layers(model: nn.Module) -> Iterator[nn.Module]:
    return (module for module in model.modules() if type(module).__name__ == "Linear4bit" and _is_base(module))


def _is_base(module: nn.Module) -> bool:
    """PEFT's layer around a 4-bit layer has the same name."""
    return type(module).__module__.startswith("bitsandbytes.")

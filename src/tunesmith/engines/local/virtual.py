"""Learned tokens that stand before every row: prompt tuning's embeddings, prefix tuning's keys and values.

They are the root of a packed row's tree (`Segments.tree`): every token attends to all of them, as far as its window
reaches, and positions continue after them. Embeddings (Lester et al., 2021, arXiv:2104.08691) go through the model
with the row; keys and values (Li and Liang, 2021, arXiv:2101.00190) enter each layer's attention as they are, without
a rotation.

Axes: V learned tokens, T tokens of the row, K of them whose logits are kept, H hidden size, G key heads, D head size.
"""

from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor
from transformers import PreTrainedModel

from tunesmith.engines.local.memory import Pair


@dataclass(frozen=True)
class Virtual:
    """Either `embeddings_VH` or, for every layer, `pairs` of keys and values (G, V, D)."""

    length: int
    embeddings_VH: Tensor | None = None
    pairs: tuple[Pair, ...] | None = None

    def inputs(self, model: PreTrainedModel, tokens_T: Tensor, positions_T: Tensor, keep_K: Tensor) -> dict[str, Any]:
        """What the model's forward takes for a row behind these tokens, whose positions count them."""
        if self.pairs is not None:
            return {**row(tokens_T, positions_T, keep_K), "virtual": self.pairs}
        assert self.embeddings_VH is not None
        words_TH = model.get_input_embeddings()(tokens_T)
        before_V = torch.arange(self.length, device=tokens_T.device)
        return {
            "inputs_embeds": torch.cat([self.embeddings_VH.to(words_TH.dtype), words_TH]).unsqueeze(0),
            "position_ids": torch.cat([before_V, positions_T]).unsqueeze(0),
            "logits_to_keep": keep_K + self.length,
        }


def row(tokens_T: Tensor, positions_T: Tensor, keep_K: Tensor) -> dict[str, Any]:
    """What the model's forward takes for a row with nothing before it."""
    return {
        "input_ids": tokens_T.unsqueeze(0),
        "position_ids": positions_T.unsqueeze(0),
        "logits_to_keep": keep_K,
    }


def virtual_tokens(model: PeftModel) -> Virtual:
    """Those of a model with prompt or prefix tuning, with a gradient where they are being trained."""
    config: Any = model.active_peft_config
    encoder: Any = model.prompt_encoder[model.active_adapter]
    length: int = config.num_virtual_tokens
    if config.inference_mode:
        encoded_VX = encoder.embedding.weight
    else:
        encoded_VX = encoder(torch.arange(length, device=encoder.embedding.weight.device))
    if config.peft_type == "PROMPT_TUNING":
        return Virtual(length, embeddings_VH=encoded_VX)
    # As PEFT lays them out: for every token each layer's key, then its value, head by head.
    layers = encoded_VX.view(length, config.num_layers, 2, config.num_attention_heads, -1).permute(1, 2, 3, 0, 4)
    return Virtual(length, pairs=tuple((key_GVD, value_GVD) for key_GVD, value_GVD in layers))

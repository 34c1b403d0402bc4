"""What is minimised: the negative log-likelihood of the labelled tokens."""

import torch
from torch import Tensor
from transformers import PreTrainedModel

from tunesmith.training.batches import PackedRow


def negative_log_likelihood(model: PreTrainedModel, packed: PackedRow) -> Tensor:
    """The weighted sum (not the mean) over a packed row's labelled tokens, in float32.

    The head sees the positions that predict a label and no others.
    """
    logits_KV = model(
        input_ids=packed.tokens_T.unsqueeze(0),
        position_ids=packed.positions_T.unsqueeze(0),
        logits_to_keep=packed.keep_K,
        use_cache=False,
        segments=packed.segments,
    ).logits[0]
    losses_K = torch.nn.functional.cross_entropy(logits_KV.float(), packed.targets_K, reduction="none")
    return (losses_K * packed.weights_K).sum()

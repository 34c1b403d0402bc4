"""Direct preference optimisation: of two answers to one input, more of the better and less of the worse.

    loss of a pair = −log σ(β · ((log π(chosen) − log π₀(chosen)) − (log π(rejected) − log π₀(rejected))))

(Rafailov et al., 2023, arXiv:2305.18290.) π₀ is the policy that the run starts from; its log-probabilities are computed
once, before the first step. The two rows of a pair follow each other in a batch and lie in one packed row, whose tree
holds their prompt once.

Axes: K labelled positions, R rows of a packed row, P pairs of them.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from tunesmith.core import example
from tunesmith.training.batches import Batch, PackedRow
from tunesmith.training.methods import Policy
from tunesmith.training.objectives import Supervised, label_losses


class Preference(Supervised):
    """`reference` has to be there before the first loss: what `refer` finds of the policy that the run starts from."""

    def __init__(self, beta: float):
        self._beta = beta
        self.reference: dict[str, float] = {}  # of each pair: log π₀(chosen) − log π₀(rejected)
        self._right = self._margins = self._pairs = 0.0

    def loss(self, policy: Policy, packed: PackedRow) -> Tensor:
        leads_P = _leads(policy, packed)
        reference_P = leads_P.new_tensor([self.reference[row.id] for row in packed.rows[::2]])
        weights_P = leads_P.new_zeros(len(packed.rows)).index_copy(0, packed.of_K, packed.weights_K)[::2]
        margins_P = self._beta * (leads_P - reference_P)
        self._right += float((weights_P * (margins_P > 0)).sum())
        self._margins += float((weights_P * margins_P.detach()).sum())
        self._pairs += float(weights_P.sum())
        return -(weights_P * logsigmoid(margins_P)).sum()

    def size(self, batch: Batch) -> float:
        return sum(row.spans[-1].weight for row in batch.rows[::2])

    def sums(self) -> list[float]:
        found = [self._right, self._margins, self._pairs]
        self._right = self._margins = self._pairs = 0.0
        return found

    def figures(self, sums: Sequence[float]) -> dict[str, float]:
        """How many pairs are the right way round, and by how much on average."""
        right, margins, pairs = sums
        return {"preferred": right / pairs, "margin": margins / pairs} if pairs else {}


@torch.no_grad()
def refer(policy: Policy, packed: Iterable[PackedRow]) -> dict[str, float]:
    """By how much the policy, as it is now, prefers the chosen answer of each pair: id → difference of log p."""
    found: dict[str, float] = {}
    for each in packed:
        found |= zip((row.id for row in each.rows[::2]), _leads(policy, each).tolist(), strict=True)
    return found


def held_out(pairs: Sequence[example.Preference]) -> tuple[list[example.Preference], list[example.Preference]]:
    """Those to learn from, and every tenth, in an order of their own, to look at."""
    dealt = sorted(pairs, key=lambda pair: pair.id)
    return [pair for number, pair in enumerate(dealt) if number % 10 < 9], dealt[9::10]


def _leads(policy: Policy, packed: PackedRow) -> Tensor:
    """log π(chosen) − log π(rejected) of each pair, in float32."""
    losses_K = label_losses(policy.base, packed, policy.virtual())
    logprobs_R = losses_K.new_zeros(len(packed.rows)).index_add(0, packed.of_K, -losses_K)
    return logprobs_R[0::2] - logprobs_R[1::2]

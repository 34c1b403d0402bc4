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
from tunesmith.training.rows import Row


class Preference(Supervised):
    """`refer` has to be called before the first loss, while the policy is the one that the run starts from."""

    def __init__(self, beta: float):
        self._beta = beta
        self._reference: dict[str, float] = {}  # of each pair: log π₀(chosen) − log π₀(rejected)
        self._right = self._margins = self._pairs = 0.0

    @torch.no_grad()
    def refer(self, policy: Policy, packed: Iterable[PackedRow]) -> None:
        for each in packed:
            leads_P = _leads(policy, each)
            self._reference |= zip((row.id for row in each.rows[::2]), leads_P.tolist(), strict=True)

    def loss(self, policy: Policy, packed: PackedRow) -> Tensor:
        leads_P = _leads(policy, packed)
        reference_P = leads_P.new_tensor([self._reference[row.id] for row in packed.rows[::2]])
        weights_P = leads_P.new_tensor([_weight(row) for row in packed.rows[::2]])
        margins_P = self._beta * (leads_P - reference_P)
        self._right += float((weights_P * (margins_P > 0)).sum())
        self._margins += float((weights_P * margins_P.detach()).sum())
        self._pairs += float(weights_P.sum())
        return -(weights_P * logsigmoid(margins_P)).sum()

    def size(self, batch: Batch) -> float:
        return sum(_weight(row) for row in batch.rows[::2])

    def figures(self) -> dict[str, float]:
        """Of the pairs since the last call: how many are the right way round, and by how much on average."""
        found = {"preferred": self._right / self._pairs, "margin": self._margins / self._pairs} if self._pairs else {}
        self._right = self._margins = self._pairs = 0.0
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


def _weight(row: Row) -> float:
    return row.spans[-1].weight

"""Greedy decoding: at every step the likeliest token, of those that a constraint allows where there is one.

What a constraint forces, such as a key of JSON with its quotes, is not asked for: it goes through the model together
with the token before it. Probabilities are among the allowed tokens, so what is forced has the probability 1.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

import torch
from torch import Tensor

from tunesmith.engines.base import Tokens
from tunesmith.engines.local.constraint import Anything, Matchers
from tunesmith.engines.local.passes import Session


@dataclass
class Branch:
    """One answer so far; the fields are those of a `TextAnswer`."""

    tokens: list[int] = field(default_factory=list)
    logprob: float = 0.0
    ended: bool = False
    fault: str | None = None

    def goes_on(self, tokens: Tokens, limit: int, *, over: bool) -> bool:
        """Add `tokens`, behind which nothing may follow where it is `over`; say whether there is more to come."""
        self.tokens += tokens
        self.ended = over and len(self.tokens) <= limit
        del self.tokens[limit:]
        return not over and len(self.tokens) < limit


def greedy(
    session: Session, prompts: Sequence[Tokens], rule: Anything | Matchers, *, limit: int, stop: Set[int]
) -> list[Branch]:
    """The answers to `prompts`, which are what follows the shared prefix, of at most `limit` tokens each."""
    opening, whole = rule.begin(len(prompts))
    branches = [Branch() for _ in prompts]
    active = [row for row, branch in enumerate(branches) if branch.goes_on(opening, limit, over=whole)]
    if not active:
        return branches
    logits_BV = session.begin([[*prompt, *opening] for prompt in prompts])
    while True:
        going: dict[int, Tokens] = {}
        logprobs, tokens = _likeliest(logits_BV, rule.allowed(active))
        for place, (row, token, logprob) in enumerate(zip(active, tokens, logprobs, strict=True)):
            branch = branches[row]
            branch.logprob += logprob
            more, over = ([], True) if token in stop else rule.follow(row, token)
            if branch.goes_on(more, limit, over=over):
                going[place] = more
            elif fault := rule.fault(row):
                branch.ended, branch.fault = False, fault
        if not going:
            return branches
        places = closed_up(list(going))
        if len(going) < len(active):
            session.keep_branches(places)
        active = [active[place] for place in places]
        logits_BV = session.step([going[place] for place in places])


def closed_up(places: Sequence[int]) -> list[int]:
    """The same, which ascend, in an order in which the last fill the gaps and all others stay where they are."""
    staying = {place for place in places if place < len(places)}
    moving = [*places[len(staying) :]]
    return [place if place in staying else moving.pop() for place in range(len(places))]


def _likeliest(logits_BV: Tensor, allowed_BV: Tensor | None) -> tuple[list[float], list[int]]:
    logits_BV = logits_BV.float()
    if allowed_BV is not None:
        logits_BV = logits_BV.masked_fill(~allowed_BV.to(logits_BV.device), -torch.inf)
    best = torch.log_softmax(logits_BV, dim=-1).max(dim=-1)
    return best.values.tolist(), best.indices.tolist()

"""Greedy decoding: at every step the likeliest token, of those that a constraint allows where there is one.

What a constraint forces, such as a key of JSON with its quotes, is not asked for: it goes through the model together
with the token before it. Probabilities are among the allowed tokens, so what is forced has the probability 1.

Many answers are written side by side, and where enough of them have ended, the next prompts take their places.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field

import torch
from torch import Tensor

from tunesmith.engines.base import Tokens
from tunesmith.engines.local.constraint import Anything, Matchers
from tunesmith.engines.local.passes import Session

ROWS = 64  # answers side by side
PASS_TOKENS = 4096  # tokens of prompts in one pass
KEPT_TOKENS = 16_384  # tokens of prompts remembered side by side, padded to the longest


@dataclass
class Branch:
    """One answer so far; the fields are those of a `TextAnswer`. `seconds` is its share of the turns it was in."""

    row: int
    prompt: Tokens  # what follows the shared prefix
    tokens: list[int] = field(default_factory=list)
    logprob: float = 0.0
    ended: bool = False
    fault: str | None = None
    seconds: float = 0.0

    def goes_on(self, tokens: Tokens, over: bool, limit: int) -> bool:
        """Add `tokens`, behind which nothing may follow where it is `over`; say whether there is more to come."""
        self.tokens += tokens
        self.ended = over and len(self.tokens) <= limit
        del self.tokens[limit:]
        return not over and len(self.tokens) < limit


def greedy(
    session: Session, prompts: Sequence[Tokens], rule: Anything | Matchers, *, limit: int, stop: Set[int]
) -> Iterator[Branch]:
    """The answers to `prompts`, in their order, of at most `limit` tokens each. All are taken before the session is
    asked something else."""
    started = time.perf_counter()
    shared = session.share(prompts)
    sharing = (time.perf_counter() - started) / len(prompts)
    call = session.calls
    branches = [Branch(row, prompt[shared:], seconds=sharing) for row, prompt in enumerate(prompts)]
    waiting = deque(branches)
    active: list[Branch] = []
    more: list[Tokens] = []  # what each of those says next
    following = 0  # the answer that comes next
    while waiting or active:
        assert session.calls == call, "the session was asked something else before all answers were taken"
        started = time.perf_counter()
        logits = [session.step(more)] if active else []
        joining = _joining(waiting, active)
        turn = [*active, *joining]
        begun = [branch for branch in joining if _begins(branch, rule, limit)]
        if begun:
            logits.append(session.join([[*each.prompt, *each.tokens] for each in begun]))
        active += begun
        going = _said(active, torch.cat(logits), rule, limit, stop) if active else {}
        share = (time.perf_counter() - started) / len(turn)
        for branch in turn:
            branch.seconds += share
        places = closed_up(list(going))
        if len(places) < len(active):
            session.keep_branches(places)
        active, more = [active[place] for place in places], [going[place] for place in places]
        running = {branch.row for branch in active}
        while following < len(branches) - len(waiting) and following not in running:
            yield branches[following]
            following += 1


def _joining(waiting: deque[Branch], active: Sequence[Branch]) -> list[Branch]:
    """Take the next from `waiting` that have room beside the active ones; none where they are too few for a pass of
    their own, which costs the reading of all weights however short it is."""
    joining: list[Branch] = []
    longest, total = max((len(branch.prompt) for branch in active), default=0), 0
    for branch in waiting:
        longest, total = max(longest, len(branch.prompt)), total + len(branch.prompt)
        count = len(active) + len(joining) + 1
        if count > ROWS or (count > 1 and count * longest > KEPT_TOKENS) or (joining and total > PASS_TOKENS):
            break
        joining.append(branch)
    if 4 * len(joining) < len(active) and len(joining) < len(waiting):
        return []
    for _ in joining:
        waiting.popleft()
    return joining


def _begins(branch: Branch, rule: Anything | Matchers, limit: int) -> bool:
    """Whether anything is left to say behind what the rule forces at once."""
    goes_on = branch.goes_on(*rule.begin(branch.row), limit)
    if not goes_on:
        rule.end(branch.row)
    return goes_on


def _said(
    branches: Sequence[Branch], logits_BV: Tensor, rule: Anything | Matchers, limit: int, stop: Set[int]
) -> dict[int, Tokens]:
    """Every branch says its likeliest token. Of those that go on: their place, and it with what it forces."""
    going: dict[int, Tokens] = {}
    logprobs, tokens = _likeliest(logits_BV, rule.allowed([branch.row for branch in branches]))
    for place, (branch, token, logprob) in enumerate(zip(branches, tokens, logprobs, strict=True)):
        branch.logprob += logprob
        more, over = ([], True) if token in stop else rule.follow(branch.row, token)
        if branch.goes_on(more, over, limit):
            going[place] = more
        elif fault := rule.end(branch.row):
            branch.ended, branch.fault = False, fault
    return going


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

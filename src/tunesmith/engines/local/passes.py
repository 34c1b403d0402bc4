"""Inference passes: the shared prefix once, then packed rows of branches, with what was computed remembered.

A `Session` belongs to one model. It remembers the prefix of the last call, so that the next call with the same system
prompt starts where the prompt differs. Learned tokens of the model, where it has any, are the first of every prefix.
"""

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor
from transformers import PreTrainedModel

from tunesmith.engines.base import Tokens
from tunesmith.engines.local import kernels
from tunesmith.engines.local.memory import Memory, Places
from tunesmith.engines.local.segments import Seen, Segments, side_by_side, spans_of
from tunesmith.engines.local.virtual import Virtual

LOGIT_ROWS = 32  # rows of logits that are normalised at once, in float32: they should stay in the cache


class Session:
    def __init__(self, model: PreTrainedModel, virtual: Virtual | None = None):
        self._model = model
        self._memory = Memory()
        self._virtual = 0 if virtual is None else virtual.length
        self._prefix: list[int] = []
        self._lengths: list[int] = []
        self.calls = 0  # of `share`: answers of an earlier one can no longer go on
        if virtual is not None:
            self._remember(virtual)

    @property
    def device(self) -> torch.device:
        return self._model.device

    @torch.inference_mode()
    def share(self, prompts: Sequence[Tokens]) -> int:
        """Forget all branches. Compute and remember the tokens that all `prompts` begin with; return how many they are.

        At least one token of every prompt stays outside, so that each has a last token of its own to predict from.
        """
        assert all(prompts), "a prompt cannot be empty"
        common = common_prefix(prompts)[: min(len(prompt) for prompt in prompts) - 1]
        kept = len(common_prefix([self._prefix, common]))
        if len(prompts) == 1 and 2 * kept >= len(common):  # it shares what is remembered; its own tail helps nobody
            common = common[:kept]
        self.calls += 1
        self._forget_branches()
        self._memory.shorten(self._virtual + kept)
        self._prefix = common[:kept]
        if len(common) > kept:
            positions = [*range(self._start, self._virtual + len(common))]
            with self._memory.remembering(self._places([0], [len(positions)], 0)):
                self._run([common[kept:]], [positions], torch.tensor([0], device=self.device))
            self._memory.promote()
            self._prefix = common
        return len(common)

    @torch.inference_mode()
    def begin(self, branches: Sequence[Tokens]) -> Tensor:
        """Start one branch per prompt's rest, after the shared prefix; the logits after each last token: (B, V)."""
        self._forget_branches()
        return self.join(branches)

    @torch.inference_mode()
    def join(self, branches: Sequence[Tokens]) -> Tensor:
        """Start further branches, counted behind those there are; the logits after each last token: (B, V)."""
        assert all(branches), "a branch cannot be empty"
        first = len(self._lengths)
        self._lengths += [0] * len(branches)
        return self._say(branches, first)

    @torch.inference_mode()
    def log_likelihoods(self, rows: Sequence[tuple[Tokens, Tokens]]) -> list[float]:
        """The sum of log p of each row's second part behind its first, which continues the shared prefix; in float32.

        Forgets all branches.
        """
        assert all(begun and said for begun, said in rows), "a row has a prompt of its own and an answer"
        self._forget_branches()
        branches = [[*begun, *said[:-1]] for begun, said in rows]  # the last token predicts nothing
        keep = [
            end - len(said) + place
            for end, (_, said) in zip(accumulate(map(len, branches)), rows, strict=True)
            for place in range(len(said))
        ]
        self._lengths = [0] * len(rows)
        logits_KV = self._say(branches, keep=torch.tensor(keep, device=self.device))
        self._forget_branches()
        told_K = torch.tensor([token for _, said in rows for token in said], device=self.device)
        named_K = logits_KV.gather(1, told_K.unsqueeze(1)).squeeze(1).float()
        found_K = named_K - normalisers(logits_KV)
        spans = spans_of([len(said) for _, said in rows])
        return [float(found_K[span.start : span.stop].sum()) for span in spans]

    @torch.inference_mode()
    def step(self, tokens: Sequence[Tokens]) -> Tensor:
        """Append tokens to every branch and remember them; the logits after each branch's last: (B, V)."""
        assert all(tokens), "every branch goes on"
        assert len(tokens) == len(self._lengths)
        return self._say(tokens)

    @torch.inference_mode()
    def extend(self, rows: Sequence[int], tokens: Sequence[Tokens], parents: Sequence[Sequence[int]]) -> Tensor:
        """Look ahead from some branches without remembering it; the logits after every new token, in the model's
        precision: (N, V).

        `tokens[i]` is a small tree that continues branch `rows[i]`; `parents[i][j]` is the index of token j's parent
        in it, or -1 for a token that follows the branch itself. Parents come before their children.
        """
        depths = [_depths(tree) for tree in parents]
        starts = [self._start + self._lengths[row] for row in rows]
        positions = [[start + depth for depth in tree] for start, tree in zip(starts, depths, strict=True)]
        seen = self._seen_ahead(rows, positions, [_ancestors(tree, self.device) for tree in parents])
        with self._memory.looking_ahead(list(rows)):
            return self._run(tokens, positions, None, (seen,))

    @torch.inference_mode()
    def keep_branches(self, rows: Sequence[int]) -> None:
        """Drop all branches but these, which are counted in this order from now on."""
        self._lengths = [self._lengths[row] for row in rows]
        self._memory.keep_branches(rows, max(self._lengths, default=0))

    def _forget_branches(self) -> None:
        self._memory.forget_branches()
        self._lengths = []

    @property
    def _start(self) -> int:
        """The position of a branch's first token."""
        return self._virtual + len(self._prefix)

    @torch.inference_mode()
    def _remember(self, virtual: Virtual) -> None:
        """Make the learned tokens the beginning of every prefix."""
        if virtual.pairs is not None:
            self._memory.begin_with([(k.to(self._model.dtype), v.to(self._model.dtype)) for k, v in virtual.pairs])
            return
        assert virtual.embeddings_VH is not None
        positions = range(virtual.length)
        with self._memory.remembering(self._places([0], [virtual.length], 0)):
            self._model(
                inputs_embeds=virtual.embeddings_VH.to(self._model.dtype).unsqueeze(0),
                position_ids=torch.tensor([[*positions]], device=self.device),
                logits_to_keep=torch.tensor([0], device=self.device),
                use_cache=False,
                segments=Segments.remembering([virtual.length], positions, self.device),
                memory=self._memory,
            )
        self._memory.promote()

    def _say(self, tokens: Sequence[Tokens], first: int = 0, keep: Tensor | None = None) -> Tensor:
        """The logits after the last new token of each branch from `first` on, or after those that `keep` names by their
        places in the row; what was said is remembered."""
        sizes, before = [len(each) for each in tokens], self._lengths[first:]
        starts = [self._start + length for length in before]
        positions = [[*range(start, start + size)] for start, size in zip(starts, sizes, strict=True)]
        ends = torch.tensor(sizes, device=self.device).cumsum(0) - 1 if keep is None else keep
        places = self._places(before, sizes, first)
        seen = self._seen(before, sizes, places.longest) if any(before) else ()
        with self._memory.remembering(places):
            logits_BV = self._run(tokens, positions, ends, seen)
        self._lengths[first:] = [length + size for length, size in zip(before, sizes, strict=True)]
        return logits_BV

    def _run(
        self,
        branches: Sequence[Tokens],
        positions: Sequence[Sequence[int]],
        keep: Tensor | None,
        seen: tuple[Seen, ...] = (),
    ) -> Tensor:
        """One forward. Tokens that continue branches look at what is `seen`; others stand behind the prefix alone."""
        tokens = [token for branch in branches for token in branch]
        places = [position for branch in positions for position in branch]
        result = self._model(
            input_ids=torch.tensor([tokens], device=self.device),
            position_ids=torch.tensor([places], device=self.device),
            logits_to_keep=0 if keep is None else keep,
            use_cache=False,
            segments=Segments.remembering([len(branch) for branch in branches], places, self.device, seen),
            memory=self._memory,
        )
        logits_NV: Tensor = result.logits[0]
        return logits_NV

    def _places(self, before: Sequence[int], sizes: Sequence[int], first: int) -> Places:
        """Of `sizes` new tokens of every branch from `first` on, each behind the `before` that it has."""
        sizes_B = torch.tensor(sizes, device=self.device)
        branches_N = torch.repeat_interleave(sizes_B)
        first_B = torch.tensor(before, device=self.device) - (sizes_B.cumsum(0) - sizes_B)
        places_N = torch.arange(len(branches_N), device=self.device) + first_B[branches_N]
        longest = max(map(sum, zip(before, sizes, strict=True)))
        return Places(first + branches_N, places_N, first, longest, max(longest, *self._lengths[:first], 0))

    def _seen(self, before: Sequence[int], sizes: Sequence[int], keys: int) -> tuple[Seen, ...]:
        """The first new tokens of all branches, side by side, and the further ones of the few that have many."""
        cut, everyone, spans = _few(sizes), range(len(sizes)), spans_of(sizes)
        parts = [self._part(before, [span[:cut] for span in spans], everyone, 0, keys)]
        if rows := [row for row in everyone if sizes[row] > cut]:
            parts.append(self._part(before, [span[cut:] for span in spans], rows, cut, keys))
        return tuple(parts)

    def _part(self, before: Sequence[int], spans: Sequence[range], rows: Sequence[int], cut: int, keys: int) -> Seen:
        """A branch's new tokens see what it said before them, and themselves; what pads them sees no less."""
        padding = side_by_side([spans[row] for row in rows], self.device)
        first_B = torch.tensor([before[row] + cut for row in rows], device=self.device)
        key_K = torch.arange(keys, device=self.device)
        reach_BL = first_B.unsqueeze(1) + torch.arange(padding.longest, device=self.device)
        allowed_BLK = key_K <= reach_BL.unsqueeze(2)
        whole = len(rows) == len(before)
        branches = None if whole else torch.tensor(rows, device=self.device)
        return Seen(padding, branches, self._bias(allowed_BLK), (self._start + key_K).unsqueeze(0))

    def _seen_ahead(self, rows: Sequence[int], positions: Sequence[Sequence[int]], trees: Sequence[Tensor]) -> Seen:
        """Of trees that continue the branches `rows`: each token sees the branch and its ancestors in the tree. What
        pads a tree sees itself alone."""
        lengths_B = torch.tensor([self._lengths[row] for row in rows], device=self.device)
        remembered, longest = max(self._lengths), max(len(tree) for tree in trees)
        key_M, own_L = torch.arange(remembered, device=self.device), torch.arange(longest, device=self.device)
        allowed_BLK = torch.zeros(len(rows), longest, remembered + longest, dtype=torch.bool, device=self.device)
        allowed_BLK[:, :, :remembered] = (key_M < lengths_B.unsqueeze(1)).unsqueeze(1)
        allowed_BLK[:, own_L, remembered + own_L] = True
        places_BL = torch.zeros(len(rows), longest, dtype=torch.long, device=self.device)
        for row, (tree, places) in enumerate(zip(trees, positions, strict=True)):
            allowed_BLK[row, : len(tree), remembered : remembered + len(tree)] = tree
            places_BL[row, : len(tree)] = torch.tensor(places, device=self.device)
        behind_BM = (self._start + key_M).expand(len(rows), -1)
        padding = side_by_side(spans_of([len(tree) for tree in trees]), self.device)
        return Seen(padding, None, self._bias(allowed_BLK), torch.cat([behind_BM, places_BL], dim=1))

    def _bias(self, allowed_BLK: Tensor) -> Tensor:  # (B, 1, L, K)
        return kernels.bias(allowed_BLK, self._model.dtype).unsqueeze(1)


def common_prefix(rows: Sequence[Tokens]) -> list[int]:
    """The longest list of tokens that all rows begin with: that of the smallest and the largest in dictionary order."""
    lists = [list(row) for row in rows]
    low, high = min(lists), max(lists)
    return low[: agreement(low, high)]


def agreement(a: Tokens, b: Tokens, known: int = 0) -> int:
    """How many tokens both begin with; that many of them are `known` to be equal."""
    size = min(len(a), len(b))
    while known < size and a[known] == b[known]:
        known += 1
    return known


def _few(sizes: Sequence[int]) -> int:
    """How many new tokens of every branch stand side by side, so that the least is computed for padding. The rest of
    a branch costs half as much again, since what it remembers is copied for it."""
    rest = [(cut, [size - cut for size in sizes if size > cut]) for cut in set(sizes)]
    return min(rest, key=lambda each: each[0] * len(sizes) + 1.5 * max(each[1], default=0) * len(each[1]))[0]


def normalisers(logits_NV: Tensor) -> Tensor:  # N
    """log Σ exp of every row, in float32."""
    return torch.cat([torch.logsumexp(some.float(), dim=-1) for some in torch.split(logits_NV, LOGIT_ROWS)])


def _depths(parents: Sequence[int]) -> list[int]:
    depths: list[int] = []
    for parent in parents:
        depths.append(0 if parent < 0 else depths[parent] + 1)
    return depths


def _ancestors(parents: Sequence[int], device: torch.device) -> Tensor:
    """(L, L): whether token j is token i itself or one of its ancestors."""
    sees = torch.zeros(len(parents), len(parents), dtype=torch.bool)
    for index, parent in enumerate(parents):
        if parent >= 0:
            sees[index] = sees[parent]
        sees[index, index] = True
    return sees.to(device)

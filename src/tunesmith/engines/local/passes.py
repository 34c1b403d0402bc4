"""Inference passes: the shared prefix once, then packed rows of branches, with what was computed remembered.

A `Session` belongs to one model. It remembers the prefix of the last call, so that the next call with the same system
prompt starts where the prompt differs. Learned tokens of the model, where it has any, are the first of every prefix.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from tunesmith.engines.base import Tokens
from tunesmith.engines.local import kernels
from tunesmith.engines.local.memory import Memory
from tunesmith.engines.local.segments import Segments
from tunesmith.engines.local.virtual import Virtual


class Session:
    def __init__(self, model: PreTrainedModel, virtual: Virtual | None = None):
        self._model = model
        self._memory = Memory()
        self._virtual = 0 if virtual is None else virtual.length
        self._prefix: list[int] = []
        self._places_BM: Tensor | None = None  # the position of what each branch remembers; −1: padding
        self._lengths: list[int] = []
        if virtual is not None:
            self._remember(virtual)

    @property
    def device(self) -> torch.device:
        return self._model.device

    def share(self, prompts: Sequence[Tokens]) -> int:
        """Compute and remember the tokens that all `prompts` begin with; return how many they are.

        At least one token of every prompt stays outside, so that each has a last token of its own to predict from.
        """
        common = common_prefix(prompts)[: min(len(prompt) for prompt in prompts) - 1]
        kept = len(common_prefix([self._prefix, common]))
        if len(prompts) == 1 and 2 * kept >= len(common):  # it shares what is remembered; its own tail helps nobody
            common = common[:kept]
        self._memory.forget_branches()
        self._memory.shorten(self._virtual + kept)
        self._prefix = list(common)
        if len(common) > kept:
            positions = [*range(self._virtual + kept, self._start)]
            self._run([common[kept:]], [positions], torch.tensor([0], device=self.device))
            self._memory.promote()
        return len(common)

    @torch.inference_mode()
    def begin(self, branches: Sequence[Tokens]) -> Tensor:
        """Start one branch per prompt's rest, after the shared prefix; the logits after each last token: (B, V)."""
        assert all(branches), "a branch cannot be empty"
        start = self._start
        self._memory.forget_branches()
        self._lengths = [len(branch) for branch in branches]
        ends = torch.tensor(self._lengths, device=self.device).cumsum(0) - 1
        positions = [[*range(start, start + length)] for length in self._lengths]
        logits = self._run(branches, positions, ends)
        self._places_BM = self._padded(positions)
        return logits

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
        sees = [_ancestors(tree, self.device) for tree in parents]
        with self._memory.looking_ahead(list(rows)):
            assert self._places_BM is not None
            return self._run(tokens, positions, None, sees, self._places_BM[list(rows)])

    @torch.inference_mode()
    def step(self, tokens: Sequence[Tokens]) -> Tensor:
        """Append tokens to every branch and remember them; the logits after each branch's last: (B, V)."""
        assert all(tokens), "every branch goes on"
        assert self._places_BM is not None
        sizes = [len(each) for each in tokens]
        starts = [self._start + length for length in self._lengths]
        positions = [[*range(start, start + size)] for start, size in zip(starts, sizes, strict=True)]
        sees = [torch.ones(size, size, dtype=torch.bool, device=self.device).tril() for size in sizes]
        ends = torch.tensor(sizes, device=self.device).cumsum(0) - 1
        logits = self._run(tokens, positions, ends, sees, self._places_BM)
        self._places_BM = torch.cat([self._places_BM, self._padded(positions)], dim=1)
        self._lengths = [length + size for length, size in zip(self._lengths, sizes, strict=True)]
        return logits

    def keep_branches(self, rows: Sequence[int]) -> None:
        """Drop all branches but these, for instance those that have not ended."""
        assert self._places_BM is not None
        self._memory.keep_branches(list(rows))
        self._places_BM = self._places_BM[list(rows)]
        self._lengths = [self._lengths[row] for row in rows]

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
        places = range(virtual.length)
        self._model(
            inputs_embeds=virtual.embeddings_VH.to(self._model.dtype).unsqueeze(0),
            position_ids=torch.tensor([[*places]], device=self.device),
            logits_to_keep=torch.tensor([0], device=self.device),
            use_cache=False,
            segments=Segments.remembering([virtual.length], places, self.device),
            memory=self._memory,
        )
        self._memory.promote()

    @torch.inference_mode()
    def _run(
        self,
        branches: Sequence[Tokens],
        positions: Sequence[Sequence[int]],
        keep: Tensor | None,
        sees: Sequence[Tensor] = (),
        behind_BM: Tensor | None = None,
    ) -> Tensor:
        """One forward. Tokens that continue branches stand behind the positions `behind_BM`; `sees` are their trees."""
        tokens = [token for branch in branches for token in branch]
        places = [position for branch in positions for position in branch]
        bias = None if behind_BM is None else self._bias(behind_BM >= 0, sees)
        lengths = [len(branch) for branch in branches]
        segments = Segments.remembering(lengths, places, self.device, bias, behind_BM)
        result = self._model(
            input_ids=torch.tensor([tokens], device=self.device),
            position_ids=torch.tensor([places], device=self.device),
            logits_to_keep=0 if keep is None else keep,
            use_cache=False,
            segments=segments,
            memory=self._memory,
        )
        logits_NV: Tensor = result.logits[0]
        return logits_NV

    def _padded(self, positions: Sequence[Sequence[int]]) -> Tensor:
        """(B, L): the positions of some branches side by side, −1 behind the shorter ones."""
        longest = max(len(branch) for branch in positions)
        return torch.tensor([[*branch, *[-1] * (longest - len(branch))] for branch in positions], device=self.device)

    def _bias(self, valid_BM: Tensor, sees: Sequence[Tensor]) -> Tensor:
        """(B, 1, L, M + L): 0 where a new token may look, −inf where not. Padding looks at itself alone."""
        rows, remembered = valid_BM.shape
        longest = max(len(tree) for tree in sees)
        allowed = torch.zeros(rows, longest, remembered + longest, dtype=torch.bool, device=self.device)
        allowed[:, :, :remembered] = valid_BM.unsqueeze(1)
        own = torch.arange(longest, device=self.device)
        for row, tree in enumerate(sees):
            size = len(tree)
            allowed[row, :size, remembered : remembered + size] = tree
            allowed[row, size:, :remembered] = False
            allowed[row, own[size:], remembered + own[size:]] = True
        return kernels.bias(allowed, self._model.dtype).unsqueeze(1)


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

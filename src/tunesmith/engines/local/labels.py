"""Answers under a fixed list of labels: greedy under the label trie, with a confidence over all labels.

A label's probability is the product of the model's own, unmasked token probabilities along its tokens, end of turn
included; the confidence is the answer's share of the sum over all labels. The trie is explored best first: what has
not been looked at cannot hold more than the mass of the nodes that lead there, and exploring stops once that mass
cannot move the confidence by `TOLERANCE`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from tunesmith.engines.base import Tokens
from tunesmith.engines.local.passes import Session, normalisers

TOLERANCE = 0.001
OFF_LABELS = 0.5  # of a model's probability on labels: with less it is not a model that was trained on them
AT_ONCE = 16  # nodes that one prompt explores in one pass
PASS_TOKENS = 1024  # tokens of one pass: each has a row of logits as wide as the vocabulary


class Trie:
    """Node 0 is the root; nodes are numbered so that parents come before their children. Leaves end a label."""

    def __init__(self, labels: Sequence[Tokens]):
        self.token = [-1]
        self.parent = [-1]
        self.children: list[list[int]] = [[]]
        self.label: dict[int, int] = {}
        for number, tokens in enumerate(labels):
            node = 0
            for token in tokens:
                node = self._child(node, token)
            assert node not in self.label, "two labels have the same tokens"
            assert node != 0, "a label has no tokens"
            self.label[node] = number
        assert all(not self.children[leaf] for leaf in self.label), "a label's tokens begin another label's"

    def _child(self, node: int, token: int) -> int:
        for child in self.children[node]:
            if self.token[child] == token:
                return child
        self.token.append(token)
        self.parent.append(node)
        self.children.append([])
        self.children[node].append(len(self.token) - 1)
        return len(self.token) - 1

    def chain(self, node: int) -> list[int]:
        """`node` and its descendants down to the first fork or leaf, leaves left out: looked at in one go."""
        nodes = [node]
        while len(self.children[node]) == 1:
            node = self.children[node][0]
            if node in self.label:
                break
            nodes.append(node)
        return nodes

    def with_ancestors(self, nodes: Sequence[int]) -> list[int]:
        """`nodes` and all that lies between them and the root, the root left out, parents first."""
        closed = set()
        for node in nodes:
            while node > 0 and node not in closed:
                closed.add(node)
                node = self.parent[node]
        return sorted(closed)


@dataclass
class Search:
    """What is known of one prompt: the log mass of every node whose parent was looked at, and the greedy path."""

    trie: Trie
    mass: dict[int, float] = field(default_factory=lambda: {0: 0.0})
    seen: set[int] = field(default_factory=set)
    greedy: int = 0  # the last node of the greedy path so far

    def record(self, node: int, children: list[float]) -> None:
        """The log probabilities of the children of `node`, now that it was looked at."""
        self.seen.add(node)
        for child, logprob in zip(self.trie.children[node], children, strict=True):
            self.mass[child] = self.mass[node] + logprob

    def advance(self) -> None:
        """Follow the greedy path as far as it is known."""
        while self.greedy in self.seen:
            self.greedy = max(self.trie.children[self.greedy], key=lambda child: self.mass[child])

    def answered(self) -> bool:
        return self.greedy in self.trie.label

    def wanted(self, confidence: bool, exact: bool) -> list[int]:
        """Nodes to look at next; empty when the answer and its confidence are settled."""
        wanted = [] if self.answered() else self.trie.chain(self.greedy)
        if confidence or exact:
            frontier = [node for node in self.mass if node not in self.seen and node not in self.trie.label]
            frontier.sort(key=lambda node: -self.mass[node])
            if frontier and (exact or self._hopeless(frontier)):
                return [node for node, children in enumerate(self.trie.children) if children and node]
            if not self._settled(frontier):
                wanted += [link for node in self._heaviest(frontier) for link in self.trie.chain(node)]
        return list(dict.fromkeys(wanted))

    def confidence(self) -> float:
        return math.exp(self.mass[self.greedy] - _log_sum([self.mass[leaf] for leaf in self._leaves()]))

    def probabilities(self) -> tuple[float, ...]:
        """Of every label, in order, where every node was looked at."""
        leaves = {label: leaf for leaf, label in self.trie.label.items()}
        masses = [self.mass[leaves[label]] for label in range(len(leaves))]
        total = _log_sum(masses)
        return tuple(math.exp(mass - total) for mass in masses)

    def _settled(self, frontier: list[int]) -> bool:
        """Whether the mass behind `frontier` can move the answer's confidence by less than the tolerance."""
        if not frontier:
            return True
        if not self.answered():
            return False
        found = _log_sum([self.mass[leaf] for leaf in self._leaves()])
        unexplored = _log_sum([self.mass[node] for node in frontier])
        highest = math.exp(self.mass[self.greedy] - found)
        return highest * (1 - 1 / (1 + math.exp(min(unexplored - found, 700.0)))) <= TOLERANCE

    def _hopeless(self, frontier: list[int]) -> bool:
        """Whether everything will have to be looked at, cheapest in one pass: the model says other things than labels,
        or half of the tree was not enough."""
        inner = len(self.trie.token) - len(self.trie.label)
        return self._known(frontier) < math.log(OFF_LABELS) or 2 * len(self.seen) > inner

    def _heaviest(self, frontier: list[int]) -> list[int]:
        """The first nodes of `frontier`, which is sorted, less a rest too light to move a confidence."""
        light = self._known(frontier) + math.log(TOLERANCE / 4)
        rest = -math.inf
        count = len(frontier)
        while count and (heavier := _log_sum([rest, self.mass[frontier[count - 1]]])) < light:
            rest, count = heavier, count - 1
        return frontier[: min(count, AT_ONCE)]

    def _known(self, frontier: list[int]) -> float:
        """The log mass of all labels found and of all nodes still to be looked at: what labels can hold at most."""
        return _log_sum([self.mass[node] for node in (*self._leaves(), *frontier)])

    def _leaves(self) -> list[int]:
        return [leaf for leaf in self.trie.label if leaf in self.mass]


def search(session: Session, first_BV: Tensor, trie: Trie, *, confidence: bool, exact: bool) -> list[Search]:
    """Settle the answer of every begun branch of `session`, whose next-token logits are `first_BV`."""
    searches = [Search(trie) for _ in range(len(first_BV))]
    logprobs_BC = _children_logprobs(first_BV, [trie.children[0]] * len(first_BV), trie)
    for state, children in zip(searches, logprobs_BC, strict=True):
        state.record(0, children)
    active = list(range(len(searches)))
    while active:
        open_rows = []
        for row in active:
            searches[row].advance()
            if nodes := searches[row].wanted(confidence, exact):
                open_rows.append((row, trie.with_ancestors(nodes)))
        open_rows.sort(key=lambda pair: len(pair[1]))  # a pass pads its trees to the largest
        rows, trees = [row for row, _ in open_rows], [tree for _, tree in open_rows]
        for begin, end in _passes([len(tree) for tree in trees]):
            _look(session, searches, trie, rows[begin:end], trees[begin:end])
        active = rows
    return searches


def _look(session: Session, searches: list[Search], trie: Trie, rows: list[int], trees: list[list[int]]) -> None:
    """One pass over the nodes `trees[i]` of prompt `rows[i]`."""
    places = [{node: index for index, node in enumerate(tree)} for tree in trees]
    parents = [[place.get(trie.parent[node], -1) for node in tree] for tree, place in zip(trees, places, strict=True)]
    tokens = [[trie.token[node] for node in tree] for tree in trees]
    logits_NV = session.extend(rows, tokens, parents)
    nodes = [node for tree in trees for node in tree]
    logprobs = _children_logprobs(logits_NV, [trie.children[node] for node in nodes], trie)
    owners = [row for row, tree in zip(rows, trees, strict=True) for _ in tree]
    for row, node, children in zip(owners, nodes, logprobs, strict=True):
        if node not in searches[row].seen:
            searches[row].record(node, children)


def _children_logprobs(logits_NV: Tensor, children: Sequence[Sequence[int]], trie: Trie) -> list[list[float]]:
    normaliser_N = normalisers(logits_NV)
    owners = [row for row, nodes in enumerate(children) for _ in nodes]
    tokens = [trie.token[node] for nodes in children for node in nodes]
    flat = (logits_NV[owners, tokens].float() - normaliser_N[owners]).tolist()
    result, at = [], 0
    for nodes in children:
        result.append(flat[at : at + len(nodes)])
        at += len(nodes)
    return result


def _passes(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Consecutive ranges of trees that hold at most PASS_TOKENS tokens together, at least one tree each."""
    ranges, begin, total = [], 0, 0
    for index, size in enumerate(sizes):
        if index > begin and total + size > PASS_TOKENS:
            ranges.append((begin, index))
            begin, total = index, 0
        total += size
    if sizes:
        ranges.append((begin, len(sizes)))
    return ranges


def _log_sum(values: Sequence[float]) -> float:
    if not values:
        return -math.inf
    top = max(values)
    return top if top == -math.inf else top + math.log(sum(math.exp(value - top) for value in values))

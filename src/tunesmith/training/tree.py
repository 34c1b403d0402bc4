"""What the prompts of a batch begin with, as a tree: every shared stretch of tokens is one node, computed once.

Rows are leaves. Rows that share more than their siblings (the same few-shot block behind the same system prompt, the
chosen and the rejected answer to one message) stand behind a node of their own. Only prompts are shared, never a token
that carries loss.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tunesmith.engines.base import Tokens
from tunesmith.engines.local.passes import agreement

WORTHWHILE = 32  # tokens that a shared node must save: each costs an attention product more in every layer


@dataclass(frozen=True)
class Node:
    """`tokens` behind those of `parent` (−1: nothing stands before them); `row` where they are a row's own rest.

    `depth` tokens of the row stand above it.
    """

    tokens: Tokens
    parent: int
    depth: int
    row: int | None = None


def grow(prompts: Sequence[Tokens], rests: Sequence[Tokens], least: int | None) -> list[Node]:
    """Nodes in the order of a packed row: parents first, a subtree in one piece.

    `rests[i]` follows `prompts[i]` and is never shared. `least`: how many tokens a shared node must save; None shares
    nothing.
    """
    nodes: list[Node] = []

    def add(rows: list[int], depth: int, known: int, parent: int) -> None:
        """Rows that agree on their first `known` tokens, `depth` of which stand in nodes already."""
        if least is None or len(rows) == 1:
            for row in rows:
                nodes.append(Node((*prompts[row][depth:], *rests[row]), parent, depth, row))
            return
        common = agreement(prompts[rows[0]], prompts[rows[-1]], known)
        if (common - depth) * (len(rows) - 1) >= max(least, 1):
            nodes.append(Node(tuple(prompts[rows[0]][depth:common]), parent, depth))
            depth, parent = common, len(nodes) - 1
        for same in _by_token(prompts, rows, common):
            if len(prompts[same[0]]) == common:  # prompts that end here: there is nothing more to share
                for row in same:
                    add([row], depth, common, parent)
            else:
                add(same, depth, common, parent)

    add(sorted(range(len(prompts)), key=lambda row: tuple(prompts[row])), 0, 0, -1)
    return nodes


def _by_token(prompts: Sequence[Tokens], rows: list[int], place: int) -> Iterator[list[int]]:
    """`rows`, sorted, by the token of their prompt at `place`; those whose prompt ends there come first."""
    for _, same in groupby(rows, key=lambda row: prompts[row][place] if place < len(prompts[row]) else None):
        yield list(same)

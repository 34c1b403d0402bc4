"""Attention of a packed row under an explicit mask, written down one token at a time: what ours is compared with."""

import torch


def tree(choices, lengths):
    """Parents in packed order: every segment hangs below the one before it or below one of those above that one."""
    parents = [-1]
    for choice in choices[: len(lengths) - 1]:
        above = [len(parents) - 1]
        while above[-1] >= 0:
            above.append(parents[above[-1]])
        parents.append(above[choice % len(above)])
    return parents


def allowed(lengths, parents, window):
    """(T, T) and the positions, written down one token at a time."""
    owner = [node for node, length in enumerate(lengths) for _ in range(length)]
    above = [set() for _ in parents]
    depth = [0] * len(lengths)
    for node, parent in enumerate(parents):
        if parent >= 0:
            above[node] = above[parent] | {parent}
            depth[node] = depth[parent] + lengths[parent]
    position = [depth[node] + place for node, length in enumerate(lengths) for place in range(length)]
    total = len(owner)
    mask = torch.zeros(total, total, dtype=torch.bool)
    for i in range(total):
        for j in range(i + 1):
            sees = owner[j] == owner[i] or owner[j] in above[owner[i]]
            mask[i, j] = sees and (window is None or position[i] - position[j] < window)
    return mask


def dense(q, k, v, mask, look):
    k, v = (x.repeat_interleave(len(q) // len(x), dim=0) for x in (k, v))
    scores = (q @ k.mT) * look.scale
    if look.softcap:
        scores = torch.tanh(scores / look.softcap) * look.softcap
    return (scores.masked_fill(~mask, float("-inf")).softmax(-1) @ v).transpose(0, 1)

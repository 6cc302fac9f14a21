"""The catalogue as a radix trie over token sequences, in NumPy arrays. It knows token ids only: no text, no model.

Only *branching* nodes are kept; a stretch without a choice is part of the edge above. For the titles

    The Matrix$      The Mummy$      Alien$

the trie has two inner nodes, and a language model is asked two questions:

    (0) root ──┬── "Alien$"                             item 2
               └── "The M" ── (1) ──┬── "atrix$"        item 0
                                    └── "ummy$"         item 1

p(item 0) = softmax at (0) of "The" among {Alien, The}  x  softmax at (1) of "atrix" among {atrix, ummy}. Sequences
must be prefix-free (end each with a terminator), so every item is a leaf.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Trie:
    """N leaves (items) below M inner nodes. Node 0 is the root; nodes are in preorder, so parents come before children.

    Children are in CSR form: those of node v are the C-array entries `child_ptr[v]:child_ptr[v + 1]`, C = M - 1 + N.
    """

    tokens: NDArray[np.int32]
    """(T,) the token sequences of all items, one after the other, in item order."""
    starts: Ints
    """(N + 1,) item i is `tokens[starts[i]:starts[i + 1]]`."""
    parent: Ints
    """(M,) inner node -> inner node; -1 for the root."""
    depth: Ints
    """(M,) tokens from the root to the end of the node's edge; 0 for the root."""
    first: Ints
    """(M,) rank of the first leaf below the node in the sorted order of the sequences."""
    last: Ints
    """(M,) one past the rank of the last leaf below the node."""
    order: Ints
    """(N,) rank -> item."""
    child_ptr: Ints
    """(M + 1,)"""
    child_token: Ints
    """(C,) the first token of the edge to the child."""
    child: Ints
    """(C,) inner node number, or ~item (negative) for a leaf."""

    def __len__(self) -> int:
        return len(self.order)

    @property
    def n_nodes(self) -> int:
        return len(self.parent)

    @cached_property
    def child_parent(self) -> Ints:
        """(C,) the node that each child entry belongs to."""
        return np.repeat(np.arange(self.n_nodes), np.diff(self.child_ptr))

    @cached_property
    def entry_of_node(self) -> Ints:
        """(M,) the child entry that leads to each inner node; -1 for the root."""
        entries = np.full(self.n_nodes, -1, np.int64)
        inner = np.flatnonzero(self.child >= 0)
        entries[self.child[inner]] = inner
        return entries

    @cached_property
    def entry_of_item(self) -> Ints:
        """(N,) the child entry that leads to each item."""
        entries = np.empty(len(self), np.int64)
        leaves = np.flatnonzero(self.child < 0)
        entries[~self.child[leaves]] = leaves
        return entries

    @cached_property
    def levels(self) -> tuple[Ints, ...]:
        """Inner nodes by their number of inner ancestors: level 0 is the root."""
        level = np.zeros(self.n_nodes, np.int64)
        for node in range(1, self.n_nodes):  # once per catalogue; parents come first
            level[node] = level[self.parent[node]] + 1
        order = np.argsort(level, kind="stable")
        return tuple(np.split(order, np.flatnonzero(np.diff(level[order])) + 1))

    def path(self, item: int) -> Ints:
        """Child entries from the root to an item: one per branching node on its path, (branches,)."""
        entry = int(self.entry_of_item[item])
        entries = [entry]
        while (node := int(self.child_parent[entry])) != 0:
            entry = int(self.entry_of_node[node])
            entries.append(entry)
        return np.array(entries[::-1], np.int64)

    def edges(self, nodes: Ints) -> tuple[Ints, Ints, Ints]:
        """The tokens on the edges into some nodes, in the order given.

        Returns:
            tokens (E,); the depth of each, from 1 (E,); which of `nodes` each belongs to (E,).
        """
        above = np.where(nodes > 0, self.depth[np.maximum(self.parent[nodes], 0)], 0)
        lengths = self.depth[nodes] - above
        owner = np.repeat(np.arange(len(nodes)), lengths)
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        depths = above[owner] + within + 1
        leaf = self.order[self.first[nodes]]
        return self.tokens[self.starts[leaf][owner] + depths - 1].astype(np.int64), depths, owner


def build_trie(sequences: Sequence[Sequence[int]]) -> Trie:
    """The radix trie of N >= 1 token sequences.

    Raises:
        ValueError: a sequence is empty, or is a prefix of another or equal to it.
    """
    lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
    if len(sequences) == 0 or lengths.min() == 0:
        raise ValueError("a trie needs at least one sequence, and none may be empty")
    tokens = np.concatenate([np.asarray(s, np.int32) for s in sequences])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    order = _sorted_order(tokens, starts)
    common = _common_prefixes(tokens, starts[order], lengths[order])
    parent, depth, first, last, leaf_parent = _intervals(common)
    # children: inner nodes and leaves together, grouped by parent, in sorted order within each
    inner = np.arange(1, len(parent))
    above = np.concatenate([parent[inner], leaf_parent])
    rank = np.concatenate([first[inner], np.arange(len(order))])
    child = np.concatenate([inner, ~order])
    arrange = np.lexsort((rank, above))
    above, rank, child = above[arrange], rank[arrange], child[arrange]
    child_token = tokens[starts[order[rank]] + depth[above]].astype(np.int64)
    child_ptr = np.searchsorted(above, np.arange(len(parent) + 1))
    return Trie(tokens, starts, parent, depth, first, last, order, child_ptr, child_token, child)


def _sorted_order(tokens: NDArray[np.int32], starts: Ints) -> Ints:
    """Rank -> item, sequences sorted as words are: big-endian bytes compare as the numbers do."""
    raw = tokens.astype(">u4").tobytes()
    ends = (4 * starts).tolist()
    keys = [raw[start:end] for start, end in itertools.pairwise(ends)]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)


def _common_prefixes(tokens: NDArray[np.int32], starts: Ints, lengths: Ints) -> Ints:
    """(N + 1,) how many tokens the sequence of rank r shares with the one before; 0 at both ends."""
    common = np.zeros(len(starts) + 1, np.int64)
    active = np.arange(1, len(starts))
    at = 0
    while len(active):
        ended = (lengths[active] <= at) | (lengths[active - 1] <= at)
        if ended.any():
            raise ValueError(
                "the sequences are not prefix-free: end each with a terminator, and give each item its own"
            )
        active = active[tokens[starts[active] + at] == tokens[starts[active - 1] + at]]
        at += 1
        common[active] = at
    return common


def _intervals(common: Ints) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """The branching nodes are the intervals of ranks that share more than their neighbours do: one sweep with a stack.

    Returns:
        parent, depth, first, last (M,) in preorder, and the node above each leaf (N,).
    """
    n = len(common) - 1
    parent, depth, first, last, leaf_parent = [-1], [0], [0], [n], [0] * n
    stack = [0]
    for rank, shared in enumerate(common[1:].tolist()):  # shared: with the leaf at rank + 1
        left = rank
        if shared <= depth[stack[-1]]:
            leaf_parent[rank] = stack[-1]
        popped = -1
        while depth[stack[-1]] > shared:
            popped = stack.pop()
            last[popped], left = rank + 1, first[popped]
        if depth[stack[-1]] < shared:
            new = len(parent)
            parent.append(stack[-1])
            depth.append(shared)
            first.append(left)
            last.append(n)
            if popped >= 0:
                parent[popped] = new
            else:
                leaf_parent[rank] = new
            stack.append(new)
    firsts, depths = np.array(first, np.int64), np.array(depth, np.int64)
    preorder = np.lexsort((depths, firsts))
    number = np.empty(len(preorder), np.int64)
    number[preorder] = np.arange(len(preorder))
    parents = np.array(parent, np.int64)[preorder]
    parents[1:] = number[parents[1:]]
    return parents, depths[preorder], firsts[preorder], np.array(last, np.int64)[preorder], number[leaf_parent]

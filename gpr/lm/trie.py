"""The catalogue as a radix trie over token sequences, in NumPy arrays. It knows token ids only: no text, no model.

Only *branching* nodes are kept; a stretch without a choice is part of the edge above. For five titles

    Alien$    The Matador$    The Matrix$    The Mule$    The Mummy$

the trie has four inner nodes, and a language model is asked four questions:

    (0) root ──┬── "Alien$"                                         item 0
               └── "The M" ── (1) ──┬── "at" ── (2) ──┬── "ador$"   item 1
                                    │                 └── "rix$"    item 2
                                    └── "u"  ── (3) ──┬── "le$"     item 3
                                                      └── "mmy$"    item 4

p(item 2) = softmax at (0) of "The" among {Alien, The}  x  softmax at (1) of "at" among {at, u}
          x  softmax at (2) of "rix" among {ador, rix}

The edges into leaves need not be read for that. Sequences must be prefix-free (end each with a terminator), so every
item is a leaf.
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
    """N leaves (items) below M inner nodes. Inner nodes are numbered 0..M-1 in preorder, so parents come before
    children and node 0 is the root; the leaf of item i is node M + i.

    Children are in CSR form: those of inner node v are the C-array entries `child_ptr[v]:child_ptr[v + 1]`, and every
    node but the root is one child, so C = M - 1 + N.
    """

    tokens: NDArray[np.int32]
    """(T,) the token sequences of all items, one after the other, in item order."""
    starts: Ints
    """(N + 1,) item i is `tokens[starts[i]:starts[i + 1]]`."""
    order: Ints
    """(N,) rank in the sorted order of the sequences -> item."""
    parent: Ints
    """(M + N,) the inner node above; -1 for the root."""
    depth: Ints
    """(M + N,) tokens from the root to the end of the node's edge; 0 for the root."""
    first: Ints
    """(M + N,) rank of the first leaf at or below the node."""
    last: Ints
    """(M + N,) one past the rank of the last leaf at or below it."""
    child_ptr: Ints
    """(M + 1,)"""
    child: Ints
    """(C,) node number."""
    child_token: Ints
    """(C,) the first token of the edge to the child."""

    def __len__(self) -> int:
        return len(self.order)

    @cached_property
    def n_nodes(self) -> int:
        """M, the number of inner nodes."""
        return len(self.parent) - len(self.order)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays but the tokens, those included that are made on first use."""
        used = (self.entry, self.level, self.inner_below, self.edge_lengths, *self.levels)
        kept = (self.starts, self.order, self.parent, self.depth, self.first, self.last)
        return sum(array.nbytes for array in (*kept, self.child_ptr, self.child, self.child_token, *used))

    @cached_property
    def entry(self) -> Ints:
        """(M + N,) the child entry that leads to each node; -1 for the root."""
        entries = np.full(len(self.parent), -1, np.int64)
        entries[self.child] = np.arange(len(self.child))
        return entries

    @cached_property
    def level(self) -> Ints:
        """(M,) how many inner nodes lie above each inner node."""
        level = [0] * self.n_nodes
        for node, above in enumerate(self.parent[1 : self.n_nodes].tolist(), 1):  # once; parents come first
            level[node] = level[above] + 1
        return np.array(level, np.int64)

    @cached_property
    def inner_below(self) -> Ints:
        """(M,) how many inner nodes lie at or below each inner node; in preorder they follow it."""
        inner = np.arange(self.n_nodes)
        # The next node that is not below starts where this one's stretch of ranks ends, or later.
        return np.searchsorted(self.first[: self.n_nodes], self.last[: self.n_nodes], "left") - inner

    @cached_property
    def edge_lengths(self) -> Ints:
        """(M,) tokens on the edge into each inner node."""
        inner = np.arange(1, self.n_nodes)
        return np.concatenate([np.zeros(1, np.int64), self.depth[inner] - self.depth[self.parent[inner]]])

    @cached_property
    def edge_tokens(self) -> int:
        """Tokens on the edges into all inner nodes."""
        return int(self.edge_lengths.sum())

    @cached_property
    def whole_tokens(self) -> int:
        """Tokens that are read where all titles are read to their ends: all but the last of each."""
        nodes = np.arange(1, len(self.depth))
        return int((self.depth[nodes] - self.depth[self.parent[nodes]]).sum()) - len(self)

    @cached_property
    def levels(self) -> tuple[Ints, ...]:
        """Inner nodes by their level; the root alone is level 0."""
        order = np.argsort(self.level, kind="stable")
        return tuple(np.split(order, np.flatnonzero(np.diff(self.level[order])) + 1))

    def leaves(self, items: Ints) -> Ints:
        """The nodes of some items."""
        return items + self.n_nodes

    def path(self, item: int) -> Ints:
        """Child entries from the root to an item: one per branching node on its path, (branches,)."""
        node, entries = item + self.n_nodes, []
        while node != 0:
            entries.append(int(self.entry[node]))
            node = int(self.parent[node])
        return np.array(entries[::-1], np.int64)

    def above(self, nodes: Ints) -> Ints:
        """All inner nodes on the way to some nodes, the root included, each once and in preorder."""
        found, here = [np.zeros(1, np.int64)], nodes
        while len(here := np.unique(self.parent[here[here > 0]])):
            found.append(here)
        return np.unique(np.concatenate(found))

    def edges(self, nodes: Ints) -> tuple[Ints, Ints, Ints]:
        """The tokens on the edges into some nodes, in the order given.

        Returns:
            tokens (E,); the depth of each, from 1 (E,); which of `nodes` each belongs to (E,).
        """
        above = np.where(nodes > 0, self.depth[self.parent[nodes]], 0)
        lengths = self.depth[nodes] - above
        owner = np.repeat(np.arange(len(nodes)), lengths)
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        depths = above[owner] + within + 1
        leaf = self.order[self.first[nodes]]
        return self.tokens[self.starts[leaf][owner] + depths - 1].astype(np.int64), depths, owner

    def log_sums_below(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """log of the sum of exp(value) of the items below each inner node: (N,) -> (M,)."""
        sums = np.concatenate([np.zeros(1), np.cumsum(np.exp(values[self.order].astype(np.float64)))])
        inner = slice(0, self.n_nodes)
        below = np.maximum(sums[self.last[inner]] - sums[self.first[inner]], np.finfo(np.float64).tiny)
        return np.asarray(np.log(below), np.float32)

    def most_below(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The largest value of an item at or below each node: (B, N) -> (B, M + N)."""
        ranked = np.pad(values[:, self.order], ((0, 0), (0, 1)), constant_values=-np.inf)
        stretches = np.stack([self.first[: self.n_nodes], self.last[: self.n_nodes]], 1).ravel()
        inner = np.maximum.reduceat(ranked, stretches, axis=1)[:, ::2]
        return np.concatenate([inner, values], 1)


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
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    parent = np.concatenate([parent, leaf_parent[rank]])
    depth = np.concatenate([depth, lengths])
    first, last = np.concatenate([first, rank]), np.concatenate([last, rank + 1])
    # children: grouped by parent, in sorted order within each
    child = np.lexsort((first[1:], parent[1:])) + 1
    child_token = tokens[starts[order[first[child]]] + depth[parent[child]]].astype(np.int64)
    child_ptr = np.searchsorted(parent[child], np.arange(len(parent) - len(order) + 1))
    return Trie(tokens, starts, order, parent, depth, first, last, child_ptr, child, child_token)


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

"""The paths of a shortlist of items through the trie: which nodes and tokens lie on them, and sums along them.

It knows the trie, and numbers for its edges; not the model that they come from.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpr.lm.trie import Ints, Trie


class Paths:
    """The S paths from the root to some items.

    Hidden states are counted from the end of the prompt (0), then the tokens that are read (1..E): all on the edges of
    `nodes`, but for the last token of each leaf.

    Args:
        items: (S,). tails: whether the leaves' own edges are read too.
    """

    def __init__(self, trie: Trie, items: Ints, tails: bool) -> None:
        self._trie, self._leaves = trie, trie.leaves(items)
        tail, self._tail = np.unique(self._leaves, return_inverse=True)
        self.inner = trie.above(self._leaves)
        """(m,) the inner nodes on the paths in preorder, the root first."""
        self.nodes = np.concatenate([self.inner[1:], tail]) if tails else self.inner[1:]
        """(n,) the nodes whose edges are read."""
        self.tokens, depths, self.owner = trie.edges(self.nodes)
        """(T,) the tokens on those edges, and the place in `nodes` of each."""
        node = self.nodes[self.owner]
        read = (node < trie.n_nodes) | (depths < trie.depth[node])
        state = np.cumsum(read)  # (T,) of each token that is read
        last = np.flatnonzero(np.diff(self.owner, append=-1))  # (n,) the last token of each node
        self.ends = np.concatenate([[0], state[last[: len(self.inner) - 1]]])
        """(m,) the state at the end of each inner node's edge."""
        first = np.diff(self.owner, prepend=-1) > 0
        above = self.ends[np.searchsorted(self.inner, trie.parent[node])]
        self.before = np.where(first, above, np.concatenate([[0], state[:-1]]) if len(state) else state)
        """(T,) the state from which each token is predicted."""

    def of_choices(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Sums along the paths (S,) of the log-probabilities of all children of `inner`, node after node."""
        trie = self._trie
        counts = np.diff(trie.child_ptr)[self.inner]
        begin = np.cumsum(counts) - counts
        nodes = np.concatenate([self.inner[1:], self._leaves])
        above = trie.parent[nodes]
        chosen = values[begin[np.searchsorted(self.inner, above)] + trie.entry[nodes] - trie.child_ptr[above]]
        return self._sum(chosen[: len(self.inner) - 1], chosen[len(self.inner) - 1 :])

    def of_tokens(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Sums along the paths (S,) of the log-probabilities of `tokens` (T,), tails included."""
        edges = np.bincount(self.owner, values, len(self.nodes)).astype(np.float32)
        return self._sum(edges[: len(self.inner) - 1], edges[len(self.inner) - 1 :][self._tail])

    def _sum(self, inner: NDArray[np.float32], leaves: NDArray[np.float32]) -> NDArray[np.float32]:
        """A number for each edge into `inner` but the root (m - 1,) and into each item's leaf (S,) -> (S,)."""
        trie = self._trie
        reached = np.concatenate([np.zeros(1, np.float32), inner])
        above = np.searchsorted(self.inner, trie.parent[self.inner])
        level = trie.level[self.inner]
        for depth in range(2, int(level.max()) + 1):
            nodes = np.flatnonzero(level == depth)
            reached[nodes] += reached[above[nodes]]
        return reached[np.searchsorted(self.inner, trie.parent[self._leaves])] + leaves

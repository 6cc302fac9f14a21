"""The k best items of a trie without scoring all of them: best-first search, exact.

Log-probabilities only fall along a path, so the probability of a prefix, plus the largest bias of an allowed item
below it, bounds every item below. Of each request the open prefixes with the best bounds are expanded together, in
one forward pass for the whole batch, until k finished items lead all of them. Behind a single prompt what is likely to
be wanted is read in the prompt's own pass, which has room for it. It knows the trie and hidden states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gpr.errors import RequestError
from gpr.lm.branches import Branches
from gpr.lm.reading import Reader, Reading
from gpr.lm.trie import Ints, Trie

Floats = NDArray[np.float32]
TOKENS_A_PASS = 32
"""Of edges that are expanded together for a request: enough to fill a pass, few enough to be needed."""
TOKENS_EACH = 8
"""The same where several requests share a pass, which is full anyway."""
TOKENS_ALONG = 32
"""Of edges that are read in the pass of a single prompt, before anything is known of the request."""
MARGIN = 0.5
"""Nats by which what is likely below a prefix may fall short and still be read with it."""
GROWTH = 1.0
"""A pass may read so many tokens for each one read before: a long search gets few passes."""
ALL_AT_ONCE = 0.15
"""Once this share of the trie's tokens has been read, all that may still matter is read in one pass: a bias can make
the bounds so loose that little is ruled out, and then the search costs hardly more than the whole catalogue."""


@dataclass(frozen=True)
class Best:
    """The best items of one request."""

    items: Ints
    """(k,) item numbers, best first."""
    scores: Floats
    """(k,) log p + bias."""
    log_probs: Floats
    """(k,) log p."""
    expanded: int
    """Nodes below the root whose edges were read."""


def most_below(trie: Trie, size: int, bias: Floats | None, allowed: NDArray[np.bool_] | None) -> Floats | None:
    """(B, M + N) the largest bias of an allowed item at or below each node; None where there is no bias."""
    if bias is None and allowed is None:
        return None
    offers = np.broadcast_to(np.float32(0) if bias is None else bias.astype(np.float32), (size, len(trie)))
    offers = offers if allowed is None else np.where(allowed, offers, np.float32(-np.inf))
    if np.isneginf(offers).all(1).any():
        raise RequestError("No item passes the filter.", hint="Loosen it.")
    return trie.most_below(offers)


def search(
    reader: Reader, branches: Branches, reading: Reading, k: int, most: Floats | None, hints: Floats
) -> list[Best]:
    """The k allowed items with the largest log p + bias for each request. The reading's cache is used up.

    Args:
        most: what `most_below` gives. hints: (M,) the log-probability that each inner node is expected to have; it
            decides what is read together, never the result.
    """
    trie, size = reader.trie, len(reading.lengths)
    searches = [_Search(trie, k, None if most is None else most[row], hints) for row in range(size)]
    along_ends = torch.from_numpy(np.cumsum(trie.edge_lengths[reading.nodes]) - 1).to(reading.top.device)
    known = np.concatenate([np.zeros(1, np.int64), reading.nodes])
    known_states = [torch.cat([reading.last[row, None], reading.along[row, along_ends]]) for row in range(size)]
    _expand(branches, searches, [known] * size, known_states)
    rows = np.arange(size)  # of the requests that are still in the batch
    while True:
        room = TOKENS_A_PASS if len(rows) == 1 else TOKENS_EACH
        wanted = [searches[row].wanted(room) for row in rows]
        active = np.flatnonzero([len(nodes) > 0 for nodes in wanted])
        if not len(active):
            return [one.best() for one in searches]
        if len(active) <= len(rows) // 2:  # most are done: they leave the batch
            reading, rows, wanted = reading.take(active), rows[active], [wanted[at] for at in active]
        hidden, owners = reader.edges(reading, wanted)
        states = []
        for at, (nodes, owner) in enumerate(zip(wanted, owners, strict=True)):
            ends = np.cumsum(np.bincount(owner, minlength=len(nodes))) - 1
            states.append(hidden[at, torch.from_numpy(ends).to(hidden.device)])
        _expand(branches, [searches[row] for row in rows], wanted, states)


def likely(trie: Trie, hints: Floats) -> Ints:
    """The inner nodes below the root with the best hints, of about TOKENS_ALONG together, and all above them."""
    best_first = np.argsort(-hints[1:], kind="stable") + 1
    room = int(np.searchsorted(np.cumsum(trie.edge_lengths[best_first]), TOKENS_ALONG, "right"))
    nodes = best_first[:room]
    nodes = nodes[hints[nodes] > -np.inf]
    return np.union1d(trie.above(nodes), nodes)[1:]


def _expand(
    branches: Branches, searches: Sequence[_Search], nodes: Sequence[Ints], states: Sequence[torch.Tensor]
) -> None:
    """Tells each search the log-probabilities of its nodes' children, given the states at the ends of their edges."""
    numbers = torch.from_numpy(np.concatenate(nodes)).to(states[0].device)
    values, begins = branches.log_probs(torch.cat(list(states)), numbers)
    log_probs, ends = values.cpu().numpy(), begins.cpu().numpy()
    at = 0
    for one, mine in zip(searches, nodes, strict=True):
        one.add(mine, log_probs[ends[at] : ends[at + len(mine)]])
        at += len(mine)


class _Search:
    """The search of one request: which prefixes are open, and which items are found.

    Args:
        most: (M + N,) the largest bias of an allowed item at or below each node; None where there is no bias.
    """

    def __init__(self, trie: Trie, k: int, most: Floats | None, hints: Floats) -> None:
        self._trie, self._k, self._most, self._hints = trie, k, most, hints
        self._reached = np.zeros(len(trie.parent), np.float32)  # log p of each node that has been reached
        self._open = np.zeros(0, np.int64)  # inner nodes that were reached and not expanded
        self._items, self._scores = np.zeros(0, np.int64), np.zeros(0, np.float32)
        self._expanded, self._tokens = 0, 0

    def wanted(self, room: int) -> Ints:
        """The nodes to expand next, in preorder, of about `room` tokens; none when the best k are proven.

        Open prefixes whose bound may still beat what was found, best first, and with them what is likely to be wanted
        below them, since a pass over few tokens costs about as much as over some more.
        """
        bounds = self._bounds(self._open)
        worst = float(self._scores[-1]) if len(self._scores) == self._k else -np.inf
        needed = (bounds >= worst) & (bounds > -np.inf)
        self._open = self._open[needed]
        if not len(self._open):
            return self._open
        nodes, above = self._below()
        if self._tokens > ALL_AT_ONCE * self._trie.edge_tokens:
            most = self._reached[above] + (0 if self._most is None else self._most[nodes])
            return np.sort(nodes[(most >= worst) & (most > -np.inf)])
        likely = self._reached[above] + self._hints[nodes] - self._hints[above]
        if self._most is not None:
            likely += self._most[nodes]
        eligible = (nodes == above) | ((likely >= worst - MARGIN) & (likely > -np.inf))
        nodes, likely = nodes[eligible], likely[eligible]
        best_first = nodes[np.lexsort((nodes, -likely))]
        tokens = np.cumsum(self._trie.edge_lengths[best_first])
        room = max(room, int(GROWTH * self._tokens))
        return np.sort(best_first[: max(1, int(np.searchsorted(tokens, room, "right")))])

    def _bounds(self, nodes: Ints) -> Floats:
        return self._reached[nodes] if self._most is None else self._reached[nodes] + self._most[nodes]

    def _below(self) -> tuple[Ints, Ints]:
        """All inner nodes at or below the open ones, and the open one above each."""
        counts = self._trie.inner_below[self._open]
        above = np.repeat(self._open, counts)
        return np.arange(len(above)) - np.repeat(np.cumsum(counts) - counts, counts) + above, above

    def add(self, nodes: Ints, values: Floats) -> None:
        """Takes over the log-probabilities of the children of some nodes, in preorder, node after node."""
        trie = self._trie
        counts = trie.child_ptr[nodes + 1] - trie.child_ptr[nodes]
        begins = np.cumsum(counts) - counts
        entries = np.arange(counts.sum()) + np.repeat(trie.child_ptr[nodes] - begins, counts)
        children, levels = trie.child[entries], np.repeat(trie.level[nodes], counts)
        for level in np.unique(levels):  # a node's own log p may come with the same values
            here = levels == level
            self._reached[children[here]] = self._reached[trie.parent[children[here]]] + values[here]
        inner = children[children < trie.n_nodes]
        self._open = np.setdiff1d(np.concatenate([self._open, inner]), nodes, assume_unique=True)
        leaves = children[children >= trie.n_nodes]
        scores = np.concatenate([self._scores, self._bounds(leaves)])
        items = np.concatenate([self._items, leaves - trie.n_nodes])
        kept = np.lexsort((items, -scores))[: self._k]
        kept = kept[scores[kept] > -np.inf]
        self._items, self._scores = items[kept], scores[kept]
        self._expanded += len(nodes)
        self._tokens += int(trie.edge_lengths[nodes].sum())

    def best(self) -> Best:
        log_probs = self._reached[self._trie.leaves(self._items)]
        return Best(self._items, self._scores, log_probs, self._expanded - 1)

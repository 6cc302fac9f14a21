"""Exact generation over a catalogue: the model's probability of every item, in one pass over the prompts and one over
the trie (`reading.py` says how the trie is read).

It sees token ids only. The hidden state at the end of an edge gives the softmax over that node's children, and
log p(item) is the sum of the log-softmax values of the children on its path:

    pass 1    Query: a film about dreams⏎Title:          the last state gives the softmax at the root
    pass 2    ... and behind it the edges of the trie    the last state of each edge gives the softmax at its node

The trie is prefix-free, so exp(log p) sums to 1 over the catalogue by construction. `top_k` needs a part of the edges
only (`search.py`), and a large trie is read in several rows, each behind the same prompt (`blocks.py`).

What a title's tokens say where there is no choice is not in it: that is its *likelihood*, over the whole vocabulary,
which needs the tails of the titles read as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpr.errors import RequestError
from gpr.lm.blocks import PASS_TOKENS, Block, even_blocks, stretches
from gpr.lm.body import Head
from gpr.lm.branches import Branches
from gpr.lm.paths import Paths
from gpr.lm.reading import Ids, Reader, Reading
from gpr.lm.search import Best, likely, most_below, search
from gpr.lm.trie import Ints, Trie

TOKENS_AT_ONCE = 16_384
"""Bound on requests x (prompt + trie tokens) in one forward pass."""
ITEMS_AT_ONCE = 128
"""Items of a shortlist whose paths are read in one pass."""


class TreeDecoder:
    """Scores a trie of titles with a causal LM. The model must be in eval mode; its device and dtype are kept.

    Args:
        openings: beginnings that prompts have in common, read once.
    """

    def __init__(self, model: Any, trie: Trie, openings: Sequence[Ids] = ()) -> None:
        self.trie = trie
        self.reader = Reader(model, trie, openings)
        self.device = self.reader.device
        self.head = Head(model)
        self._branches = Branches(trie, self.head, self.device)
        self._blocks = even_blocks(trie)
        self._widest = max((len(trie.edges(block)[0]) for block, _ in self._blocks), default=0)
        self._hints = trie.log_sums_below(np.zeros(len(trie), np.float32))

    def expect(self, log_probs: NDArray[np.float32]) -> None:
        """What the items' log-probabilities (N,) are like on the whole: makes `top_k` quicker, changes no result."""
        self._hints = self.trie.log_sums_below(log_probs)

    def batches(self, prompts: Sequence[Ids]) -> list[list[int]]:
        """Which prompts to read together: of like openings and lengths, within TOKENS_AT_ONCE with the trie."""
        openings = [self.reader.opening_of(prompt) for prompt in prompts]
        order = sorted(range(len(prompts)), key=lambda row: (openings[row], len(prompts[row])))
        batches: list[list[int]] = [[]]
        for row in order:
            full = (len(batches[-1]) + 1) * (len(prompts[row]) + self._widest) > TOKENS_AT_ONCE
            if batches[-1] and (full or openings[row] != openings[batches[-1][0]]):
                batches.append([])
            batches[-1].append(row)
        return batches

    def read(self, prompts: Sequence[Ids], ahead: bool = False, most: NDArray[np.float32] | None = None) -> Reading:
        """One pass over B prompts.

        Args:
            ahead: with the edges that a search behind a single prompt is likely to want. most: its bounds of the bias.

        Raises:
            RequestError: a prompt and the deepest choice do not fit the positions that the model knows.
        """
        if not ahead or len(prompts) > 1:
            return self.reader.prompts(prompts)
        hints = self._hints if most is None else self._hints + most[0, : self.trie.n_nodes]
        return self.reader.prompts(prompts, likely(self.trie, hints))

    def score_all(
        self,
        prompts: Sequence[Ids],
        bias: NDArray[np.float32] | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Tensor:
        """Exact log-probabilities of the whole catalogue for B prompts: (B, N) float32, exp of each row sums to 1.

        Args:
            bias: added to the log-probabilities, (N,) or (B, N). allowed: the others get -inf, (N,) or (B, N). With
                either the result is normalised again over the catalogue, never at a node.

        Raises:
            RequestError: nothing is allowed, or a prompt is too long.
        """
        scores = torch.empty(len(prompts), len(self.trie), device=self.device)
        for rows in self.batches(prompts):
            scores[rows] = self.score(self.read([prompts[row] for row in rows]))
        return scores if bias is None and allowed is None else shifted(scores, bias, allowed)

    @torch.inference_mode()
    def score(self, reading: Reading) -> Tensor:
        """(B, N) log-probabilities behind prompts that have been read; the cache is left as it was."""
        trie = self.trie
        reading.rewind()
        entries = torch.empty(len(reading.lengths), len(trie.child), device=self.device)  # (B, C)
        entries[:, : trie.child_ptr[1]] = self._children(reading.last[:, None], np.zeros(1, np.int64))
        for block, hidden in self._read_blocks(reading):
            nodes, first = block
            ends, own = self._index(_ends(self.trie.edges(nodes)[2], len(nodes))[first:]), nodes[first:]
            columns = slice(trie.child_ptr[own[0]], trie.child_ptr[own[-1] + 1])
            entries[:, columns] = self._children(hidden[:, ends], own)
        reached = torch.zeros(len(entries), trie.n_nodes, device=self.device)
        for nodes in trie.levels[1:]:
            into, above = self._index(trie.entry[nodes]), self._index(trie.parent[nodes])
            reached[:, self._index(nodes)] = reached[:, above] + entries[:, into]
        leaves = trie.leaves(np.arange(len(trie)))
        return entries[:, self._index(trie.entry[leaves])] + reached[:, self._index(trie.parent[leaves])]

    def _read_blocks(self, reading: Reading) -> Iterator[tuple[Block, Tensor]]:
        """All blocks of the trie, each with its hidden states (B, E, H); the cache is left as it was."""
        size = len(reading.lengths)
        together = max(1, PASS_TOKENS // (size * (reading.width + self._widest)))
        for at in range(0, len(self._blocks), together):
            some = self._blocks[at : at + together]
            behind = reading.copied().take(np.arange(size).repeat(len(some))) if len(some) > 1 else reading
            hidden, _ = self.reader.edges(behind, [nodes for nodes, _ in some] * size)
            behind.rewind()
            yield from zip(some, hidden.unflatten(0, (size, len(some))).unbind(1), strict=True)

    def _children(self, hidden: Tensor, nodes: Ints) -> Tensor:
        """Log-probabilities of the children of some nodes for each request: (B, n, H) -> (B, sum of children)."""
        numbers = self._index(nodes)
        return torch.stack([self._branches.log_probs(row, numbers)[0] for row in hidden])

    @torch.inference_mode()
    def top_k(
        self,
        prompts: Sequence[Ids],
        k: int,
        bias: NDArray[np.float32] | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> list[Best]:
        """The k allowed items with the largest log p + bias for each request, exactly, best first, ties by item number.

        The scores are those sums, not normalised over the catalogue. Fewer items where fewer are allowed.

        Args:
            bias, allowed: (N,) or (B, N).

        Raises:
            RequestError: nothing is allowed, or a prompt is too long.
        """
        found: dict[int, Best] = {}
        for rows in self.batches(prompts):
            most = most_below(self.trie, len(rows), _of(bias, rows), _of(allowed, rows))
            reading = self.read([prompts[row] for row in rows], True, most)
            best = search(self.reader, self._branches, reading, k, most, self._hints)
            found.update(zip(rows, best, strict=True))
        return [found[row] for row in range(len(prompts))]

    @torch.inference_mode()
    def best_behind(
        self,
        reading: Reading,
        k: int,
        bias: NDArray[np.float32] | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Best:
        """`top_k` for one prompt that has been read; the cache is left as it was."""
        most = most_below(self.trie, 1, bias, allowed)
        best = search(self.reader, self._branches, reading, k, most, self._hints)[0]
        reading.rewind()
        return best

    def score_items(self, reading: Reading, items: Ints) -> NDArray[np.float32]:
        """Exact log-probabilities of some items, visiting the nodes on their paths alone.

        Args:
            items: (S,) for all requests, or (B, S).

        Returns:
            (B, S) float32; the cache is left as it was.
        """
        return self._score_paths(reading, items, likelihood=False)[0]

    def likelihoods(
        self, reading: Reading, items: Ints, exact: bool = False
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """`score_items`, and the log-likelihood of the items' titles over the whole vocabulary: (B, S) each.

        The tails of the titles are read in the same pass, so it costs about as many tokens as the titles have. On a CPU
        that has instructions for it this pass has its products in bfloat16 (`lean.py`). It then takes half the time,
        and a title's log-likelihood differs by .08 on average, by .4 at most (the default model).

        Args:
            exact: all in the model's own number format.
        """
        return self._score_paths(reading, items, likelihood=True, half=not exact and self.reader.halves)

    @torch.inference_mode()
    def choices(self, reading: Reading, item: int) -> list[tuple[Ints, NDArray[np.float32]]]:
        """The choices on the way to an item behind the first prompt: at each branching node, from the root on, the
        child entries (c,) and their log-probabilities (c,). The cache is left as it was."""
        nodes = self.trie.parent[self.trie.child[self.trie.path(item)]]
        reading.rewind()
        hidden, owners = self.reader.edges(reading, [nodes[1:]])
        ends = self._index(_ends(owners[0], len(nodes) - 1))
        states = torch.cat([reading.last[:1], hidden[0][ends]])  # (branches, H)
        values, begins = self._branches.log_probs(states, self._index(nodes))
        reading.rewind()
        parts = np.split(values.cpu().numpy(), begins[1:-1].tolist())
        return [
            (np.arange(self.trie.child_ptr[node], self.trie.child_ptr[node + 1]), part)
            for node, part in zip(nodes, parts, strict=True)
        ]

    @torch.inference_mode()
    def _score_paths(
        self, reading: Reading, items: Ints, likelihood: bool, half: bool = False
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        size = len(reading.lengths)
        items = np.broadcast_to(items, (size, items.shape[-1]))
        by_rank = np.argsort(self.trie.first[self.trie.leaves(items)], axis=1)  # neighbours share their paths
        found = np.empty((2, *items.shape), np.float32)
        reading.rewind()
        for at in range(0, items.shape[1], ITEMS_AT_ONCE):
            some = by_rank[:, at : at + ITEMS_AT_ONCE]
            columns = list(enumerate(some))
            if likelihood:  # the titles' tails are read, which are many tokens
                columns = [(row, own[part]) for row, own in columns for part in stretches(self.trie, items[row, own])]
            paths = [Paths(self.trie, items[row, own], likelihood) for row, own in columns]
            of = np.array([row for row, _ in columns])
            behind = reading.copied().take(of) if len(of) > size else reading
            hidden, _ = self.reader.edges(behind, [path.nodes for path in paths], True, half)
            behind.rewind()
            states = [torch.cat([last[None], along]) for last, along in zip(behind.last, hidden, strict=True)]
            for (row, own), path, mine in zip(columns, paths, states, strict=True):  # mine: (1 + E, H)
                values, _ = self._branches.log_probs(mine[self._index(path.ends)], self._index(path.inner))
                found[0, row, own] = path.of_choices(values.cpu().numpy())
            if likelihood:
                whole = self._token_log_probs(states, paths, half)
                for (row, own), path, log_probs in zip(columns, paths, whole, strict=True):
                    found[1, row, own] = path.of_tokens(log_probs)
        return found[0], found[1]

    def _token_log_probs(self, states: list[Tensor], paths: list[Paths], half: bool) -> list[NDArray[np.float32]]:
        """The log-probability over the whole vocabulary of each token on each of some paths, (T,) each."""
        used = [torch.unique(self._index(path.before), return_inverse=True) for path in paths]
        own = [mine[places] for mine, (places, _) in zip(states, used, strict=True)]
        totals = self.head.log_totals(torch.cat(own), half).split([len(mine) for mine in own])
        found = []
        for mine, total, path, (_, place) in zip(own, totals, paths, used, strict=True):
            logits = self.head.one_to_one(mine[place], self._index(path.tokens))
            found.append((logits - total[place]).cpu().numpy())
        return found

    def _index(self, numbers: Ints) -> Tensor:
        return torch.from_numpy(numbers).to(self.device)


def _of(array: NDArray[Any] | None, rows: list[int]) -> NDArray[Any] | None:
    """What an array (N,) for all requests, or (B, N), says of some of them."""
    return array if array is None or array.ndim == 1 else array[rows]


def shifted(
    scores: Tensor, bias: NDArray[np.float32] | None = None, allowed: NDArray[np.bool_] | None = None
) -> Tensor:
    """Log-probabilities (B, N) with a bias added and what is not allowed left out, normalised over the catalogue.

    Raises:
        RequestError: nothing is allowed.
    """
    if bias is not None:
        scores = scores + torch.from_numpy(bias).to(scores.device)
    if allowed is not None:
        if not np.broadcast_to(allowed, tuple(scores.shape)).any(1).all():
            raise RequestError("No item passes the filter.", hint="Loosen it.")
        scores = scores.masked_fill(~torch.from_numpy(allowed).to(scores.device), -torch.inf)
    return torch.log_softmax(scores, -1)


def _ends(owner: Ints, count: int) -> Ints:
    """Where the tokens of each node end: (E,) -> (count,)."""
    return np.cumsum(np.bincount(owner, minlength=count)) - 1

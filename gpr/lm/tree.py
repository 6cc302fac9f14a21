"""Exact generation over a catalogue: the model's probability of every item, in one pass over the prompts and one over
the trie.

It sees token ids only. The second pass feeds the edges of all branching nodes as one long sequence behind each
prompt. A mask lets a token see the prompt and its own ancestors, and positions follow the depth in the trie, so
each edge is read as if it stood alone behind the prompt (here for the trie drawn in `trie.py`, with one more edge
below 'The M'):

                    prompt      "The" "M"  "at" "ch"
        "The"         x           x
        "M"           x           x    x
        "at"          x           x    x    x
        "ch"          x           x    x    x    x         another edge would see the prompt and its own tokens alone

The hidden state at the end of an edge gives the softmax over that node's children: log p(item) is the sum of the
log-softmax
values of the children on its path. The trie is prefix-free, so exp(log p) sums to 1 over the catalogue by construction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from gpr.errors import RequestError
from gpr.lm.body import Head, body_of, low_depths
from gpr.lm.trie import Trie

TOKENS_AT_ONCE = 16_384
"""Bound on requests x (prompt + trie tokens) in one forward pass."""


class Branches:
    """The children of the trie's nodes as tensors on the model's device, and the softmax over them."""

    def __init__(self, trie: Trie, head: Head, device: torch.device) -> None:
        self._head = head
        self._ptr = torch.from_numpy(trie.child_ptr).to(device)
        self._token = torch.from_numpy(trie.child_token).to(device)

    def log_probs(self, hidden: Tensor, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """Log-softmax over the children of each node, given the hidden state at the end of its edge.

        Args:
            hidden: (K, H). nodes: (K,) node numbers, repeats allowed.

        Returns:
            log-probabilities of all children, node after node (sum of children,) float32; where each node's begin (K
            + 1,).
        """
        counts = self._ptr[nodes + 1] - self._ptr[nodes]
        owner = torch.repeat_interleave(torch.arange(len(nodes), device=nodes.device), counts)
        ends = counts.cumsum(0)
        entries = torch.arange(len(owner), device=nodes.device) - (ends - counts)[owner] + self._ptr[nodes][owner]
        at_root = nodes == 0  # its many children are the same for all requests: one product of matrices
        below = ~at_root[owner]
        logits = torch.empty(len(owner), device=hidden.device)
        logits = logits.masked_scatter(below, self._head.one_to_one(hidden[owner[below]], self._token[entries[below]]))
        root = self._head.all_to_all(hidden[at_root], self._token[: self._ptr[1]])
        logits = logits.masked_scatter(~below, root.reshape(-1))
        top = torch.full((len(nodes),), -torch.inf, device=hidden.device)
        top = top.scatter_reduce(0, owner, logits.detach(), "amax")
        total = torch.zeros_like(top).index_add(0, owner, torch.exp(logits - top[owner]))
        return logits - (top + total.log())[owner], torch.cat([ends.new_zeros(1), ends])


@dataclass(frozen=True)
class Prefix:
    """Prompts that have been read, padded on the right: what the tree pass continues from."""

    cache: DynamicCache
    lengths: Tensor
    """(B,) tokens in each prompt."""
    top: Tensor
    """(B, P, H) hidden states after all layers."""
    low: tuple[Tensor, Tensor]
    """(B, P, H) hidden states after the layers of `low_depths`."""

    @property
    def last(self) -> Tensor:
        """(B, H) the top hidden state at the end of each prompt."""
        return self.top[torch.arange(len(self.lengths), device=self.top.device), self.lengths - 1]


class TreeDecoder:
    """Scores a trie of titles with a causal LM. The model must be in eval mode; its device and dtype are kept."""

    def __init__(self, model: Any, trie: Trie) -> None:
        self.trie = trie
        self._body = body_of(model)
        self._head = Head(model)
        self.device = self._head.weight.device
        self.branches = Branches(trie, self._head, self.device)
        tokens, depths, owner = trie.edges(np.arange(trie.n_nodes))
        self._tokens = torch.from_numpy(tokens).to(self.device)  # (E,)
        self._depths = torch.from_numpy(depths).to(self.device)  # (E,)
        lengths = np.bincount(owner, minlength=trie.n_nodes)
        self._ends = torch.from_numpy(np.cumsum(lengths)[1:] - 1).to(self.device)  # (M - 1,)
        self._sees = torch.from_numpy(_ancestors(trie, depths, owner)).to(self.device)  # (E, E)

    def batches(self, prompts: Sequence[Sequence[int]]) -> list[list[int]]:
        """Which prompts to read together: of like lengths, within TOKENS_AT_ONCE with the trie behind them."""
        order = sorted(range(len(prompts)), key=lambda row: len(prompts[row]))
        batches: list[list[int]] = [[]]
        for row in order:
            if batches[-1] and (len(batches[-1]) + 1) * (len(prompts[row]) + len(self._tokens)) > TOKENS_AT_ONCE:
                batches.append([])
            batches[-1].append(row)
        return batches

    @torch.inference_mode()
    def read(self, prompts: Sequence[Sequence[int]]) -> Prefix:
        """One pass over B prompts of any lengths. Padding is on the right, where causal attention never looks.

        Raises:
            RequestError: a prompt and the deepest title do not fit the positions that the model knows.
        """
        ids, lengths = padded(prompts, self.device)
        self._check_room(ids.shape[1])
        cache = DynamicCache()  # without the config it keeps the whole prompt for sliding layers too
        out = self._body(input_ids=ids, past_key_values=cache, use_cache=True, output_hidden_states=True)
        low = tuple(out.hidden_states[depth] for depth in low_depths(self._body))
        return Prefix(cache, lengths, out.last_hidden_state, low)

    def score_all(self, prompts: Sequence[Sequence[int]]) -> Tensor:
        """Exact log-probabilities of the whole catalogue for B prompts: (B, N) float32, the exp of each row
        sums to 1."""
        scores = torch.empty(len(prompts), len(self.trie), device=self.device)
        for rows in self.batches(prompts):
            scores[rows] = self.score(self.read([prompts[row] for row in rows]))
        return scores

    @torch.inference_mode()
    def score(self, prefix: Prefix) -> Tensor:
        """(B, N) log-probabilities behind prompts that have been read. Uses the prefix up: its cache grows."""
        size, trie = len(prefix.lengths), self.trie
        hidden = prefix.last[:, None]  # (B, 1, H)
        if len(self._tokens):
            after = self._tree_pass(prefix)[:, self._ends]  # (B, M - 1, H)
            hidden = torch.cat([hidden, after], 1)  # (B, M, H)
        nodes = torch.arange(trie.n_nodes, device=self.device)
        entries = torch.stack([self.branches.log_probs(row, nodes)[0] for row in hidden])  # (B, C)
        reached = torch.zeros(size, trie.n_nodes, device=self.device)
        for level in trie.levels[1:]:
            into, above = self._index(trie.entry_of_node[level]), self._index(trie.parent[level])
            reached[:, self._index(level)] = reached[:, above] + entries[:, into]
        leaf = trie.entry_of_item
        return entries[:, self._index(leaf)] + reached[:, self._index(trie.child_parent[leaf])]

    def _index(self, numbers: np.ndarray) -> Tensor:
        return torch.from_numpy(numbers).to(self.device)

    def _tree_pass(self, prefix: Prefix) -> Tensor:
        """Hidden states of all edge tokens behind each prompt, (B, E, H)."""
        size, width = len(prefix.lengths), prefix.cache.get_seq_length()
        read = torch.arange(width, device=self.device).expand(size, -1)  # (B, P)
        positions = prefix.lengths[:, None] + self._depths - 1  # (B, E)
        in_prompt = (read < prefix.lengths[:, None])[:, None].expand(-1, len(self._tokens), -1)
        sees = torch.cat([in_prompt, self._sees.expand(size, -1, -1)], 2)  # (B, E, P + E)
        seen_at = torch.cat([read, positions], 1)  # (B, P + E)
        return self._body(  # type: ignore[no-any-return]
            input_ids=self._tokens.expand(size, -1),
            position_ids=positions,
            attention_mask=_masks(self._body.config, sees, positions, seen_at, prefix.last.dtype),
            past_key_values=prefix.cache,
            use_cache=True,
        ).last_hidden_state

    def _check_room(self, width: int) -> None:
        limit = getattr(self._body.config, "max_position_embeddings", None)
        deepest = int(self.trie.depth.max())
        if limit and width + deepest > limit:
            raise RequestError(
                f"The request needs {width + deepest} tokens; this base model reads {limit}.",
                hint="Shorten the query or the history.",
            )


def padded(sequences: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Token ids as one tensor, zeros on the right (B, T), and the length of each (B,)."""
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    ids = torch.zeros(len(sequences), int(lengths.max()), dtype=torch.long)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.as_tensor(sequence)
    return ids.to(device), lengths.to(device)


def _masks(config: Any, sees: Tensor, at: Tensor, seen_at: Tensor, dtype: torch.dtype) -> Any:
    """Additive masks (B, 1, E, P + E): one for all layers, or one for each kind; sliding layers see a window of
    positions.

    `at` (B, E) and `seen_at` (B, P + E) are the positions of those who see and of those who are seen.
    """

    def mask(window: int | None) -> Tensor:
        near = sees & (at[:, :, None] - seen_at[:, None] < window) if window else sees
        blank = torch.zeros(sees.shape, dtype=dtype, device=at.device)
        return blank.masked_fill(~near, torch.finfo(dtype).min)[:, None]

    kinds, window = getattr(config, "layer_types", None), getattr(config, "sliding_window", None)
    if not kinds:
        return mask(window)
    return {kind: mask(window if kind == "sliding_attention" else None) for kind in set(kinds)}


def _ancestors(trie: Trie, depths: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """(E, E) bool: whether token a (row) sees token b: b's node is a's or one above it, and b is not deeper."""
    first, last = trie.first[owner], trie.last[owner]
    below = (first[:, None] >= first[None]) & (first[:, None] < last[None])
    return np.asarray(below & (depths[:, None] >= depths[None]))

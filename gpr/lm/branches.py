"""The choices of a trie as the model sees them: the softmax over the children of a node. It knows hidden states, not
where they come from; training and generation use the same one."""

from __future__ import annotations

import torch
from torch import Tensor

from gpr.lm.body import Head
from gpr.lm.trie import Trie


class Branches:
    """The children of the trie's nodes as tensors on the model's device. Only their rows of the head are used."""

    def __init__(self, trie: Trie, head: Head, device: torch.device) -> None:
        self._head = head
        self._ptr = torch.from_numpy(trie.child_ptr).to(device)
        self._token = torch.from_numpy(trie.child_token).to(device)
        self._root = head.rows(self._token[: self._ptr[1]])

    def log_probs(self, hidden: Tensor, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """Log-softmax over the children of each node, given the hidden state at the end of its edge.

        Args:
            hidden: (K, H). nodes: (K,) inner nodes, repeats allowed.

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
        root = self._head.all_to_all(hidden[at_root], self._root)
        logits = logits.masked_scatter(~below, root.reshape(-1))
        top = torch.full((len(nodes),), -torch.inf, device=hidden.device)
        top = top.scatter_reduce(0, owner, logits.detach(), "amax")
        total = torch.zeros_like(top).index_add(0, owner, torch.exp(logits - top[owner]))
        return logits - (top + total.log())[owner], torch.cat([ends.new_zeros(1), ends])

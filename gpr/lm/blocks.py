"""The trie in blocks: stretches of its nodes, or of a shortlist, that are read in rows of their own, behind the same
prompt.

Nodes of different branches do not see each other, so nothing is lost where they are apart, and attention costs the
square of a row instead of the trie's. It knows the trie alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np

from gpr.lm.trie import Ints, Trie

BLOCK_TOKENS = 128
"""Trie tokens that are read in one row, with those above them: attention costs a row's square, not the trie's."""
PASS_TOKENS = 2_048
"""Rows of the trie are read together up to so many tokens, the prompt before each counted; beyond, what is computed
does not stay in the processor's cache."""
T = TypeVar("T")
Block = tuple[Ints, int]
"""Nodes in preorder, and how many of the first ones are there only because they lie above the others."""


def even_blocks(trie: Trie) -> list[Block]:
    """The blocks of a trie; those of a small one of about the same length, so that no row is padded in vain."""
    blocks = _blocks(trie, BLOCK_TOKENS)
    small = len(blocks) * BLOCK_TOKENS <= PASS_TOKENS
    return _evenly(partial(_blocks, trie), trie.edge_tokens) if small else blocks


def _evenly(cut: Callable[[int], list[T]], tokens: int) -> list[T]:
    """What `cut` gives for the least width with which it needs no more parts than for BLOCK_TOKENS."""
    fewest = cut(BLOCK_TOKENS)
    widths = range(tokens // max(1, len(fewest)), BLOCK_TOKENS)
    return next((even for width in widths if len(even := cut(width)) == len(fewest)), fewest)


def _blocks(trie: Trie, width: int) -> list[Block]:
    """Stretches of the inner nodes but the root that are of at most `width` tokens with those above, unless one node
    alone is."""
    tokens = np.cumsum(trie.edge_lengths)
    found, start = [], 1
    while start < trie.n_nodes:
        above = trie.above(np.array([start]))[1:]
        room = width - trie.edge_lengths[above].sum()
        end = max(start + 1, int(np.searchsorted(tokens, tokens[start - 1] + room, "right")))
        found.append((np.concatenate([above, np.arange(start, end)]), len(above)))
        start = end
    return found


def stretches(trie: Trie, items: Ints) -> list[Ints]:
    """Items (S,) in the order of the trie, in stretches of about the same length whose paths have up to BLOCK_TOKENS
    tokens, the last of each title left out, unless one title alone has more.

    Returns:
        places in `items` of each stretch, (n,) each.
    """
    leaves = trie.leaves(items)
    shared = trie.parent[leaves[:-1]]  # the deepest node above an item and the next one
    while (short := trie.last[shared] <= trie.first[leaves[1:]]).any():
        shared = np.where(short, trie.parent[shared], shared)
    alone = trie.depth[leaves] - 1
    further = np.cumsum(np.maximum(0, alone - np.concatenate([[0], trie.depth[shared]])))  # beside those before

    def cut(width: int) -> list[int]:
        starts = [0]
        while (at := starts[-1]) < len(items):
            starts.append(max(at + 1, int(np.searchsorted(further, further[at] + width - alone[at], "right"))))
        return starts[1:]

    return np.split(np.arange(len(items)), _evenly(cut, int(further[-1]))[:-1])

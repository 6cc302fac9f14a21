"""The trie in blocks: stretches of its nodes, or of a shortlist, that are read in rows of their own, behind the same
prompt.

Nodes of different branches do not see each other, so nothing is lost where they are apart, and attention costs the
square of a row instead of the trie's. It knows the trie alone.
"""

from __future__ import annotations

import numpy as np

from gpr.lm.trie import Ints, Trie

BLOCK_TOKENS = 128
"""Trie tokens that are read in one row, with those above them: attention costs a row's square, not the trie's."""
PASS_TOKENS = 2_048
"""Rows of the trie are read together up to so many tokens, the prompt before each counted; beyond, what is computed
does not stay in the processor's cache."""
Block = tuple[Ints, int]
"""Nodes in preorder, and how many of the first ones are there only because they lie above the others."""


def even_blocks(trie: Trie) -> list[Block]:
    """The blocks of a trie; those of a small one of about the same length, so that no row is padded in vain."""
    blocks = _blocks(trie, BLOCK_TOKENS)
    least = trie.edge_tokens // max(1, len(blocks))
    for width in range(least, BLOCK_TOKENS) if len(blocks) * BLOCK_TOKENS <= PASS_TOKENS else ():
        if len(even := _blocks(trie, width)) == len(blocks):
            return even
    return blocks


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
    """Items (S,) in the order of the trie, in stretches with about BLOCK_TOKENS tokens on their own edges.

    Returns:
        places in `items` of each stretch, (n,) each.
    """
    leaves = trie.leaves(items)
    lengths = trie.depth[leaves] - trie.depth[trie.parent[leaves]]
    share = (np.cumsum(lengths) - lengths / 2) / lengths.sum()  # of the tokens, up to the middle of each item's
    group = (share * np.ceil(lengths.sum() / BLOCK_TOKENS)).astype(np.int64)
    return np.split(np.arange(len(items)), np.flatnonzero(np.diff(group)) + 1)

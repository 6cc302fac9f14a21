"""The way through the trie to an item: the choices that `generate` had, and the probability of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gpr.data.dataset import Request
from gpr.lm.prompts import Prompts
from gpr.scorers.gpt import Gpt

OTHERS = 3
"""Alternatives that are named at each branch."""


@dataclass(frozen=True)
class Branch:
    """One choice on the way."""

    before: str
    """The title as far as it is written."""
    taken: str
    """What is written next."""
    probability: float
    """Of that, among the ways that are open here."""
    ways: int
    """How many there are."""
    others: tuple[tuple[str, float], ...]
    """The likeliest other ways."""


def path(gpt: Gpt, request: Request, item: int) -> list[Branch]:
    """From the first choice to the last; the product of their probabilities is that of `generate`."""
    prompts, trie = gpt.prompts, gpt.prompts.trie
    way = trie.path(item)
    found, node = [], 0
    reading = gpt.decoder.read([prompts.request(request).ids])
    for entry, (entries, log_probs) in zip(way, gpt.decoder.choices(reading, item), strict=True):
        chances, place = np.exp(log_probs), int(entry - entries[0])
        others = [at for at in np.argsort(-chances, kind="stable").tolist() if at != place][:OTHERS]
        named = tuple((_edge(prompts, node, int(trie.child[entries[at]])), float(chances[at])) for at in others)
        child = int(trie.child[entry])
        taken = _edge(prompts, node, child)
        found.append(Branch(_written(prompts, node), taken, float(chances[place]), len(entries), named))
        node = child
    return found


def _written(prompts: Prompts, node: int) -> str:
    """The title from its beginning to the end of a node's edge. Half a character, as bytes can be, is left out."""
    trie = prompts.trie
    leaf = int(trie.order[trie.first[node]])
    ids = trie.tokens[trie.starts[leaf] : trie.starts[leaf] + trie.depth[node]]
    return prompts.text_of(ids.tolist()).rstrip("\ufffd\n")


def _edge(prompts: Prompts, above: int, node: int) -> str:
    return _written(prompts, node)[len(_written(prompts, above)) :]

"""What the answer would be without a part of the request: the same scores, computed again for each shorter request.

Exact where the trie is small. In a large catalogue what reads titles is computed again for the best items alone, and
all others keep what it said of them; their part in the sum of all probabilities is then slightly off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gpr.data.dataset import Request
from gpr.explain.drops import Drop, drops
from gpr.explain.scoring import Scoring
from gpr.lm.trie import Ints
from gpr.scorers.gpt import OF_TITLES, Parts
from gpr.scorers.scorer import Scores

TOKENS = 700
"""Requests x tokens of the trie that are read again in full: about two seconds on two CPU cores."""
SHORTLIST = 48
"""Items for which titles are read again where the trie is larger."""


@dataclass(frozen=True)
class Counterfactuals:
    """Log-probabilities of the shown items, with and without each part of the request."""

    items: tuple[int, ...]
    """(S,)"""
    log_probs: Scores
    """(S,) under the whole request."""
    drops: tuple[Drop, ...]
    without: Scores
    """(D, S) under each shorter request."""
    exact: bool

    def of(self, item: int) -> list[tuple[Drop, float, float]]:
        """Each drop with the item's log-probability before and after it."""
        column = self.items.index(item)
        before = float(self.log_probs[column])
        return [(drop, before, float(row[column])) for drop, row in zip(self.drops, self.without, strict=True)]


def counterfactuals(scoring: Scoring, items: Sequence[int]) -> Counterfactuals:
    """For S items that were recommended, in one batch."""
    dropped = drops(scoring.request)
    requests = [drop.left for drop in dropped]
    gpt = scoring.ensemble.gpt
    trie = gpt.prompts.trie
    tokens = trie.whole_tokens if gpt.reads_titles else trie.edge_tokens
    exact = gpt.scores_whole and len(requests) * max(1, tokens) <= TOKENS
    if not dropped:
        without = np.zeros((0, len(items)), np.float32)
    else:
        parts = scoring.ensemble.score(requests) if exact else _nearly(scoring, requests, items)
        without = scoring.combined(parts, requests)[:, list(items)]
    return Counterfactuals(tuple(items), scoring.log_probs[list(items)], tuple(dropped), without, exact)


def _nearly(scoring: Scoring, requests: Sequence[Request], items: Sequence[int]) -> Parts:
    """Part -> (B, N), where what reads titles is that of the whole request but for the likeliest items and those
    shown."""
    likely = np.argsort(-scoring.log_probs, kind="stable")[:SHORTLIST]
    chosen: Ints = np.unique(np.concatenate([likely, np.asarray(items)]))
    parts = scoring.ensemble.shortlist(requests, chosen)
    for name in OF_TITLES & parts.keys():
        every = np.repeat(scoring.scored.parts[name], len(requests), axis=0)
        every[:, chosen] = parts[name]
        parts[name] = every
    return parts

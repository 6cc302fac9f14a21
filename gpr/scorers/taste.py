"""`taste`: what others with a like history chose. It knows histories as item numbers, and no words.

Three ways to see the same co-occurrence. `Following` counts what came soon after an item in other histories (an
item-kNN that knows the order); `Ease` is a linear autoencoder with a closed form (Steck 2019, arXiv:1905.03375), asked
once for the recent items and once for all of a history; `Neighbours` is the plain item-kNN, a peer.

A scorer's evidence x >= 0 for an item becomes the log-score log(1 + x / mean of x over the catalogue): linear where
evidence is weak, a logarithm where it is strong. A request without a history gets 0 for every item.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gpr.data.dataset import Dataset, Request
from gpr.scorers.scorer import Scorer, Scores

REACH = 20
"""How many steps after an item still count as following it; a step d counts d ** -0.5."""
RECENT = 50
"""Items of a history that are looked at where the recent ones count most."""
SHRINKAGE = 5
"""Added to the number of times an item was chosen, so that rare items do not shout."""
MOST_EASE_ITEMS = 4_000
"""EASE inverts a dense matrix of the catalogue's size."""
RIDGE = 500.0
"""Of EASE."""


def taste_scorers(dataset: Dataset) -> dict[str, Scorer]:
    """By name; none without training histories."""
    if not dataset.sequences:
        return {}
    found: dict[str, Scorer] = {"taste_next": Following(dataset)}
    if len(dataset.catalogue) <= MOST_EASE_ITEMS:
        weights = ease_weights(dataset)
        found |= {"taste_recent": Ease(weights, 0.9), "taste_all": Ease(weights, 1.0)}
    return found


class Following:
    """Items that came within REACH steps after those of the history, the most recent counting most."""

    DECAY = 0.7

    def __init__(self, dataset: Dataset) -> None:
        n = len(dataset.catalogue)
        histories = [np.array(sequence.items, np.int64) for sequence in dataset.sequences]
        steps = [(items, step) for step in range(1, REACH + 1) for items in histories]
        before = np.concatenate([items[:-step] for items, step in steps])
        after = np.concatenate([items[step:] for items, step in steps])
        counts = np.concatenate([np.full(max(0, len(items) - step), step**-0.5) for items, step in steps])
        follows = sparse.csr_matrix((counts.astype(np.float32), (before, after)), (n, n))
        chosen = np.bincount(np.concatenate(histories), minlength=n) + SHRINKAGE
        self._follows = sparse.diags(chosen**-0.5) @ follows @ sparse.diags(chosen**-0.55)  # (N, N), sparse

    def score_all(self, requests: Sequence[Request]) -> Scores:
        """(B, N)."""
        return _log_evidence(recency(requests, self._follows.shape[0], self.DECAY, RECENT) @ self._follows)


class Ease:
    """The evidence of EASE's weights for a history.

    Args:
        weights: (N, N) of `ease_weights`. decay: of an item's weight for each item chosen after it.
    """

    def __init__(self, weights: NDArray[np.float32], decay: float) -> None:
        self._weights, self._decay = weights, decay

    def score_all(self, requests: Sequence[Request]) -> Scores:
        """(B, N)."""
        kept = RECENT if self._decay < 1 else 0
        return _log_evidence(recency(requests, len(self._weights), self._decay, kept) @ self._weights)


def ease_weights(dataset: Dataset) -> NDArray[np.float32]:
    """(N, N), zero on the diagonal: how much each chosen item speaks for each other."""
    chosen = together(dataset).toarray().astype(np.float64)
    inverse = np.linalg.inv(chosen + RIDGE * np.eye(len(chosen)))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights, np.float32)


class Neighbours:
    """The plain item-kNN: cosine of who chose what, the nearest K items of each, the last ten items of a history."""

    K, LAST, DECAY = 50, 10, 0.8

    def __init__(self, dataset: Dataset) -> None:
        chosen = together(dataset).toarray()
        size = np.sqrt(np.maximum(chosen.diagonal(), 1e-9))
        near = chosen / size[:, None] / size
        np.fill_diagonal(near, 0.0)
        if len(near) > self.K:
            near[near < np.partition(near, -self.K, axis=1)[:, [-self.K]]] = 0.0
        self._near = sparse.csr_matrix(near, dtype=np.float32)

    def score_all(self, requests: Sequence[Request]) -> Scores:
        """(B, N)."""
        return _log_evidence(recency(requests, self._near.shape[0], self.DECAY, self.LAST) @ self._near)


def together(dataset: Dataset) -> sparse.csr_matrix:
    """(N, N) how many training histories hold both items; on the diagonal, how many hold the item."""
    histories = [np.array(sequence.items, np.int64) for sequence in dataset.sequences]
    users = np.repeat(np.arange(len(histories)), [len(items) for items in histories])
    shape = (len(histories), len(dataset.catalogue))
    who = sparse.csr_matrix((np.ones(len(users), np.float32), (users, np.concatenate(histories))), shape)
    return (who.T @ who).tocsr()


def recency(requests: Sequence[Request], n: int, decay: float, kept: int) -> sparse.csr_matrix:
    """(B, n) the weight of each item of each history: 1 for the last one, times `decay` for each step back.

    Args:
        kept: items that count, the most recent ones; 0 for all.
    """
    histories = [request.history[-kept:] for request in requests]
    rows = np.repeat(np.arange(len(histories)), [len(items) for items in histories])
    weights = np.concatenate([decay ** np.arange(len(items))[::-1] for items in histories])
    columns = np.array([item for items in histories for item in items], np.int64)
    return sparse.csr_matrix((weights.astype(np.float32), (rows, columns)), (len(histories), n))


def _log_evidence(evidence: Any) -> Scores:
    """Evidence (B, N), sparse or not -> log-scores (B, N)."""
    positive = np.maximum(evidence.toarray() if sparse.issparse(evidence) else evidence, 0.0)
    typical = positive.mean(1, keepdims=True)
    return np.asarray(np.log1p(positive / np.where(typical > 0, typical, 1.0)), np.float32)

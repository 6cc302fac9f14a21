"""The simple methods that GPR is held against, and probabilities for scorers that give none. It knows no GPT."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import logsumexp

from gpr.data.dataset import Dataset, Request
from gpr.scorers.pool import Pool, fit, kind_of, without_history
from gpr.scorers.popular import Popular
from gpr.scorers.scorer import Scorer, Scores, log_normalised
from gpr.scorers.taste import MOST_EASE_ITEMS, Ease, Neighbours, ease_weights
from gpr.scorers.words import Words

MOST_VALIDATION = 300
"""Requests that decide a scale."""


def peers_of(dataset: Dataset) -> dict[str, Scorer]:
    """By name, from the training part alone."""
    peers: dict[str, Scorer] = {"popular": Popular(dataset)}
    if dataset.sequences and len(dataset.catalogue) <= MOST_EASE_ITEMS:
        peers |= {"item_knn": Neighbours(dataset), "ease": Ease(ease_weights(dataset), 1.0)}
    return peers | {"bm25": Words(dataset), "bm25_queries": Words(dataset, with_queries=True)}


class Scales:
    """Turns the scores of some scorers into probabilities: a factor for each, fitted on validation requests.

    A kind of request (query, history, both) that the validation split lacks gets no probabilities.
    """

    def __init__(self, dataset: Dataset, scorers: Mapping[str, Scorer]) -> None:
        valid = dataset.examples["valid"]
        order = np.random.default_rng(0).permutation(len(valid))[:MOST_VALIDATION]
        asked = [valid[number].request for number in order]
        items = np.array([valid[number].item for number in order], np.int64)
        self._kinds = {kind_of(request) for request in asked}
        self._pools: dict[str, Pool] = {}
        for name, scorer in scorers.items():
            scores = scorer.score_all(asked) if asked else None
            if scores is not None and not _normalised(scores):
                self._pools[name] = fit({name: scores}, asked, items, Pool.same(**{name: 0.0}))

    def log_probs(self, name: str, scores: Scores, requests: list[Request]) -> Scores:
        """(B, N) over what is not in a request's history; NaN where the scorer `name` gives no probabilities.

        Args:
            scores: (B, N) as the scorer gave them.
        """
        if name in self._pools:
            found = self._pools[name].combine({name: scores}, requests)
            found[[kind_of(request) not in self._kinds for request in requests]] = np.nan
            return found
        if _normalised(scores):
            return log_normalised(without_history(scores, requests))
        return np.full_like(scores, np.nan)


def _normalised(scores: Scores) -> bool:
    """Whether scores (B, N) are log-probabilities already."""
    return bool((np.abs(logsumexp(scores.astype(np.float64), axis=1)) < 1e-3).all())

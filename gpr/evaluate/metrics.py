"""Ranking metrics from scores and right items, full ranking over the catalogue. It knows numbers only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NAMES = ("R@1", "R@5", "R@10", "NDCG@10", "MRR")


def ranks(scores: NDArray[np.floating], items: NDArray[np.int64]) -> NDArray[np.float64]:
    """The rank of each right item, from 1; ties share the mean of their places, so a constant scorer gains nothing.

    Args:
        scores: (B, N), -inf for items that are out. items: (B,).
    """
    right = scores[np.arange(len(items)), items][:, None]
    above, equal = (scores > right).sum(1), (scores == right).sum(1)
    return np.asarray(1 + above + (equal - 1) / 2, np.float64)


def per_request(found: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """From ranks (B,), what each request adds to each metric, (B,): R@k (one right item a request, so also the hit
    rate), NDCG@10 and MRR."""
    recalls = {f"R@{k}": (found <= k).astype(np.float64) for k in (1, 5, 10)}
    return recalls | {"NDCG@10": np.where(found <= 10, 1 / np.log2(1 + found), 0.0), "MRR": 1 / found}


def ranking_metrics(scores: NDArray[np.floating], items: NDArray[np.int64]) -> dict[str, float]:
    """The metrics' means over B requests; NaN without a request."""
    return metrics_of_ranks(ranks(scores, items)) if len(items) else dict.fromkeys(NAMES, float("nan"))


def metrics_of_ranks(found: NDArray[np.float64]) -> dict[str, float]:
    """The same from ranks (B,), B >= 1."""
    return {name: float(values.mean()) for name, values in per_request(found).items()}

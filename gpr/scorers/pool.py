"""The log-linear pool: what a user gets by default. It knows scores, not scorers.

    p(item | request)  proportional to  exp(sum over parts of weight * score)

The weights are fitted by maximum likelihood on validation requests, which is convex.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from gpr.data.dataset import Request
from gpr.scorers.scorer import Scores, log_normalised

PENALTY = 0.01
"""Times the squared distance of the weights from the untrained ones: decides where few requests do not."""


@dataclass(frozen=True)
class Pool:
    """The weight of each part. `prior` is what `generate` says without a request; the pool takes it off `generate`."""

    generate: float = 0.1
    prior: float = 0.1
    """Between 0 (off) and the weight of `generate` (taken off in full)."""
    match: float = 1.0

    def combine(self, parts: Mapping[str, Scores], requests: list[Request]) -> Scores:
        """(B, N) log-probabilities; items of a request's history get -inf, for they have been chosen."""
        scores = self.generate * parts["generate"] - self.prior * parts["prior"] + self.match * parts["match"]
        return log_normalised(without_history(scores, requests))


def without_history(scores: NDArray[np.floating], requests: list[Request]) -> NDArray[np.floating]:
    """The same scores with -inf for every item of the request's history, (B, N)."""
    scores = scores.copy()
    for row, request in enumerate(requests):
        scores[row, list(request.history)] = -np.inf
    return scores


def fit(parts: Mapping[str, Scores], requests: list[Request], items: NDArray[np.int64]) -> Pool:
    """The pool under which the items that were chosen, (B,), are most likely. The untrained pool where B is 0."""
    start = Pool()
    if len(items) == 0:
        return start
    generate, prior, match = (parts[name].astype(np.float64) for name in ("generate", "prior", "match"))
    stack = np.stack([generate, generate - prior, match])  # (3, B, N): weights are >= 0 in this form
    out = np.isneginf(without_history(np.zeros_like(generate), requests))
    rows = np.arange(len(items))
    anchor = np.array([start.generate - start.prior, start.prior, start.match])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = np.where(out, -np.inf, np.tensordot(weights, stack, 1))
        expected = (softmax(scores, axis=1) * stack).sum(2).mean(1)
        slope = expected - stack[:, rows, items].mean(1) + 2 * PENALTY * (weights - anchor)
        value = -log_softmax(scores, axis=1)[rows, items].mean() + PENALTY * ((weights - anchor) ** 2).sum()
        return float(value), slope

    found = minimize(loss, anchor, jac=True, method="L-BFGS-B", bounds=[(0, None)] * 3).x
    return Pool(float(found[0] + found[1]), float(found[1]), float(found[2]))

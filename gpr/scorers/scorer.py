"""The contract that all scorers share. It knows requests and item numbers, not where a score comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from gpr.data.dataset import Request

Scores: TypeAlias = NDArray[np.float32]


class Scorer(Protocol):
    """Gives every item a score for every request; larger is better. Any request is answered, the empty one too."""

    def score_all(self, requests: Sequence[Request]) -> Scores:
        """(B, N) float32 log-scores, finite, for B >= 1 requests over the N items of the catalogue."""
        ...


def log_normalised(scores: NDArray[np.floating]) -> Scores:
    """Log-probabilities over the catalogue from any log-scores, (B, N) -> (B, N) float32."""
    return np.asarray(log_softmax(scores.astype(np.float64), axis=1), np.float32)

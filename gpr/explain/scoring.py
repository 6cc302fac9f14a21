"""What stands behind an answer: the scores of all parts for a request, and how they become probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gpr.data.dataset import Dataset, Request
from gpr.scorers.ensemble import Ensemble
from gpr.scorers.feedback import Feedback
from gpr.scorers.gpt import Parts
from gpr.scorers.pool import Pool
from gpr.scorers.scorer import Scores, log_normalised


@dataclass(frozen=True)
class Scoring:
    """How an answer to a request was found."""

    dataset: Dataset
    ensemble: Ensemble
    pool: Pool
    request: Request
    feedback: Feedback | None = None
    allowed: np.ndarray | None = None
    """(N,) the items that pass the filters; None for all."""
    wished: Scores | None = None
    """(N,) log-odds that the user's wishes move each item by."""

    @cached_property
    def parts(self) -> Parts:
        """Part -> (1, N) scores of the whole request."""
        return self.ensemble.score([self.request])

    @cached_property
    def log_probs(self) -> Scores:
        """(N,) of the answer; -inf for what cannot be recommended."""
        return self.combined(self.parts, [self.request])[0]  # type: ignore[no-any-return]

    def combined(self, parts: Parts, requests: Sequence[Request]) -> Scores:
        """(B, N) log-probabilities of other requests over the same candidates: those of the answer."""
        scores = self.pool.combine(parts, requests).astype(np.float64)
        if self.feedback:
            scores += np.stack([self.feedback.scores(request) for request in requests])
        if self.wished is not None:
            scores += self.wished
        scores[:, list(self.request.history)] = -np.inf
        if self.allowed is not None:
            scores[:, ~self.allowed] = -np.inf
        return log_normalised(scores)

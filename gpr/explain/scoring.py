"""What stands behind an answer: its scores, and how those of other requests become probabilities in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gpr.data.dataset import Request
from gpr.ranking import Scored, Wish, probabilities, wished
from gpr.scorers.ensemble import Ensemble
from gpr.scorers.feedback import Feedback
from gpr.scorers.gpt import Parts
from gpr.scorers.scorer import Scores, log_normalised


@dataclass(frozen=True)
class Scoring:
    """How an answer to a request was found."""

    scored: Scored
    ensemble: Ensemble
    wish: Wish
    feedback: Feedback | None = None
    """The labels that counted."""

    @property
    def request(self) -> Request:
        return self.scored.request

    @cached_property
    def log_probs(self) -> Scores:
        """(N,) of the answer; -inf for what cannot be recommended."""
        return probabilities(self.scored, self.wish)[0]

    def combined(self, parts: Parts, requests: Sequence[Request]) -> Scores:
        """(B, N) log-probabilities of other requests over the same candidates: those of the answer."""
        scores = self.scored.pool.times(self.wish.weights).combine(parts, requests).astype(np.float64)
        if self.feedback:
            scores += np.stack([self.feedback.scores(request) for request in requests])
        moved = wished(self.scored.dataset, self.request, self.scored.vectors, self.wish)
        if moved is not None:
            scores += moved
        scores[:, ~np.isfinite(self.log_probs)] = -np.inf
        return log_normalised(scores)

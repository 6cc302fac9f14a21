"""All reasons for the items of one answer. What they have in common is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gpr.explain.counterfactuals import Counterfactuals, counterfactuals
from gpr.explain.examples import Examples, Near
from gpr.explain.path import Branch, path
from gpr.explain.scoring import Scoring
from gpr.recommendation import Recommendation


@dataclass(frozen=True)
class Why:
    """Why one item is recommended."""

    found: Recommendation
    shares: dict[str, float]
    """Scorer -> its share; they add up to `stands_out`."""
    stands_out: float
    """The item's log-probability above that of the average item that the answer would draw."""
    counterfactuals: Counterfactuals
    near: list[Near]
    path: list[Branch]

    def json(self, titles: Sequence[str]) -> dict[str, Any]:
        """Plain values."""
        changes = [
            {
                "without": drop.text or titles[drop.item or 0],
                "of": "query" if drop.item is None else "history",
                "log_prob": after,
                "change": after - before,
            }
            for drop, before, after in self.counterfactuals.of(self.found.number)
        ]
        near = [
            {
                "query": one.query,
                "title": titles[one.item],
                "shared": [titles[i] for i in one.shared],
                "alike": one.alike,
            }
            for one in self.near
        ]
        steps = [
            {"before": one.before, "taken": one.taken, "probability": one.probability, "ways": one.ways}
            for one in self.path
        ]
        return {
            "shares": self.shares,
            "stands_out": self.stands_out,
            "counterfactuals": changes,
            "exact": self.counterfactuals.exact,
            "examples": near,
            "path": steps,
        }


class Explainer:
    """Explains the items of one answer.

    Args:
        examples: of the same data set.
        answer: the recommendations that were shown.
    """

    def __init__(self, scoring: Scoring, examples: Examples, answer: Sequence[Recommendation]) -> None:
        self._scoring, self._examples = scoring, examples
        self._answer = {found.number: found for found in answer}

    @cached_property
    def _counterfactuals(self) -> Counterfactuals:
        return counterfactuals(self._scoring, list(self._answer))

    @cached_property
    def _expected(self) -> float:
        """The log-probability that an item drawn from the answer's distribution has on average."""
        log_probs = self._scoring.log_probs[np.isfinite(self._scoring.log_probs)].astype(np.float64)
        return float((np.exp(log_probs) * log_probs).sum())

    def why(self, item: int) -> Why:
        """Args: item: the number of one that is in the answer."""
        found, gpt, request = self._answer[item], self._scoring.ensemble.gpt, self._scoring.request
        return Why(
            found,
            found.shares,
            found.log_prob - self._expected,
            self._counterfactuals,
            self._examples.near(gpt, request, item),
            path(gpt, request, item),
        )

"""One request on its way to an answer: first the best items, by exact search, then what gives them probabilities.

Where the catalogue is small, that is the score of every item. Where it is not, it is the score of the best items of
each part: probabilities are then among these candidates, and the order of the best stays exact.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gpr.lm.reading import Reading
from gpr.lm.trie import Ints
from gpr.ranking import Scored, Wish, biases, looked_at, rank
from gpr.recommendation import Recommendation
from gpr.scorers.ensemble import Ensemble
from gpr.scorers.gpt import Parts
from gpr.scorers.pool import OF_PRIOR
from gpr.scorers.scorer import Scores

NONE: Ints = np.zeros(0, np.int64)
BEST_OF_EACH = 200
"""Items of each part that are candidates where the whole catalogue would take too long."""


@dataclass(frozen=True, eq=False)
class Stages:
    """What the model has read of a request, and what is asked of it.

    Args:
        unscored: all that is known before `generate` is asked; without that part.
    """

    ensemble: Ensemble
    unscored: Scored
    wish: Wish
    reading: Reading
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while the model is asked, so that two requests do not take each other's cores."""

    @property
    def slow(self) -> bool:
        """Whether it is worth it to show the best items before they have probabilities."""
        return self.ensemble.gpt.slow

    def first(self) -> list[Recommendation]:
        """The best items in their order, without probabilities (nan). What a plausible title is, is not heard here.

        Raises:
            RequestError: nothing is left to recommend.
        """
        unknown = float("nan")
        found = rank(self._among(*self._best), self.wish)
        return [replace(one, probability=unknown, log_prob=unknown) for one in found]

    def scored(self, also: Ints = NONE) -> Scored:
        """What all parts say of every item, or of the candidates.

        Args:
            also: (A,) numbers of items that are candidates whatever is said of them.

        Raises:
            RequestError: nothing is left to recommend.
        """
        gpt = self.ensemble.gpt
        if gpt.scores_whole:
            with self.lock:
                titles = gpt.of_titles(self.reading)
            return replace(self.unscored, parts={**titles, **self.unscored.parts})
        items = np.unique(np.concatenate([self._best[0], self._best_of_each(), also]))
        with self.lock:
            return self._among(items, gpt.of_titles(self.reading, items)[OF_PRIOR][0])

    @cached_property
    def _best(self) -> tuple[Ints, Scores]:
        """Numbers and `generate` of the best items under the wish: the beginning of what scoring all would give."""
        bias, allowed = self._offers
        most = looked_at(self.wish)
        weight = self._weights.get(OF_PRIOR, 0.0)
        with self.lock:
            if weight > 0:
                found = self.ensemble.gpt.decoder.best_behind(self.reading, most, bias / np.float32(weight), allowed)
                return found.items, found.log_probs
            items = _best_of(bias, allowed, most)
            return items, self.ensemble.gpt.of_titles(self.reading, items)[OF_PRIOR][0]

    @cached_property
    def _offers(self) -> tuple[Scores, NDArray[np.bool_]]:
        return biases(self.unscored, self.wish)

    @property
    def _weights(self) -> dict[str, float]:
        return self.unscored.pool.times(self.wish.weights).of(self.unscored.request)

    def _best_of_each(self) -> Ints:
        """The best items of each part that counts, among those that may be recommended."""
        allowed = self._offers[1]
        counts = [name for name in self.unscored.parts if self._weights.get(name, 0.0) > 0]
        best = [_best_of(self.unscored.parts[name][0], allowed, BEST_OF_EACH) for name in counts]
        return np.concatenate([NONE, *best])

    def _among(self, items: Ints, generate: Scores) -> Scored:
        """With `generate` of some items, which are the candidates."""
        candidates = np.zeros(len(self.unscored.dataset.catalogue), bool)
        candidates[items] = True
        every = np.full((1, len(candidates)), generate.min(), np.float32)
        every[0, items] = generate
        parts: Parts = {OF_PRIOR: every, **self.unscored.parts}
        return replace(self.unscored, parts=parts, candidates=candidates)


def _best_of(scores: Scores, allowed: NDArray[np.bool_], most: int) -> Ints:
    """The numbers of the best items of (N,) scores that are allowed, ties by number."""
    order = np.argsort(-np.where(allowed, scores, -np.inf), kind="stable")
    return order[: min(most, int(allowed.sum()))]

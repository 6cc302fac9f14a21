"""A recommender without a model: ranks by shared words, at once, with reasons that are true of the request."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gpr.data.dataset import Dataset, Request
from gpr.explain.counterfactuals import Counterfactuals
from gpr.explain.drops import drops
from gpr.explain.examples import Near
from gpr.explain.path import Branch
from gpr.explain.why import Why
from gpr.ranking import Scored, Wish, rank
from gpr.recommendation import Recommendation
from gpr.scorers.feedback import Feedback
from gpr.scorers.pool import Pool


class FakeRecommender:
    """Ranks by shared words."""

    def __init__(self, dataset: Dataset, run: str, *, twisted: bool = False) -> None:
        self.dataset, self.run, self.twisted = dataset, run, twisted
        self.asked: list[Request] = []
        self.thought = threading.Event()
        """Cleared, probabilities take long, and are among candidates."""
        self.thought.set()

    @property
    def title(self) -> str:
        return f"{self.dataset.name} · {f'run {self.run}' if self.run else 'base model, not fine-tuned'}"

    def recommend(self, request: Request, k: int = 10, feedback: Feedback | None = None) -> list[Recommendation]:
        return rank(self.score(request, feedback), Wish(k))

    def score(
        self, request: Request, feedback: Feedback | None = None, wish: Wish | None = None, also: object = ()
    ) -> Scored:
        catalogue = self.dataset.catalogue
        request = request.checked(len(catalogue))
        self.asked.append(request)
        words = set(re.findall(r"\w+", request.query.casefold()))
        texts = [" ".join(map(str, row)).casefold() for row in catalogue.table.itertuples(index=False)]
        known = np.array([[sum(word in text for word in words) for text in texts]], np.float32)
        known = 0.001 * np.arange(len(texts), dtype=np.float32)[None] - known if self.twisted else known
        parts = {"generate": known, "match": np.full_like(known, -2.0)}
        moved = feedback.scores(request) if feedback else None
        return Scored(self.dataset, request, Pool.same(generate=1.0, match=1.0), parts, moved)

    def begin(self, request: Request, feedback: Feedback | None = None, wish: Wish | None = None) -> Any:
        return FakeStages(self.score(request, feedback), wish or Wish(), self.thought)

    def explainer(
        self, scored: Scored, answer: list[Recommendation], feedback: Feedback | None = None, wish: Wish | None = None
    ) -> Any:
        return FakeExplainer(scored.request, {found.number: found for found in answer})


@dataclass
class FakeStages:
    """Known at once, or with all items as candidates when it was thought of."""

    unscored: Scored
    wish: Wish
    thought: threading.Event

    def __post_init__(self) -> None:
        self.slow = not self.thought.is_set()

    def first(self) -> list[Recommendation]:
        return [replace(found, probability=float("nan")) for found in rank(self.unscored, self.wish)]

    def scored(self) -> Scored:
        self.thought.wait(60)
        candidates = np.ones(len(self.unscored.dataset.catalogue), bool)
        return replace(self.unscored, candidates=candidates) if self.slow else self.unscored


class FakeExplainer:
    """Reasons at once, which say of the request what is true of it."""

    def __init__(self, request: Request, answer: dict[int, Recommendation]) -> None:
        self.request, self.answer = request, answer

    def why(self, item: int) -> Why:
        found, items = self.answer[item], tuple(self.answer)
        log_probs = np.array([one.log_prob for one in self.answer.values()])
        dropped = tuple(drops(self.request))
        without = log_probs - np.arange(1, len(dropped) + 1)[:, None]
        changes = Counterfactuals(items, log_probs, dropped, without, exact=True)
        branch = Branch("", found.title, 0.25, 4, (("<b>Other</b>", 0.5),))
        near = [Near("is the world only a dream", 0, (), 0.75), Near("", 1, (2,), 0.5)]
        return Why(found, {"generate": 1.5, "match": -0.25}, 1.25, changes, near, [branch])

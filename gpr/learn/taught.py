"""What teaching changed: how often a good item is put above a bad one on labels that were held out, and whose list is
another one. It knows scores, not training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gpr.data.dataset import Dataset, Request
from gpr.learn.lessons import Lessons

if TYPE_CHECKING:  # the page words what teaching changed, and loads no model for it
    from gpr.scorers.ensemble import Ensemble
    from gpr.scorers.pool import Pool
    from gpr.scorers.scorer import Scores

MOST_REQUESTS = 60
"""That are asked before and after: the held-out ones first."""
LIST = 10
"""Items of a list that is compared."""
SHOWN = 20
"""Requests whose change is told item by item."""


@dataclass(frozen=True)
class Answers:
    """What one model says to some requests."""

    requests: tuple[Request, ...]
    parts: Mapping[str, Scores]
    """(B, N) each."""
    pool: Pool

    @property
    def log_probs(self) -> Scores:
        """(B, N)."""
        return self.pool.combine(self.parts, self.requests)


def answers(ensemble: Ensemble, pool: Pool, lessons: Lessons) -> Answers:
    """To the requests of the lessons."""
    lessons_first = (*lessons.held_out, *lessons.taught)
    requests = tuple(dict.fromkeys(one.request for one in lessons_first))[:MOST_REQUESTS]
    return Answers(requests, ensemble.score(requests), pool)


def report(dataset: Dataset, lessons: Lessons, first: Answers, last: Answers) -> dict[str, Any]:
    """Ready for JSON: counts, the win rate before and after, and the requests whose list changed."""
    pairs = lessons.pairs
    changed = [
        _change(dataset, request, before, after)
        for request, before, after in zip(first.requests, _lists(first), _lists(last), strict=True)
        if before != after
    ]
    return {
        "good": sum(one.good for one in lessons.taught),
        "bad": sum(not one.good for one in lessons.taught),
        "held_out": len(lessons.held_out),
        "pairs": len(pairs),
        "win_rate": {"before": win_rate(first, pairs), "after": win_rate(last, pairs)},
        "asked": len(first.requests),
        "changed": len(changed),
        "lists": changed[:SHOWN],
    }


def win_rate(found: Answers, pairs: Sequence[tuple[Request, int, int]]) -> float | None:
    """Share of the pairs (request, good, bad) whose good item is the likelier one, a tie for half; None without one."""
    rows, log_probs = {request: row for row, request in enumerate(found.requests)}, found.log_probs
    wins = [
        1.0 if good > bad else 0.5 if good == bad else 0.0
        for request, chosen, rejected in pairs
        if request in rows
        for good, bad in [log_probs[rows[request], [chosen, rejected]].tolist()]
    ]
    return round(float(np.mean(wins)), 4) if wins else None


def words(figures: dict[str, Any]) -> str:
    """The figures in a few sentences."""
    rates = figures["win_rate"]
    won = "No held-out request has both a good and a bad item yet."
    if rates["before"] is not None:
        shares = f"{rates['before']:.0%} before, {rates['after']:.0%} after"
        won = f"Win rate of good over bad items on {figures['pairs']:,} held-out pairs: {shares}."
    said = f"Learned from {figures['good']:,} good and {figures['bad']:,} bad labels."
    return f"{said} {won} {figures['changed']:,} of {figures['asked']:,} lists changed."


def _lists(found: Answers) -> list[list[int]]:
    return [order[:LIST].tolist() for order in np.argsort(-found.log_probs, axis=1, kind="stable")]


def _change(dataset: Dataset, request: Request, before: list[int], after: list[int]) -> dict[str, Any]:
    titles = dataset.catalogue.titles
    return {
        "query": request.query,
        "history": [titles[number] for number in request.history],
        "new": [titles[number] for number in after if number not in before],
        "gone": [titles[number] for number in before if number not in after],
        "first": titles[after[0]],
    }

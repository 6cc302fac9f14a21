"""From the scores of all parts for one request to a list: filters, weights and diversity that a user moves.

It knows scores, not models: a list is ranked again without asking the model again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gpr.data.dataset import Dataset, Request
from gpr.errors import RequestError
from gpr.recommendation import Recommendation
from gpr.scorers.feedback import NAME as FEEDBACK
from gpr.scorers.pool import PRIOR, Pool
from gpr.scorers.popular import times_chosen
from gpr.scorers.scorer import Scores, log_normalised

WISHED = "wished"
"""The part that popularity and novelty, as the user set them, have in an item's score."""
DEEPEST = 5
"""Diversity chooses among this many times k items, the most probable ones."""
NEAR = 6.0
"""Log-odds that full novelty takes off an item which is the same as one of the history."""


@dataclass(frozen=True, eq=False)
class Scored:
    """What every part says of every item for one request, kept to rank again."""

    dataset: Dataset
    request: Request
    pool: Pool
    parts: Mapping[str, Scores]
    """Part -> (1, N)."""
    feedback: Scores | None = None
    """(N,) log-odds by which labels move each item."""
    vectors: NDArray[np.float32] | None = None
    """(N, D) of unit length, alike for like items; None if nothing tells."""
    candidates: NDArray[np.bool_] | None = None
    """(N,) the items that `generate` was asked about, which share all probability; None where that is all of them."""


@dataclass(frozen=True, eq=False)
class Wish:
    """How the list should be, beyond the request."""

    k: int = 10
    """At most so many items."""
    allowed: NDArray[np.bool_] | None = None
    """(N,) the items that may be recommended; None for all."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Part -> times its fitted weight; 1 for parts that are not named."""
    popularity: float = 0.0
    """Power of an item's popularity that its probability is multiplied by: 1 for popular items, -1 for rare ones."""
    novelty: float = 0.0
    """From 0 to 1: how far from the history the items should be."""
    diversity: float = 0.0
    """From 0 to 1: how unlike each other the items should be. It changes the order, not the probabilities."""

    def __post_init__(self) -> None:
        if self.k < 1:
            raise RequestError(f"{self.k} recommendations cannot be given.", hint="Ask for 1 or more.")


def rank(scored: Scored, wish: Wish) -> list[Recommendation]:
    """The best items for a wish, best first; the history is left out. Probabilities are among what is allowed.

    Raises:
        RequestError: nothing is left to recommend.
    """
    log_probs, shares = probabilities(scored, wish)
    order = np.argsort(-log_probs, kind="stable")
    order = order[np.isfinite(log_probs[order])]
    if wish.diversity > 0 and scored.vectors is not None:
        order = _diverse(order[: looked_at(wish)], log_probs, scored.vectors, wish)
    return [
        _found(scored, log_probs, shares, place, number) for place, number in enumerate(map(int, order[: wish.k]), 1)
    ]


def stands(scored: Scored, number: int) -> Recommendation:
    """One item, with its rank in the list of all; rank 0 and probability 0 if it cannot be recommended.

    Raises:
        RequestError: nothing can be recommended.
    """
    log_probs, shares = probabilities(scored, Wish())
    own = log_probs[number]
    ahead = np.count_nonzero(log_probs > own) + np.count_nonzero(log_probs[:number] == own)
    return _found(scored, log_probs, shares, int(ahead) + 1 if np.isfinite(own) else 0, number)


def _found(scored: Scored, log_probs: Scores, shares: Mapping[str, Scores], place: int, number: int) -> Recommendation:
    catalogue = scored.dataset.catalogue
    return Recommendation(
        place,
        number,
        catalogue.item_ids[number],
        catalogue.titles[number],
        math.exp(log_probs[number]),
        float(log_probs[number]),
        {name: float(part[0, number]) for name, part in scored.parts.items()},
        {name: float(part[number]) for name, part in shares.items()},
    )


def probabilities(scored: Scored, wish: Wish) -> tuple[Scores, dict[str, Scores]]:
    """(N,) log-probabilities, -inf for what cannot be recommended, and each part's share in each item's score, (N,).

    Raises:
        RequestError: nothing is left to recommend.
    """
    scores, moved = _scores(scored, wish)
    log_probs = log_normalised(scores[None])  # (1, N)
    shares = scored.pool.times(wish.weights).shares(scored.parts, [scored.request], log_probs)
    chances = np.exp(log_probs[0])
    return log_probs[0], {name: part[0] for name, part in shares.items()} | {
        name: more - float(chances @ more) for name, more in moved.items()
    }


def biases(scored: Scored, wish: Wish) -> tuple[Scores, NDArray[np.bool_]]:
    """What the parts that are known and the wish say of each item, (N,), and which of them may be recommended, (N,).

    Raises:
        RequestError: nothing is left to recommend.
    """
    scores, _ = _scores(scored, wish)
    allowed = np.isfinite(scores)
    return np.where(allowed, scores, 0.0).astype(np.float32), allowed


def looked_at(wish: Wish) -> int:
    """How many of the best items decide what a list holds."""
    return (DEEPEST if wish.diversity > 0 else 1) * wish.k


def _scores(scored: Scored, wish: Wish) -> tuple[NDArray[np.float64], dict[str, Scores]]:
    """(N,) scores that are not normalised, -inf for what cannot be recommended; what labels and the wish add to them.

    Raises:
        RequestError: nothing is left to recommend.
    """
    every = {FEEDBACK: scored.feedback, WISHED: wished(scored.dataset, scored.request, scored.vectors, wish)}
    moved = {name: more for name, more in every.items() if more is not None}
    scores = scored.pool.times(wish.weights).combine(scored.parts, [scored.request])[0].astype(np.float64)
    scores += sum(moved.values(), np.zeros(len(scores)))
    for mask in (wish.allowed, scored.candidates):
        if mask is not None:
            scores[~mask] = -np.inf
    if not np.isfinite(scores).any():
        _refuse(scored, wish)
    return scores, moved


def _refuse(scored: Scored, wish: Wish) -> None:
    if wish.allowed is None or len(set(scored.request.history)) == len(scored.dataset.catalogue):
        raise RequestError("The history holds the whole catalogue.", hint="Leave out what may be recommended.")
    raise RequestError("No item passes all filters.", hint="Remove or widen one of them.")


def wished(dataset: Dataset, request: Request, vectors: NDArray[np.float32] | None, wish: Wish) -> Scores | None:
    """(N,) log-odds by which popularity and novelty move each item; None if they are not wished for."""
    away = bool(wish.novelty and vectors is not None and request.history)
    if not wish.popularity and not away:
        return None
    moved = wish.popularity * np.log1p(times_chosen(dataset))
    if away and vectors is not None:
        moved = moved - NEAR * wish.novelty * (vectors @ vectors[list(request.history)].T).max(1)
    return np.asarray(moved, np.float32)


def _diverse(
    order: NDArray[np.int64], log_probs: Scores, vectors: NDArray[np.float32], wish: Wish
) -> NDArray[np.int64]:
    """The items of a shortlist by maximal marginal relevance (Carbonell and Goldstein, 1998), k of them."""
    relevant = log_probs[order].astype(np.float64)
    span = float(relevant.max() - relevant.min()) or 1.0
    relevant = (relevant - relevant.min()) / span  # (S,) from 0 to 1
    alike = vectors[order] @ vectors[order].T  # (S, S)
    taken: list[int] = []
    left = np.ones(len(order), bool)
    nearest = np.zeros(len(order))
    while left.any() and len(taken) < wish.k:
        gain = np.where(left, (1 - wish.diversity) * relevant - wish.diversity * nearest, -np.inf)
        best = int(gain.argmax())
        taken.append(best)
        left[best] = False
        nearest = np.maximum(nearest, alike[best])
    return order[taken]


def parts_to_weigh(scored: Scored) -> list[str]:
    """The parts whose weight a user may move: those that count for this request; the prior goes with `generate`."""
    weights = scored.pool.of(scored.request)
    return [name for name in scored.parts if name != PRIOR and weights.get(name, 0.0) > 0]

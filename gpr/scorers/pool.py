"""The log-linear pool: what a user gets by default. It knows scores by the names of their parts, not scorers.

    p(item | request)  proportional to  exp(sum over parts of weight * score)

The weights differ with what a request says (a query, a history, both) and are fitted by maximum likelihood on
validation requests, which is convex. `prior` is what `generate` says without a request: it is taken off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from gpr.data.dataset import Request
from gpr.scorers.scorer import Scores, log_normalised

Kind = Literal["query", "history", "both"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Weights: TypeAlias = dict[str, float]

UNTRAINED = {"generate": 0.1, "prior": 0.1, "match": 1.0}
"""What the GPT's parts weigh alone, and what fitted weights are drawn to; all other parts weigh nothing."""
UNFITTED = {"generate": 0.1, "prior": 0.1, "match": 0.8, "words": 1.0}
"""What is taken for a query where nothing says how far to trust the words of a catalogue: between what fits data whose
queries name their items and data whose queries tell of them (docs/results.md)."""
OF_LABELS = {"generate": 0.1, "prior": 0.1, "match": 0.3, "head": 0.5, "wording": 0.8}
"""The same where the items are labels with many training texts each."""
PLAUSIBILITY = "plausibility"
PRIOR, OF_PRIOR = "prior", "generate"
"""The weight of the prior lies between 0 (off) and that of `generate` (taken off in full)."""
PENALTY = 2.0
"""Times the squared distance of the weights from the untrained ones, against the log-likelihood summed over requests:
decides where few requests do not. Distances are counted in typical spreads of a part's scores over the catalogue, so
that no part's scale matters."""
TINY = 1e-9
"""Below any chance that an item is not the one, so that nothing is divided by zero."""


def kind_of(request: Request) -> Kind:
    """What a request says; the empty one counts as a query."""
    if request.history:
        return "both" if request.query else "history"
    return "query"


def _untrained() -> dict[Kind, Weights]:
    return {kind: dict(UNTRAINED) for kind in KINDS}


@dataclass(frozen=True)
class Pool:
    """The weight of each part for each kind of request; a part without a weight does not count."""

    weights: Mapping[Kind, Weights] = field(default_factory=_untrained)

    @classmethod
    def same(cls, **weights: float) -> Pool:
        """The same weights for every kind of request."""
        return cls({kind: dict(weights) for kind in KINDS})

    @classmethod
    def unfitted(cls) -> Pool:
        """What a run gets for requests of which it has seen none to fit weights on."""
        return cls({kind: dict(UNTRAINED if kind == "history" else UNFITTED) for kind in KINDS})

    @classmethod
    def read(cls, content: object) -> Pool:
        """From JSON: weights by kind, or one set of weights for all kinds, as older runs have it.

        Raises:
            ValueError: it is neither.
        """
        if isinstance(content, dict) and not any(isinstance(value, dict) for value in content.values()):
            content = dict.fromkeys(KINDS, content)
        if (
            not isinstance(content, dict)
            or set(content) != set(KINDS)
            or not all(isinstance(weights, dict) for weights in content.values())
        ):
            raise ValueError(f"weights for {', '.join(KINDS)} were expected")
        wrong = [
            f"{name} {weight}"
            for weights in content.values()
            for name, weight in weights.items()
            if not isinstance(weight, int | float) or not 0 <= weight < np.inf
        ]
        if wrong:
            raise ValueError(f"a weight must be a number from 0 on, not: {', '.join(wrong)}"[:160])
        return cls({kind: {name: float(weight) for name, weight in content[kind].items()} for kind in KINDS})

    def json(self) -> dict[str, Weights]:
        """Ready for a file; `read` takes it back."""
        return {kind: dict(self.weights[kind]) for kind in KINDS}

    def of(self, request: Request) -> Weights:
        """The weights for one request."""
        return dict(self.weights[kind_of(request)])

    def weighs(self, name: str) -> bool:
        """Whether a part counts for any kind of request."""
        return any(weights.get(name, 0.0) > 0 for weights in self.weights.values())

    def times(self, factors: Mapping[str, float]) -> Pool:
        """The same pool with some weights multiplied; the prior goes with the part that it is the prior of."""
        if not factors:
            return self
        factors = dict(factors) | ({PRIOR: factors[OF_PRIOR]} if OF_PRIOR in factors else {})
        return Pool(
            {
                kind: {name: weight * factors.get(name, 1.0) for name, weight in weights.items()}
                for kind, weights in self.weights.items()
            }
        )

    def combine(self, parts: Mapping[str, Scores], requests: Sequence[Request]) -> Scores:
        """(B, N) log-probabilities; items of a request's history get -inf, for they have been chosen.

        Parts that are weighted but not given count as if they had nothing to say.
        """
        scores = np.zeros(next(iter(parts.values())).shape, np.float32)
        for name, part in parts.items():
            scores += self._column(name, requests) * part
        return log_normalised(without_history(scores, requests))

    def shares(self, parts: Mapping[str, Scores], requests: Sequence[Request], log_probs: Scores) -> dict[str, Scores]:
        """Each part's share in each item's score: its weighted score above what the pool expects of it, (B, N)."""
        chances = np.exp(log_probs)  # (B, N)
        weighted = {name: self._column(name, requests) * part for name, part in parts.items()}
        return {name: part - (chances * part).sum(1, keepdims=True) for name, part in weighted.items()}

    def _column(self, name: str, requests: Sequence[Request]) -> Scores:
        """(B, 1) the weight of a part for each request, negative for the prior."""
        sign = -1.0 if name == PRIOR else 1.0
        weights = [sign * self.weights[kind_of(request)].get(name, 0.0) for request in requests]
        return np.array(weights, np.float32)[:, None]


def without_history(scores: NDArray[np.floating], requests: Sequence[Request]) -> NDArray[np.floating]:
    """The same scores with -inf for every item of the request's history, (B, N)."""
    scores = scores.copy()
    for row, request in enumerate(requests):
        scores[row, list(request.history)] = -np.inf
    return scores


def fit(
    parts: Mapping[str, Scores],
    requests: Sequence[Request],
    items: NDArray[np.int64],
    near: Pool | None = None,
    good: NDArray[np.bool_] | None = None,
) -> Pool:
    """The pool under which what is known of the items (B,) is most likely, for each kind of request: that they were
    chosen, or, of one that is not `good`, (B,), that it is not what was wanted. The latter asks for no more than that
    scores alone decided about which items somebody was asked.

    Weights are drawn to those of `near`, or else to the untrained ones; a kind without a request here gets those of
    `near` or the unfitted ones. Without requests that have both a query and a history, those get the larger of each
    part's weights for either, since some parts hear the query alone, others the history.
    """
    if not requests:
        return near or Pool.unfitted()
    kinds = np.array([kind_of(request) for request in requests])
    good = np.ones(len(items), bool) if good is None else good
    weights = {kind: dict((near or Pool.unfitted()).weights[kind]) for kind in KINDS}
    for kind in KINDS:
        rows = np.flatnonzero(kinds == kind).tolist()
        if rows:
            chosen = {name: part[rows] for name, part in parts.items()}
            start = near.weights[kind] if near else UNTRAINED
            weights[kind] = _fit(chosen, [requests[row] for row in rows], items[rows], good[rows], start)
    if "both" not in kinds:
        sides = [weights["query"], weights["history"] if "history" in kinds else {}]
        names = dict.fromkeys([*sides[0], *sides[1]])
        weights["both"] = {name: max(side.get(name, 0.0) for side in sides) for name in names}
    return Pool(weights)


def _fit(
    parts: Mapping[str, Scores],
    requests: Sequence[Request],
    items: NDArray[np.int64],
    good: NDArray[np.bool_],
    near: Weights,
) -> Weights:
    """Weights for requests of one kind, B >= 1, added to those of parts that are not given here. A part that says the
    same of all items weighs nothing, nor does the trie where whole titles are read: beside them it makes other requests
    less likely (docs/results.md)."""
    if PLAUSIBILITY in parts:
        parts = {name: part for name, part in parts.items() if name not in (OF_PRIOR, PRIOR)}
        near = near | dict.fromkeys((OF_PRIOR, PRIOR), 0.0)
    out = np.isneginf(without_history(np.zeros((len(items), next(iter(parts.values())).shape[1])), requests))
    parts = {name: part.astype(np.float64) for name, part in parts.items()}
    if {PRIOR, OF_PRIOR} <= set(parts):  # so that all weights are >= 0
        parts[PRIOR] = parts[OF_PRIOR] - parts[PRIOR]
    spread = {name: float(part.std(1, where=~out).mean()) for name, part in parts.items()}
    names = [name for name in parts if spread[name] > 1e-6]
    if not names:
        return dict(near)
    scale = np.array([spread[name] for name in names])
    start = dict(near)
    if {PRIOR, OF_PRIOR} <= set(parts):
        start[OF_PRIOR] = near.get(OF_PRIOR, 0.0) - near.get(PRIOR, 0.0)
    stack = np.stack([parts[name] for name in names]) / scale[:, None, None]  # (P, B, N)
    anchor = np.array([start.get(name, 0.0) for name in names]) * scale
    found = _most_likely(stack, out, items, good, anchor) / scale
    weights = near | dict.fromkeys(parts, 0.0) | dict(zip(names, found.tolist(), strict=True))
    if {PRIOR, OF_PRIOR} <= set(parts):
        weights[OF_PRIOR] += weights[PRIOR]
    return weights


def _most_likely(
    stack: NDArray[np.float64],
    out: NDArray[np.bool_],
    items: NDArray[np.int64],
    good: NDArray[np.bool_],
    anchor: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(P,) weights >= 0 of scores (P, B, N) under which the items (B,) are most likely, or those that are not good most
    unlikely, near the anchor (P,)."""
    rows, penalty = np.arange(len(items)), PENALTY / len(items)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = np.where(out, -np.inf, np.tensordot(weights, stack, 1))
        log_prob = log_softmax(scores, axis=1)[rows, items]
        odds = np.exp(log_prob) / np.maximum(-np.expm1(log_prob), TINY)
        above = stack[:, rows, items] - (softmax(scores, axis=1) * stack).sum(2)
        value = np.where(good, -log_prob, np.log1p(odds)).mean() + penalty * ((weights - anchor) ** 2).sum()
        slope = (np.where(good, -1.0, odds) * above).mean(1) + 2 * penalty * (weights - anchor)
        return float(value), slope

    found = minimize(loss, anchor, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(anchor)).x
    return np.asarray(found, np.float64)

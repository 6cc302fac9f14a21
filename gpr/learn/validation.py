"""Validation: how good a model is on a fixed sample of the validation split, while it learns and at the end. It knows
scorers and requests, not steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gpr.data.dataset import Dataset, Example, Request
from gpr.learn import processes, sharing
from gpr.learn.lessons import Lesson
from gpr.learn.verdicts import Verdicts, verdicts
from gpr.scorers.ensemble import Ensemble, scorers_of
from gpr.scorers.gpt import Gpt
from gpr.scorers.pool import Pool, fit
from gpr.scorers.scorer import Scores
from gpr.scorers.sequence import SequenceModel

MOST_SCORES = 2_000_000
"""Requests times items, at most, that the quicker scorers answer before the GPT is asked."""
Measure = Callable[[Scores, "np.ndarray"], dict[str, float]]


@dataclass(frozen=True)
class Found:
    """What validation says."""

    pool: Pool
    """Fitted on the sample."""
    loss: float
    """Minus the mean log-probability of the right items under that pool; NaN without a request."""
    metrics: dict[str, float]
    losses: np.ndarray | None = None
    """Of each verdict, where these judge."""


class Validation:
    """Args:
    measure: (B, N) log-probabilities and the right items (B,) -> figures. near: weights that fitted ones are drawn to.
    verdicts: to fit them on as well. judging: what is looked at, but not fitted on, where there is no example.
    """

    def __init__(
        self,
        dataset: Dataset,
        measure: Measure,
        near: Pool | None = None,
        verdicts: Verdicts | None = None,
        judging: Sequence[Lesson] = (),
    ) -> None:
        self._near, self._verdicts = near, verdicts
        valid = dataset.examples["valid"]
        self._examples = [valid[number] for number in np.random.default_rng(0).permutation(len(valid))]
        self._judging = judging
        self._dataset, self._measure = dataset, measure
        self._scorers = scorers_of(dataset)

    def of(self, gpt: Gpt, requests: int) -> Found:
        """On the first `requests` of the sample, which are always the same, while the model learns."""
        return self._fit(Ensemble(gpt, self._scorers), requests, self._near)

    def at_the_end(self, gpt: Gpt, sequence: SequenceModel | None, requests: int) -> Found:
        """Where the GPT cannot answer all of the split in time, the other scorers' weights start from a fit on more."""
        ensemble, near = Ensemble(gpt, scorers_of(self._dataset, sequence)), self._near
        if requests < len(self._examples):
            asked, items = _asked(self._examples[: MOST_SCORES // len(self._dataset.catalogue)])
            near = fit({name: scorer.score_all(asked) for name, scorer in ensemble.others.items()}, asked, items)
        return self._fit(ensemble, requests, near)

    def _fit(self, ensemble: Ensemble, requests: int, near: Pool | None) -> Found:
        if not self._examples[:requests]:
            return self._judged(ensemble, near)
        asked, items = _asked(self._examples[:requests])
        parts = _scores(ensemble, asked)
        pool = self._weights(parts, asked, items, near)
        log_probs = pool.combine(parts, asked)
        right = log_probs[np.arange(len(items)), items]
        return Found(pool, -float(right[np.isfinite(right)].mean()), self._measure(log_probs, items))

    def _judged(self, ensemble: Ensemble, near: Pool | None) -> Found:
        """By labels, which are no sample: their log-loss is a fair judge, and figures of ranking would not be."""
        pool = self._weights({}, [], np.array([], np.int64), near)
        told = verdicts(self._judging, ensemble)
        losses = told.losses(pool) if told else None
        return Found(pool, float("nan") if losses is None else float(losses.mean()), {}, losses)

    def _weights(self, parts: Mapping[str, Scores], asked: list[Request], items: np.ndarray, near: Pool | None) -> Pool:
        """Fitted on the right items of the sample, and on verdicts."""
        told = self._verdicts
        if told is None:
            return fit(parts, asked, items, near)
        both = told.parts
        if asked:
            both = {name: np.concatenate([part, told.parts[name]]) for name, part in parts.items()}
        good = np.concatenate([np.ones(len(items), bool), told.good])
        return fit(both, [*asked, *told.requests], np.concatenate([items, told.items]), near, good)


def _scores(ensemble: Ensemble, asked: list[Request]) -> dict[str, Scores]:
    """Part -> (B, N); each process answers its share of the requests."""
    world = processes.world()
    own = asked[processes.rank() :: world]
    with sharing.apart(ensemble.gpt.model):
        scores = ensemble.score(own) if own else {}
    every = processes.gathered(scores)
    if world == 1:
        return every[0]
    found = {name: np.empty((len(asked), part.shape[1]), part.dtype) for name, part in every[0].items()}
    for number, parts in enumerate(every):
        for name, part in parts.items():
            found[name][number::world] = part
    return found


def _asked(examples: Sequence[Example]) -> tuple[list[Request], np.ndarray]:
    return [example.request for example in examples], np.array([example.item for example in examples])

"""Labels on requests that a run knows nothing of: they say how far each scorer can be trusted, as validation does. It
knows scores, not training.

What was said of a request once must not count again after the run has learned from it, nor may only those requests
count again of which nothing good was said: an adapter keeps the ids of the requests that its weights were fitted on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gpr.data.dataset import Dataset, Request
from gpr.data.split import query_key
from gpr.errors import ModelError
from gpr.files import written_whole
from gpr.learn.lessons import Lesson
from gpr.scorers.pool import TINY, Pool, fit

if TYPE_CHECKING:
    from gpr.scorers.ensemble import Ensemble
    from gpr.scorers.scorer import Scores

FITTED_ON = "verdicts.json"
"""Of an adapter: a list of request ids."""
MOST_REQUESTS, MOST_SCORES = 200, 2_000_000
"""That are answered, and requests times items."""


@dataclass(frozen=True)
class Verdicts:
    """What people said of items for some requests, and what the parts had said before: B of them."""

    parts: Mapping[str, Scores]
    """(B, N) each."""
    requests: Sequence[Request]
    items: np.ndarray
    """(B,)"""
    good: np.ndarray
    """(B,) bool."""

    def among(self, requests: Collection[Request]) -> Verdicts | None:
        """Those on some requests; None without one."""
        rows = [row for row, request in enumerate(self.requests) if request in requests]
        parts = {name: part[rows] for name, part in self.parts.items()}
        asked = [self.requests[row] for row in rows]
        return Verdicts(parts, asked, self.items[rows], self.good[rows]) if rows else None

    def weights(self, near: Pool) -> Pool:
        """Fitted on them, drawn to those of a pool."""
        return fit(self.parts, self.requests, self.items, near, self.good)

    def losses(self, pool: Pool) -> np.ndarray:
        """(B,) minus the log-probability of each verdict, of a pool that has not seen them."""
        log_probs = pool.combine(self.parts, self.requests)
        said = log_probs[np.arange(len(self.items)), self.items].astype(np.float64)
        lost: np.ndarray = -np.where(self.good, said, np.log(np.maximum(-np.expm1(said), TINY)))
        return lost


def clearly_less(new: np.ndarray, old: np.ndarray) -> bool:
    """Whether losses of the same verdicts are lower by more than twice the standard error of their difference."""
    gain = old - new
    return bool(gain.mean() > 2 * gain.std() / np.sqrt(len(gain)))


def fresh(lessons: Sequence[Lesson], dataset: Dataset, adapter: Path) -> list[Lesson]:
    """Lessons on requests of which the run has no example and was told nothing, as many as are answered in time.

    Raises:
        ModelError: a file of the adapter is damaged.
    """
    known = {query_key(example.request.query) for example in dataset.examples["train"]}
    told = fitted_on(adapter)
    new = [one for one in lessons if one.name not in told and query_key(one.request.query) not in known]
    most = min(MOST_REQUESTS, max(1, MOST_SCORES // len(dataset.catalogue)))
    first = set([*dict.fromkeys(one.request for one in new)][:most])
    return [one for one in new if one.request in first]


def verdicts(lessons: Sequence[Lesson], ensemble: Ensemble) -> Verdicts | None:
    """With what the parts say of their requests; None without a lesson."""
    if not lessons:
        return None
    rows = {request: row for row, request in enumerate(dict.fromkeys(one.request for one in lessons))}
    at = [rows[one.request] for one in lessons]
    parts = {name: part[at] for name, part in ensemble.score([*rows]).items()}
    items, good = np.array([one.item for one in lessons]), np.array([one.good for one in lessons])
    return Verdicts(parts, [one.request for one in lessons], items, good)


def fitted_on(adapter: Path) -> frozenset[str]:
    """The ids of requests that the weights of an adapter's pool were fitted on by labels.

    Raises:
        ModelError: the file is damaged.
    """
    path = adapter / FITTED_ON
    try:
        return frozenset(map(str, json.loads(path.read_text(encoding="utf-8")))) if path.is_file() else frozenset()
    except (OSError, ValueError, TypeError) as error:
        raise ModelError("The list of judged requests is damaged.", where=str(path), hint="Teach it again.") from error


def keep_fitted_on(adapter: Path, before: Path, lessons: Sequence[Lesson]) -> None:
    """Writes them, those of the adapter before included."""
    if names := fitted_on(before) | {one.name for one in lessons}:
        with written_whole(adapter / FITTED_ON) as partial:
            partial.write_text(json.dumps(sorted(names)), encoding="utf-8")

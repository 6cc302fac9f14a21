"""`feedback`: what annotators said moves items at once, for the same request and for similar ones, before any training.

Requests are similar by the words of their queries (cosine of TF-IDF) or the items of their histories (Jaccard). It is
added to what the pool says and shown as a part of its own. How much a verdict weighs for a similar request is fitted on
the labels: how well what was said for other requests foretells what was said for this one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gpr.data.dataset import Dataset, Request
from gpr.labels.label import Label
from gpr.scorers.scorer import Scores

NAME = "feedback"
STRENGTH = {"good": 1.5, "bad": -2.5}
"""Log-odds that one verdict moves its item by, for the very request."""
NEARBY = {"good": 0.5, "bad": -0.5}
"""The same for a request that is like it in full: what fitted ones are drawn to. Larger ones made held-out requests
worse (docs/results.md)."""
PENALTY = 2.0
"""Times the squared distance from those, against the log-likelihood summed over labels: decides where few labels do
not."""
MOST_FITTED = 300
"""Labels that are foretold, at most: the latest."""
MOST = 4.0
"""Log-odds that all verdicts together move an item by."""
NEAR = 0.5
"""Less similar requests do not count."""


class Feedback:
    """The labels of one data set, ready to move items.

    Args:
        labels: current ones; skipped ones and items that the catalogue does not have are left out.
    """

    def __init__(self, labels: Sequence[Label], dataset: Dataset) -> None:
        self._numbers = dataset.catalogue.numbers
        self._n_items = len(dataset.catalogue)
        self._labels = [label for label in labels if label.verdict in STRENGTH and label.item_id in self._numbers]
        from sklearn.feature_extraction.text import TfidfVectorizer  # a second, which the page need not wait for

        queries = [label.query for label in self._labels]
        self._words = TfidfVectorizer(token_pattern=r"(?u)\w+", sublinear_tf=True)
        worded = any(map(str.isalnum, "".join(queries)))
        self._known = self._words.fit_transform(queries) if worded else None
        self.strength = dict(NEARBY)

    def fitted(self) -> Feedback:
        """With the strengths under which the labels are most likely, each foretold by those of other requests."""
        labels = self._labels[-MOST_FITTED:]
        items = np.array([self._numbers[label.item_id] for label in self._labels])
        good = np.array([label.verdict == "good" for label in self._labels])
        asked = {_request(label): None for label in labels}
        nearness = {one: self._nearness(*one) for one in asked}
        said = np.zeros((len(labels), 2))  # how much good and bad was said of the same item nearby
        for row, label in enumerate(labels):
            near = nearness[_request(label)] * (items == self._numbers[label.item_id])
            said[row] = near[good].sum(), near[~good].sum()
        if said.any():
            chances = np.nan_to_num([label.log_prob for label in labels])
            self.strength = _most_likely(said, chances, good[-len(labels) :])
        return self

    def _nearness(self, query: str, history: tuple[str, ...]) -> NDArray[np.float64]:
        """How near each label is to a request, 0 for those of the request itself."""
        known = tuple(self._numbers[item] for item in history if item in self._numbers)
        near = np.array(self._similar(Request(query, known)))
        own = np.array([_request(label) == (query, history) for label in self._labels])
        return np.where(own | (near < NEAR), 0.0, near)

    def __len__(self) -> int:
        return len(self._labels)

    def scores(self, request: Request) -> Scores:
        """(items,) log-odds by which each item moves; 0 where nobody said anything near."""
        moved = np.zeros(self._n_items)
        for label, near in zip(self._labels, self._similar(request), strict=True):
            if near >= NEAR:
                strength = STRENGTH if near == 1.0 else self.strength
                moved[self._numbers[label.item_id]] += near * strength[label.verdict]
        return np.clip(moved, -MOST, MOST)

    def _similar(self, request: Request) -> list[float]:
        """One number from 0 to 1 for each label."""
        query = " ".join(request.query.split())
        cosines = np.zeros(len(self._labels))
        if query and self._known is not None:
            cosines = (self._known @ self._words.transform([query]).T).toarray()[:, 0]
        pairs = zip(self._labels, cosines, strict=True)
        return [self._near(label, query, request.history, float(cosine)) for label, cosine in pairs]

    def _near(self, label: Label, query: str, history: tuple[int, ...], cosine: float) -> float:
        theirs = {self._numbers[item] for item in label.history if item in self._numbers}
        own = set(history)
        shared = len(own & theirs) / len(own | theirs) if own | theirs else 1.0
        if not query and not label.query:
            return shared
        words = 1.0 if query.casefold() == label.query.casefold() else cosine
        return words * shared if own or theirs else words


def _request(label: Label) -> tuple[str, tuple[str, ...]]:
    return " ".join(label.query.split()).casefold(), label.history


def _most_likely(said: NDArray[np.float64], chances: NDArray[np.float64], good: NDArray[np.bool_]) -> dict[str, float]:
    """The strengths of a logistic model of the verdicts, beside the item's own log-probability.

    Args:
        said: (L, 2) of good and bad nearby. chances: (L,) log-probabilities.
    """
    from scipy.optimize import minimize
    from scipy.special import expit, log_expit

    known = np.column_stack([said, chances, np.ones(len(good))])  # (L, 4)
    usual, signs = np.array([NEARBY["good"], NEARBY["bad"], 0.0, 0.0]), np.where(good, 1.0, -1.0)
    pulls = PENALTY * np.array([1.0, 1.0, 0.01, 0.01])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = signs * (known @ weights)
        slope = -known.T @ (signs * expit(-odds)) + 2 * pulls * (weights - usual)
        return float(-log_expit(odds).sum() + (pulls * (weights - usual) ** 2).sum()), slope

    free = (None, None)
    found = minimize(loss, usual, jac=True, method="L-BFGS-B", bounds=[(0, MOST), (-MOST, 0), free, free]).x
    return {"good": float(found[0]), "bad": float(found[1])}

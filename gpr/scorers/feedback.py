"""`feedback`: what annotators said moves items at once, for the same request and for similar ones, before any training.

Requests are similar by the words of their queries (cosine of TF-IDF) or the items of their histories (Jaccard). Its
strengths are set by hand, not fitted; it is added to what the pool says and shown as a part of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gpr.data.dataset import Dataset, Request
from gpr.labels.label import Label
from gpr.scorers.scorer import Scores

NAME = "feedback"
STRENGTH = {"good": 1.5, "bad": -2.5}
"""Log-odds that one verdict moves its item by, for the very request."""
MOST = 4.0
"""Log-odds that all verdicts together move an item by."""
NEAR = 0.3
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

    def __len__(self) -> int:
        return len(self._labels)

    def scores(self, request: Request) -> Scores:
        """(items,) log-odds by which each item moves; 0 where nobody said anything near."""
        moved = np.zeros(self._n_items)
        for label, near in zip(self._labels, self._similar(request), strict=True):
            if near >= NEAR:
                moved[self._numbers[label.item_id]] += near * STRENGTH[label.verdict]
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

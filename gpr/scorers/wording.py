"""`wording`: which words go with which label. TF-IDF and a logistic regression, for catalogues of few items with many
training queries each; it knows queries and item numbers, and no model."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from gpr.data.dataset import Dataset, Request
from gpr.scorers.scorer import Scores
from gpr.scorers.words import terms

EACH = 10
"""Training queries for each item, on average, from which it is worth while."""
STRENGTH = 5.0
FLOOR = 1e-6


class Wording:
    """Log-probabilities of the items by the words of a query; items without a training query get the floor."""

    def __init__(self, dataset: Dataset) -> None:
        asked = [example for example in dataset.examples["train"] if example.request.query]
        self._items = len(dataset.catalogue)
        self._vectors = TfidfVectorizer(analyzer=_grams, sublinear_tf=True)
        self._model = LogisticRegression(C=STRENGTH, max_iter=500)
        known = self._vectors.fit_transform([example.request.query for example in asked])
        self._model.fit(known, np.array([example.item for example in asked]))

    def score_all(self, requests: Sequence[Request]) -> Scores:
        """(B, N) log-probabilities."""
        chances = np.zeros((len(requests), self._items), np.float64)
        chances[:, self._model.classes_] = self._model.predict_proba(
            self._vectors.transform([request.query for request in requests])
        )
        return np.log(np.maximum(chances, FLOOR)).astype(np.float32)


def knows_enough(dataset: Dataset) -> bool:
    """Whether the data has many queries for few items."""
    asked = [example.item for example in dataset.examples["train"] if example.request.query]
    return len(asked) >= EACH * len(dataset.catalogue) and len(set(asked)) > 1


def _grams(text: str) -> list[str]:
    """Stemmed words, and pairs of neighbours."""
    words = terms(text)
    return words + [f"{left} {right}" for left, right in itertools.pairwise(words)]

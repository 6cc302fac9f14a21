"""`wording`: which words go with which label. TF-IDF of words and of pieces of words, and linear support vectors, for
catalogues of few items with many training queries each; it knows queries and item numbers, and no model."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

from gpr.data.dataset import Dataset, Request
from gpr.scorers.scorer import Scores, log_normalised
from gpr.scorers.words import terms

EACH = 10
"""Training queries for each item, on average, from which it is worth while."""
STRENGTH = 0.3
SHARPNESS = 3.0
"""What a margin counts as a log-score; the pool fits the rest."""
PIECES = (2, 5)
"""Characters of a piece of a word."""
MANY = 1_000
"""Training queries from which a piece that only one of them has tells nothing; of fewer all pieces are kept."""
MOST_CHARS = 5_000_000
"""Of all training queries, up to which their pieces are looked at too: there are five times as many as words."""
UNKNOWN = -2.0
"""The margin of items without a training query."""


class Wording:
    """Log-probabilities of the items by the words of a query."""

    def __init__(self, dataset: Dataset) -> None:
        asked = [example for example in dataset.examples["train"] if example.request.query]
        self._items = len(dataset.catalogue)
        texts = [example.request.query for example in asked]
        kinds = [("words", TfidfVectorizer(analyzer=_grams, sublinear_tf=True))]
        if sum(map(len, texts)) <= MOST_CHARS:
            least = 2 if len(texts) >= MANY else 1
            pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=PIECES, sublinear_tf=True, min_df=least)
            kinds.append(("pieces", pieces))
        self._vectors = FeatureUnion(kinds)
        self._model = LinearSVC(C=STRENGTH, random_state=0)
        self._model.fit(self._vectors.fit_transform(texts), np.array([example.item for example in asked]))

    def score_all(self, requests: Sequence[Request]) -> Scores:
        """(B, N) log-probabilities."""
        margins = np.full((len(requests), self._items), UNKNOWN)
        found = self._model.decision_function(self._vectors.transform([request.query for request in requests]))
        margins[:, self._model.classes_] = found if found.ndim == 2 else np.stack([-found, found], 1)
        return log_normalised(SHARPNESS * margins)


def knows_enough(dataset: Dataset) -> bool:
    """Whether the data has many queries for few items."""
    asked = [example.item for example in dataset.examples["train"] if example.request.query]
    return len(asked) >= EACH * len(dataset.catalogue) and len(set(asked)) > 1


def _grams(text: str) -> list[str]:
    """Stemmed words, and pairs of neighbours."""
    words = terms(text)
    return words + [f"{left} {right}" for left, right in itertools.pairwise(words)]

"""What lists are like besides right: coverage, novelty, popularity bias, diversity. It knows lists and a data set.

Vargas and Castells 2011 for novelty (self-information of how often an item was chosen) and intra-list diversity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from gpr.data.dataset import Dataset
from gpr.data.text import item_text
from gpr.scorers.popular import times_chosen
from gpr.scorers.words import terms

BEYOND = ("coverage", "novelty", "popularity", "diversity")


class Lists:
    """What is needed of a data set to judge its lists."""

    def __init__(self, dataset: Dataset) -> None:
        chosen = times_chosen(dataset)
        n = len(chosen)
        self._surprise = -np.log2((chosen + 1) / (chosen.sum() + n))  # (N,) bits
        self._percentile = (np.argsort(np.argsort(chosen, kind="stable"), kind="stable") + 0.5) / n
        texts = [item_text(dataset.catalogue, number) for number in range(n)]
        self._texts = self._vectors(texts)

    @staticmethod
    def _vectors(texts: list[str]) -> sparse.csr_matrix:
        """(N, words) of unit length."""
        return TfidfVectorizer(analyzer=lambda text: terms(text) or [""]).fit_transform(texts)

    def judge(self, top: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """From lists (B, K), -1 for places without an item, for each request (B,):

        novelty: mean bits of surprise at an item. popularity: mean share of the catalogue that is chosen less often.
        diversity: mean of 1 - cosine of the texts of two items of the list.
        """
        real = top >= 0
        count = np.maximum(real.sum(1), 1)
        means = {
            name: np.where(real, of[top], 0.0).sum(1) / count
            for name, of in (("novelty", self._surprise), ("popularity", self._percentile))
        }
        return means | {"diversity": np.array([self._diversity(row[row >= 0]) for row in top])}

    def _diversity(self, items: NDArray[np.int64]) -> float:
        if len(items) < 2:
            return float("nan")
        like = (self._texts[items] @ self._texts[items].T).toarray()
        pairs = len(items) * (len(items) - 1)
        return float(1 - (like.sum() - like.trace()) / pairs)


def coverage(top: NDArray[np.int64], n_items: int) -> float:
    """The share of the catalogue that is in any list."""
    return len(np.unique(top[top >= 0])) / n_items

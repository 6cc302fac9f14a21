"""`words`: literal wording. It knows the words of an item's text and of a request, and no model.

BM25 (Robertson and Zaragoza 2009, through bm25s) over title, columns and description. English words are stemmed; runs
of Chinese, Japanese and Korean characters, which are written without spaces, are cut into overlapping pairs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import bm25s
import numpy as np
import Stemmer
from bm25s.stopwords import STOPWORDS_EN

from gpr.data.dataset import Dataset, Request
from gpr.data.text import item_text
from gpr.scorers.scorer import Scores

_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TERMS = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_STEMMER = Stemmer.Stemmer("english")


def terms(text: str) -> list[str]:
    """The index terms of a text: stemmed words without stop words, and pairs of CJK characters."""
    found: list[str] = []
    for run in _TERMS.findall(text.lower()):
        if re.match(f"[{_CJK}]", run):
            found += [run[at : at + 2] for at in range(max(1, len(run) - 1))]
        elif run not in STOPWORDS_EN:
            found.append(_STEMMER.stemWord(run))
    return found


class Words:
    """BM25 scores of the catalogue for the words of a request.

    Args:
        with_queries: whether each item's training queries are part of its text.
    """

    def __init__(self, dataset: Dataset, *, with_queries: bool = False) -> None:
        self._catalogue = dataset.catalogue
        texts = [item_text(dataset.catalogue, number) for number in range(len(dataset.catalogue))]
        if with_queries:
            for example in dataset.examples["train"]:
                texts[example.item] += f"\n{example.request.query}"
        self._index = bm25s.BM25()
        corpus = [terms(text) or [""] for text in texts]
        self._index.index(corpus, show_progress=False)

    def score_all(self, requests: Sequence[Request]) -> Scores:
        """(B, N) BM25 scores. A history counts by the words of its titles; items with no word in common have 0."""
        return np.stack([self._scores(request) for request in requests])

    def _scores(self, request: Request) -> Scores:
        titles = " ".join(self._catalogue.titles[number] for number in request.history)
        known = [term for term in terms(f"{request.query} {titles}") if term in self._index.vocab_dict]
        if not known:
            return np.zeros(len(self._catalogue), np.float32)
        return np.asarray(self._index.get_scores(known), np.float32)

"""The training examples nearest to a request and an item: what the run, or at least the scorers, learned from.

Queries are found by their words (BM25) and by their item, then ranked by the vectors of `match`: how alike the
requests are plus how alike the items are. Histories are those that hold the item, by how much they share.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import bm25s
import numpy as np

from gpr.data.dataset import Dataset, Request
from gpr.scorers.gpt import Gpt
from gpr.scorers.words import terms

MOST = 5
BY_WORDS, BY_ITEM = 12, 8
"""Examples that are looked at closely: with the most words in common, and of the same item."""
MOST_EXAMPLES = 50_000
"""The first ones are searched; more would take seconds to index."""


@dataclass(frozen=True)
class Near:
    """One training example, or one training history."""

    query: str
    item: int
    shared: tuple[int, ...]
    """Items that its history has in common with the request's."""
    alike: float
    """How alike the requests are: the cosine of their vectors, or the share of the request's history that it holds."""


class Examples:
    """The training part of a data set, ready to be searched."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._examples = [example for example in dataset.examples["train"] if example.request.query][:MOST_EXAMPLES]
        self._of_item: dict[int, list[int]] = defaultdict(list)
        for place, example in enumerate(self._examples):
            self._of_item[example.item].append(place)
        self._histories: dict[int, list[int]] = defaultdict(list)
        for place, sequence in enumerate(dataset.sequences):
            for item in set(sequence.items):
                self._histories[item].append(place)
        self._index = bm25s.BM25()
        corpus = [terms(example.request.query) or [""] for example in self._examples]
        if corpus:
            self._index.index(corpus, show_progress=False)

    def near(self, gpt: Gpt, request: Request, item: int) -> list[Near]:
        """The nearest ones first, at most MOST."""
        queries = self._near_queries(gpt, request, item) if request.query and self._examples else []
        histories = self._near_histories(request, item) if request.history else []
        half = MOST if not queries else MOST // 2
        return (queries[: MOST - len(histories[:half])] + histories)[:MOST]

    def _near_queries(self, gpt: Gpt, request: Request, item: int) -> list[Near]:
        known = [term for term in terms(request.query) if term in self._index.vocab_dict]
        scores = self._index.get_scores(known) if known else np.zeros(len(self._examples))
        worded = [place for place in np.argsort(-scores, kind="stable")[:BY_WORDS].tolist() if scores[place] > 0]
        places = list(dict.fromkeys([*worded, *self._of_item[item][:BY_ITEM]]))
        if not places:
            return []
        chosen = [self._examples[place] for place in places]
        vectors = gpt.request_vectors([Request(request.query), *(Request(one.request.query) for one in chosen)])
        alike = vectors[1:] @ vectors[0]  # (P,)
        of_items = gpt.item_vectors([one.item for one in chosen]) @ gpt.item_vectors([item])[0]  # (P,)
        found = [Near(one.request.query, one.item, (), float(near)) for one, near in zip(chosen, alike, strict=True)]
        return [found[place] for place in np.argsort(-(alike + of_items), kind="stable")]

    def _near_histories(self, request: Request, item: int) -> list[Near]:
        own = dict.fromkeys(request.history)
        found = []
        for place in self._histories[item]:
            theirs = set(self._dataset.sequences[place].items)
            shared = tuple(one for one in own if one in theirs)
            if shared:
                found.append(Near("", item, shared, len(shared) / len(own)))
        return sorted(found, key=lambda near: -near.alike)[:MOST]

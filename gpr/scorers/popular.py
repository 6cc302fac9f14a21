"""`popular`: how often each item was chosen in training, whoever asks; `cold`: that it never was.

They know counts only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gpr.data.dataset import Dataset, Request
from gpr.scorers.scorer import Scores, log_normalised


def times_chosen(dataset: Dataset) -> NDArray[np.int64]:
    """(N,) how often each item stands in training pairs and training histories."""
    chosen = [example.item for example in dataset.examples["train"]]
    chosen += [item for sequence in dataset.sequences for item in sequence.items]
    return np.bincount(np.array(chosen, np.int64), minlength=len(dataset.catalogue))


class Popular:
    """log(count + 1), normalised."""

    def __init__(self, dataset: Dataset) -> None:
        self._scores = log_normalised(np.log1p(times_chosen(dataset))[None])

    def score_all(self, requests: Sequence[Request]) -> Scores:
        """(B, N): the same row for every request."""
        return np.repeat(self._scores, len(requests), axis=0)


class Cold:
    """1 for an item that was never chosen in training, else 0.

    Whatever learns from examples leans towards the items that they name. How much it has to be pulled back is a
    weight of the pool like any other (calibrated stacking: Chao et al. 2016, arXiv:1605.04253).
    """

    def __init__(self, dataset: Dataset) -> None:
        self._scores = (times_chosen(dataset) == 0).astype(np.float32)[None]

    def score_all(self, requests: Sequence[Request]) -> Scores:
        """(B, N): the same row for every request."""
        return np.repeat(self._scores, len(requests), axis=0)

"""`popular`: how often each item was chosen in training, whoever asks. It knows counts only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gpr.data.dataset import Dataset, Request
from gpr.scorers.scorer import Scores, log_normalised


class Popular:
    """log(count + 1), normalised: the items of training pairs and training histories are counted."""

    def __init__(self, dataset: Dataset) -> None:
        chosen = [example.item for example in dataset.examples["train"]]
        chosen += [item for sequence in dataset.sequences for item in sequence.items]
        counts = np.bincount(np.array(chosen, np.int64), minlength=len(dataset.catalogue))
        self._scores = log_normalised(np.log1p(counts)[None])

    def score_all(self, requests: Sequence[Request]) -> Scores:
        """(B, N): the same row for every request."""
        return np.repeat(self._scores, len(requests), axis=0)

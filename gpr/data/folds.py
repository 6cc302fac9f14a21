"""Folds of a data set for cross-validation: every query is tested once, by a part that has never seen it. It sees
examples, no files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gpr.data.dataset import SPLITS, Dataset, Example, Split
from gpr.data.split import VALID_SHARE, query_key
from gpr.errors import DataError

MOST_FOLDS = 20


def fold(dataset: Dataset, number: int, folds: int) -> Dataset:
    """The data set with its pairs split anew: fold `number` (from 0) tests, 10 % of all queries validate.

    All pairs of a query share a side, as in a random split; a split that the data brings is not looked at. Test
    requests with a history are left out, since they have a split of their own.

    Raises:
        DataError: the number of folds is none, or there are fewer queries than two for each.
    """
    if not 2 <= folds <= MOST_FOLDS:
        raise DataError(f"{folds} folds cannot be made.", hint=f"Ask for 2 to {MOST_FOLDS}.")
    every = [e for split in SPLITS for e in dataset.examples[split]]
    pairs = [e for e in every if e.request.query and not e.request.history]
    keys = list(dict.fromkeys(query_key(e.request.query) for e in pairs))
    if len(keys) < 2 * folds:
        raise DataError(
            f"{folds} folds need {2 * folds} queries or more; there are {len(keys)}.",
            where=dataset.name,
            hint="Ask for fewer folds, or evaluate without --folds.",
        )
    sides = _sides(keys, number, folds, dataset.seed)
    examples: dict[Split, tuple[Example, ...]] = {
        split: tuple(e for e in pairs if sides[query_key(e.request.query)] == split) for split in SPLITS
    }
    return replace(dataset, examples=examples)


def _sides(keys: list[str], number: int, folds: int, seed: int) -> dict[str, Split]:
    order = np.random.default_rng(seed).permutation(len(keys))
    parts = np.array_split(order, folds)
    rest = np.concatenate([parts[(number + step) % folds] for step in range(1, folds)])
    n_valid = int(len(keys) * VALID_SHARE)
    sides: dict[str, Split] = dict.fromkeys(keys, "train")
    sides |= {keys[place]: "test" for place in parts[number].tolist()}
    return sides | {keys[place]: "valid" for place in rest[:n_valid].tolist()}

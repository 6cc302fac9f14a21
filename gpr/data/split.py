"""Which pairs are trained on, which choose, which are measured: split by query, so that no query is on two sides.

It sees texts only, no files and no catalogue. Histories are cut by `histories`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gpr.data.dataset import SPLITS, Split

TEST_SHARE = 0.25
VALID_SHARE = 0.10

SPLIT_NAMES: dict[str, Split] = {
    "train": "train", "training": "train", "训练": "train", "训练集": "train",
    "valid": "valid", "val": "valid", "validation": "valid", "dev": "valid", "eval": "valid", "验证": "valid",
    "验证集": "valid", "test": "test", "testing": "test", "测试": "test", "测试集": "test",
}  # fmt: skip
"""What a split column may say, in lower case."""


def query_key(query: str) -> str:
    """Two queries with one key are the same query: white space and case do not count."""
    return " ".join(query.split()).casefold()


def split_at_random(queries: Sequence[str], seed: int) -> list[Split]:
    """(pairs,) a split for each pair; all pairs of a query share it.

    Of the distinct queries 25 % are test and 10 % valid, rounded down, so that at least one trains.
    """
    keys = list(dict.fromkeys(query_key(query) for query in queries))
    n_test, n_valid = int(len(keys) * TEST_SHARE), int(len(keys) * VALID_SHARE)
    sides: dict[str, Split] = {}
    for place, key in enumerate(np.random.default_rng(seed).permutation(len(keys)).tolist()):
        sides[keys[key]] = "test" if place < n_test else "valid" if place < n_test + n_valid else "train"
    return [sides[query_key(query)] for query in queries]


def leaks(queries: Sequence[str], splits: Sequence[Split]) -> np.ndarray:
    """(pairs,) whether the pair's query is also on a side that is further from training, so that the pair must go."""
    keys = [query_key(query) for query in queries]
    furthest: dict[str, int] = {}
    for key, split in zip(keys, splits, strict=True):
        furthest[key] = max(furthest.get(key, 0), SPLITS.index(split))
    return np.array([SPLITS.index(s) < furthest[key] for key, s in zip(keys, splits, strict=True)], dtype=bool)

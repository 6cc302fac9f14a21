"""Who is trained on, who chooses, who is measured: the split of pairs by query, and of histories by time.

It sees texts, numbers and times only, no files and no catalogue. Nothing that is tested on is trained on: not the query
of a valid or test pair, not the last two items of a history.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class History:
    """One user's distinct items, oldest first, cut for training and testing."""

    user: int
    train: tuple[int, ...]
    """All but the last two items; of two items the first; one item on its own (popularity only, nothing is tested)."""
    valid: int | None
    """The last but one item, of users with three or more."""
    test: int | None
    """The last item, of users with two or more."""


def split_histories(users: np.ndarray, items: np.ndarray, times: np.ndarray) -> tuple[list[History], np.ndarray]:
    """Every user's history in the order of time, ties in the given order, an item counted where it comes first.

    Args:
        users: (interactions,) user numbers.
        items: (interactions,) item numbers.
        times: (interactions,) anything that sorts.

    Returns:
        Histories by user number, and (interactions,) whether the row repeats an earlier item of its user.
    """
    order = np.lexsort((times, users))  # stable; the last key counts most
    sorted_users, sorted_items = users[order].astype(np.int64), items[order].astype(np.int64)
    pair = sorted_users * (int(sorted_items.max(initial=0)) + 1) + sorted_items
    first = np.zeros(len(pair), dtype=bool)
    first[np.unique(pair, return_index=True)[1]] = True
    repeats = np.zeros(len(pair), dtype=bool)
    repeats[order] = ~first
    sorted_users, sorted_items = sorted_users[first], sorted_items[first]
    starts = np.flatnonzero(np.diff(sorted_users, prepend=-1))
    bounds = [*starts.tolist(), len(sorted_users)]
    sequence = sorted_items.tolist()
    spans = zip(sorted_users[starts].tolist(), itertools.pairwise(bounds), strict=True)
    return [_cut(user, tuple(sequence[start:end])) for user, (start, end) in spans], repeats


def _cut(user: int, items: tuple[int, ...]) -> History:
    if len(items) == 1:
        return History(user, items, None, None)
    if len(items) == 2:
        return History(user, items[:1], None, items[1])
    return History(user, items[:-2], items[-2], items[-1])

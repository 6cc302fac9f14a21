"""Every user's history in the order of time, and the ways to cut it: the last two items, two dates for all, or as told.

It sees numbers only. Nothing that is tested on is trained on.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

TEST_TIME, VALID_TIME = 0.10, 0.10
"""By date: the last tenth of all interactions is for test, the tenth before for validation."""


@dataclass(frozen=True)
class History:
    """One user's distinct items, oldest first, cut for training and testing."""

    user: int
    train: tuple[int, ...]
    valid: int | None
    test: int | None
    later: tuple[int, ...] = ()
    """Between `valid` and `test`: known when the test item was chosen, though not trained on."""

    @property
    def before_test(self) -> tuple[int, ...]:
        """The history of the test request."""
        return (*self.train, *(() if self.valid is None else (self.valid,)), *self.later)


@dataclass(frozen=True)
class Timeline:
    """Interactions sorted by user and time, ties in the given order, an item counted where it comes first."""

    users: np.ndarray
    """(kept,) user numbers, ascending."""
    items: np.ndarray
    times: np.ndarray
    rows: np.ndarray
    """(kept,) which of the given interactions each is."""
    repeats: np.ndarray
    """(given,) whether the row repeats an earlier item of its user."""
    ties: np.ndarray
    """(given,) whether the row has the time of the row before it of the same user."""

    @classmethod
    def of(cls, users: np.ndarray, items: np.ndarray, times: np.ndarray) -> Timeline:
        """Args: user and item numbers, and anything that sorts, (interactions,) each."""
        order = np.lexsort((times, users))  # stable; the last key counts most
        by_user, by_item, by_time = users[order].astype(np.int64), items[order].astype(np.int64), times[order]
        pair = by_user * (int(by_item.max(initial=0)) + 1) + by_item
        first = np.zeros(len(pair), dtype=bool)
        first[np.unique(pair, return_index=True)[1]] = True
        repeats = np.zeros(len(pair), dtype=bool)
        repeats[order] = ~first
        ties = np.zeros(len(pair), dtype=bool)
        ties[order[1:]] = (by_user[1:] == by_user[:-1]) & (by_time[1:] == by_time[:-1])
        return cls(by_user[first], by_item[first], by_time[first], order[first], repeats, ties)

    def spans(self) -> Iterator[tuple[int, int, int]]:
        """User number, and the span of places that are the user's."""
        starts = np.flatnonzero(np.diff(self.users, prepend=-1))
        bounds = itertools.pairwise([*starts.tolist(), len(self.users)])
        for user, (start, end) in zip(self.users[starts].tolist(), bounds, strict=True):
            yield user, start, end


Cut = Callable[[Timeline, np.ndarray | None], tuple[list[History], np.ndarray]]
"""A timeline, and (given,) what the file says (0 train, 1 valid, 2 test) -> histories by user number, and which of the
given rows are unused."""


def last_two(line: Timeline, said: np.ndarray | None = None) -> tuple[list[History], np.ndarray]:
    """The last item for test, of users with two or more; the one before for validation, of users with three or more."""
    items = line.items.tolist()
    histories = []
    for user, start, end in line.spans():
        size = end - start
        train = end - min(2, size - 1) if size > 1 else end
        if size == 2:
            train = start + 1
        valid = items[end - 2] if size > 2 else None
        test = items[end - 1] if size > 1 else None
        histories.append(History(user, tuple(items[start:train]), valid, test))
    return histories, np.zeros(len(line.repeats), dtype=bool)


def by_date(line: Timeline, said: np.ndarray | None = None) -> tuple[list[History], np.ndarray]:
    """Two dates for all users: before the first is training; a user's first item from each on is for valid and test."""
    if not len(line.times):
        return [], np.zeros(len(line.repeats), dtype=bool)
    ordered = np.sort(line.times)
    valid_from, test_from = (ordered[int(len(ordered) * (1 - late))] for late in (TEST_TIME + VALID_TIME, TEST_TIME))
    stage = np.where(line.times >= test_from, 2, np.where(line.times >= valid_from, 1, 0))
    return _by_stage(line, stage)


def as_told(line: Timeline, said: np.ndarray | None = None) -> tuple[list[History], np.ndarray]:
    """As the file says; of a user's valid and test items the first counts. Without a split column, `last_two`."""
    if said is None:
        return last_two(line)
    return _by_stage(line, said[line.rows])


def _by_stage(line: Timeline, stage: np.ndarray) -> tuple[list[History], np.ndarray]:
    """stage: (kept,) 0 train, 1 valid, 2 test. Whoever has no training items gets no test either: nothing is known."""
    items, stages = line.items.tolist(), stage.tolist()
    unused = np.zeros(len(line.repeats), dtype=bool)
    histories = []
    for user, start, end in line.spans():
        parts: tuple[list[int], ...] = ([], [], [])
        for place in range(start, end):
            parts[stages[place]].append(place)
        train, valid, test = parts
        if not train:
            unused[line.rows[start:end]] = True
            continue
        later = valid[1:] if test else []
        unused[line.rows[[*([] if test else valid[1:]), *test[1:]]]] = True
        names = [tuple(items[place] for place in places) for places in (train, later)]
        first = [items[places[0]] if places else None for places in (valid, test)]
        histories.append(History(user, names[0], first[0], first[1], names[1]))
    return histories, unused


CUTS: dict[str, Cut] = {"last": last_two, "date": by_date, "file": as_told}

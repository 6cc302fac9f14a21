"""The cards of one annotator: which recommendations to judge next, thought of ahead of time; and how fast it goes.

It knows requests and recommendations; it does not store labels, nor how a card looks. One thread judges, another one
thinks ahead.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gpr.data.dataset import Dataset, Request
from gpr.labels.label import request_id
from gpr.recommendation import Recommendation
from gpr.ui.messages import in_words

AHEAD = 10
"""Cards that wait beyond the one that is shown."""
EACH = 5
"""Recommendations of each request."""
MAX_HISTORY = 20
Key = tuple[str, str]
"""Request id and item id."""
Typed = tuple[str, Request]
"""Data and what was asked of it."""
PACE_LABELS, PACE_SECONDS = 30, 60.0
"""The rate is that of the latest labels; a longer pause starts it anew."""


@dataclass(frozen=True)
class Card:
    """One recommendation to judge."""

    request: Request
    recommendation: Recommendation
    key: Key


def history_ids(dataset: Dataset, request: Request) -> tuple[str, ...]:
    """The item ids of a request's history, as labels have them."""
    return tuple(dataset.catalogue.item_ids[number] for number in request.history)


def key_of(dataset: Dataset, request: Request, item_id: str) -> Key:
    return request_id(dataset.name, request.query, history_ids(dataset, request)), item_id


def requests_of(dataset: Dataset, typed: Sequence[Request]) -> list[Request]:
    """What was typed, newest first, then the data's own training and validation requests, shuffled the same each time.

    Never those of the test split.
    """
    own = [example.request for split in ("train", "valid") for example in dataset.examples[split]]
    own += [Request("", sequence.items[-MAX_HISTORY:], sequence.user) for sequence in dataset.sequences]
    test = {_same(example.request) for example in dataset.examples["test"]}
    own = list(dict.fromkeys(request for request in own if _same(request) not in test))
    random.Random(0).shuffle(own)
    return list(dict.fromkeys([*reversed(typed), *own]))


def _same(request: Request) -> tuple[str, tuple[int, ...]]:
    return request.query.casefold(), request.history


class Deck:
    """A queue of cards that can be walked back.

    Args:
        requests: in the order to judge them.
        recommend: the answer to one request, the best first.
        seen: what needs no label any more.
    """

    def __init__(
        self,
        dataset: Dataset,
        requests: Sequence[Request],
        recommend: Callable[[Request], list[Recommendation]],
        seen: set[Key],
    ) -> None:
        self.dataset, self._recommend, self._seen = dataset, recommend, seen
        self._requests = iter(requests)
        self.total = len(requests) * min(EACH, len(dataset.catalogue))
        """Cards there would be if nothing were labelled yet."""
        self._cards: list[Card] = []
        self._lock = threading.Lock()
        self._thinking = False
        self.place = 0
        """Of the card that is shown."""
        self.exhausted = False
        self.trouble = ""
        """Why no further card could be thought of, in words."""

    @property
    def card(self) -> Card | None:
        """The one to judge; None while it is thought of, or when there is no more."""
        return self._cards[self.place] if self.place < len(self._cards) else None

    def step(self) -> None:
        """To the next card."""
        self.place += 1
        self.think()

    def back(self, key: Key) -> bool:
        """To the card before, if that is it."""
        if not (self.place and self._cards[self.place - 1].key == key):
            return False
        self.place -= 1
        return True

    def think(self, *, wait: bool = False) -> None:
        """Sees to it that enough cards are ahead.

        Args:
            wait: until they are there, instead of in a thread.
        """
        with self._lock:
            if self._thinking or not self._short():
                return
            self._thinking, self.trouble = True, ""
        if wait:
            self._fill()
        else:
            threading.Thread(target=self._fill, daemon=True).start()

    def _short(self) -> bool:
        return not self.exhausted and len(self._cards) - self.place <= AHEAD

    def _fill(self) -> None:
        try:
            while self._short():
                request = next(self._requests, None)
                if request is None:
                    self.exhausted = True
                    break
                self._add(request)
        except Exception as error:
            self.trouble = in_words(error)
        finally:
            self._thinking = False

    def _add(self, request: Request) -> None:
        for found in self._recommend(request):
            key = key_of(self.dataset, request, found.item_id)
            if key not in self._seen:
                self._seen.add(key)
                self._cards.append(Card(request, found, key))


class Sitting:
    """One annotator at one deck: kept for the session, changed in place.

    Args:
        key: what it was made for; another key needs another sitting.
        before: labels that the annotator gave earlier.
    """

    def __init__(self, key: tuple[object, ...], deck: Deck, run: str, annotator: str, before: int) -> None:
        self.key, self.deck, self.run, self.annotator, self.before = key, deck, run, annotator, before
        self.labelled = 0
        """Since then, what was taken back left out."""
        self.said = ""
        """What was done last, in words."""
        self._times: list[float] = []

    def go_on(self, earlier: Sitting) -> None:
        """Keeps the pace and the count of the sitting that this one takes the place of."""
        self._times = earlier._times
        self.labelled = earlier.labelled
        self.before = max(0, self.before - earlier.labelled)

    def mark(self) -> None:
        """One more label."""
        now = time.monotonic()
        if self._times and now - self._times[-1] > PACE_SECONDS:
            self._times.clear()
        self._times = [*self._times, now][-PACE_LABELS:]
        self.labelled += 1

    def unmark(self) -> None:
        """One label less."""
        self.labelled -= 1
        self._times = self._times[:-1]

    @property
    def rate(self) -> float | None:
        """Labels an hour."""
        if len(self._times) < 4:
            return None
        return 3600 * (len(self._times) - 1) / max(self._times[-1] - self._times[0], 1e-3)

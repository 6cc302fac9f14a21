"""What waits to be judged by one annotator, thought of ahead of time; and how fast it goes.

It knows neither what a turn is about nor how it looks. One thread judges, another one thinks ahead.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import suppress
from typing import Protocol

from gpr.labels.label import Label
from gpr.labels.store import Said
from gpr.ui.messages import in_words

AHEAD = 10
"""Turns that wait beyond the one that is shown."""
GENTLE = 10
"""How much nicer (in the sense of Unix) the thread is that thinks ahead."""
PACE_LABELS, PACE_SECONDS = 30, 60.0
"""The rate is that of the latest labels; a longer pause starts it anew."""


class Turn(Protocol):
    """One thing to judge."""

    token: str
    """Comes back with a press, which counts for this turn alone."""

    @property
    def finished(self) -> bool: ...

    def says(self, press: Mapping[str, str], annotator: str) -> list[Said]:
        """What a press on it says. Raises: RequestError."""

    def covers(self, said: Said) -> bool:
        """Whether that was said of this turn."""

    def keep(self, said: Said) -> str:
        """Returns the verdict that this one takes the place of, or ''."""

    def forget(self, said: Said) -> None: ...


def verdict_of(said: Said) -> str:
    return said.verdict if isinstance(said, Label) else "tie" if said.tie else "preference"


def key_of(said: Said) -> Hashable:
    """What was judged: equal for all that an annotator says of it."""
    if isinstance(said, Label):
        return said.request_id, said.item_id
    return said.request_id, frozenset((said.winner, said.loser))


class Deck:
    """A queue of turns that can be walked back.

    Args:
        turns: begins the turns, in the order to judge them; each may take a while to come. Called again after a fault,
            to go on behind it.
        total: labels there would be if nothing were judged yet, as far as that is known.
        known: keys that the turns leave out; what is said is added.
    """

    def __init__(self, turns: Callable[[], Iterator[Turn]], total: int, known: set[Hashable]) -> None:
        self.total, self.known = total, known
        self._begin, self._coming = turns, turns()
        self._turns: list[Turn] = []
        self._lock = threading.Lock()
        self._thinking = False
        self.place = 0
        """Of the turn that is shown."""
        self.exhausted = False
        self.trouble = ""
        """Why no further turn could be thought of, in words."""

    @property
    def turn(self) -> Turn | None:
        """The one to judge; None while it is thought of, or when there is no more."""
        return self._turns[self.place] if self.place < len(self._turns) else None

    @property
    def waiting(self) -> bool:
        """Whether the turn to judge is still to come."""
        return self.turn is None and not self.exhausted and not self.trouble

    def step(self) -> None:
        """To the next turn that is not finished."""
        while self.turn and self.turn.finished:
            self.place += 1
        self.think()

    def back_to(self, said: Said) -> Turn | None:
        """To the turn of which that was said, if it is this one or the one before."""
        if self.turn and self.turn.covers(said):
            return self.turn
        if self.place and self._turns[self.place - 1].covers(said):
            self.place -= 1
            return self._turns[self.place]
        return None

    def find(self, said: Said) -> Turn | None:
        """The turn of which that was said, if it is this one or further ahead."""
        return next((turn for turn in self._turns[self.place :] if turn.covers(said)), None)

    def insert(self, turn: Turn) -> None:
        """Shows this one first."""
        self._turns.insert(self.place, turn)

    def think(self, *, wait: bool = False) -> None:
        """Sees to it that enough turns are ahead.

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
            threading.Thread(target=self._fill_gently, daemon=True).start()

    def _short(self) -> bool:
        return not self.exhausted and len(self._turns) - self.place <= AHEAD

    def _fill_gently(self) -> None:
        """With less right to the processor than the one who judges, where threads can have it (Linux)."""
        with suppress(AttributeError, OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + GENTLE)
        self._fill()

    def _fill(self) -> None:
        try:
            while self._short():
                turn = next(self._coming, None)
                if turn is None:
                    self.exhausted = True
                    break
                self._turns.append(turn)
        except Exception as error:
            self.trouble, self._coming = in_words(error), self._begin()
        finally:
            self._thinking = False


class Sitting:
    """One annotator at one deck: kept for the session, changed in place.

    Args:
        key: what it was made for; another key needs another sitting.
        before: labels that the annotator gave earlier.
        again: makes a turn of what was said in an earlier sitting.
    """

    def __init__(
        self, key: Hashable, deck: Deck, annotator: str, before: int, again: Callable[[list[Said]], Turn | None]
    ) -> None:
        self.key, self.deck, self.annotator, self.before, self._again = key, deck, annotator, before, again
        self.counts: Counter[str] = Counter()
        """Labels of this sitting by verdict, what was taken back left out."""
        self.taken_back = 0
        self.said = ""
        """What was done last, in words."""
        self.trouble = ""
        """Why the latest press was not stored, in words."""
        self.latest: tuple[Said, str] | None = None
        """What was said last, to which a reason may be added, and its batch."""
        self.token = secrets.token_hex(16)
        """Who brings it may label here: known to the page of this annotator alone."""
        self.named = True
        """Whether the annotator typed a name, which may change, rather than logged in."""
        self.done_last = ""
        """Number of the latest press that was done; it comes again where its answer was lost."""
        self.lock = threading.Lock()
        """Held while a press is answered."""
        self._started = time.monotonic()
        self._times: list[float] = []

    def keep(self, said: list[Said]) -> None:
        """Counts what was said, and goes to the next turn."""
        for key, one in {key_of(one): one for one in said}.items():
            self.deck.known.add(key)
            turn = self.deck.find(one)
            before = turn.keep(one) if turn else ""
            if before:
                self.counts[before] -= 1
            self._mark(verdict_of(one))
        self.deck.step()

    def forget(self, said: list[Said]) -> None:
        """Counts what was taken back no longer, and goes back to its turn."""
        turn = self.deck.back_to(said[-1])
        if turn is None and (turn := self._again(said)):
            self.deck.insert(turn)
        for one in {key_of(one): one for one in said}.values():
            if turn:
                turn.forget(one)
            self._unmark(verdict_of(one))

    @property
    def labelled(self) -> int:
        """Labels of this sitting; what was skipped is none."""
        return self.counts.total() - self.counts["skip"]

    def go_on(self, earlier: Sitting) -> None:
        """Keeps the pace and the counts of the sitting that this one takes the place of."""
        self._times, self.counts, self._started = earlier._times, earlier.counts, earlier._started
        self.taken_back = earlier.taken_back
        self.before = max(0, self.before - earlier.counts.total())

    def _mark(self, verdict: str) -> None:
        now = time.monotonic()
        if self._times and now - self._times[-1] > PACE_SECONDS:
            self._times.clear()
        self._times = [*self._times, now][-PACE_LABELS:]
        self.counts[verdict] += 1

    def _unmark(self, verdict: str) -> None:
        if self.counts[verdict]:
            self.counts[verdict] -= 1
        else:  # it was said in an earlier sitting
            self.before = max(0, self.before - 1)
        self._times = self._times[:-1]
        self.taken_back += 1

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._started

    @property
    def rate(self) -> float | None:
        """Labels an hour."""
        if len(self._times) < 4:
            return None
        return 3600 * (len(self._times) - 1) / max(self._times[-1] - self._times[0], 1e-3)

    @property
    def done(self) -> int:
        """What needs no answer any more: labelled or skipped, in this sitting or before."""
        return self.before + self.counts.total()

    @property
    def seconds_left(self) -> float | None:
        """Until the whole queue is judged, at the present rate."""
        left = max(0, self.deck.total - self.done)
        return 3600 * left / self.rate if self.rate and left else None

"""What a visitor asks for beside the first query: follow-ups, filters, wishes. It knows no widget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gpr.data.dataset import Catalogue
from gpr.data.filters import Facet, Filter, allowed
from gpr.data.phrases import filter_of
from gpr.errors import RequestError
from gpr.ranking import Wish

MAX_TURNS = 12
WISHES = ("popularity", "novelty", "diversity")


@dataclass(frozen=True)
class Asking:
    """Kept for the session, never changed in place."""

    turns: tuple[str, ...] = ()
    """Follow-ups, oldest first. Those that are a filter filter; the others join the query."""
    filters: tuple[Filter, ...] = ()
    """At most one a column, as chosen in the panel."""
    weights: tuple[tuple[str, float], ...] = ()
    """Part -> times its fitted weight, where that is not 1."""
    popularity: float = 0.0
    novelty: float = 0.0
    diversity: float = 0.0

    def text(self, query: str, known: Sequence[Facet]) -> str:
        """The query with the follow-ups that are no filter."""
        said = [turn for turn in self.turns if filter_of(turn, list(known)) is None]
        return ", ".join(part for part in (" ".join(query.split()), *said) if part)

    def wish(self, k: int, catalogue: Catalogue, known: Sequence[Facet]) -> Wish:
        """How the list is to be ranked."""
        meant = [filter_of(turn, list(known)) for turn in self.turns]
        every = (*self.filters, *(one for one in meant if one))
        passing = allowed(catalogue, every)
        return Wish(k, passing, dict(self.weights), self.popularity, self.novelty, self.diversity)

    def and_then(self, turn: str) -> Asking:
        """With one follow-up more; an empty one changes nothing."""
        turn = " ".join(turn.split())
        return replace(self, turns=(*self.turns, turn)[-MAX_TURNS:]) if turn else self

    def with_turn(self, at: int, text: str) -> Asking:
        """With another text for a follow-up; an empty one removes it."""
        turns = list(self.turns)
        if at < len(turns):
            turns[at : at + 1] = [" ".join(text.split())] if text.strip() else []
        return replace(self, turns=tuple(turns))

    def without_turns(self) -> Asking:
        return replace(self, turns=())

    def without_asked(self) -> Asking:
        """Nothing asked; how the list is ranked stays."""
        return replace(self, turns=(), filters=())

    def with_value(self, column: str, value: str, *, on: bool) -> Asking:
        """With a value of a column chosen, or not any more."""
        before = self.filter_on(column)
        values = [*(name for name in before.values if name != value), *([value] if on else [])]
        return self._with(replace(before, values=tuple(values)))

    def with_bound(self, column: str, side: str, number: float | None) -> Asking:
        """With another 'low' or 'high' of a column; None opens that side."""
        before = self.filter_on(column)
        low, high = (number, before.high) if side == "low" else (before.low, number)
        return self._with(replace(before, low=low, high=high))

    def without_filter(self, column: str) -> Asking:
        return self._with(Filter(column))

    def filter_on(self, column: str) -> Filter:
        """The filter that was chosen for a column, one that lets all pass where there is none."""
        return next((one for one in self.filters if one.column == column), Filter(column))

    def with_weight(self, part: str, times: float) -> Asking:
        weights = {**dict(self.weights), part: times}
        return replace(self, weights=tuple(sorted((name, value) for name, value in weights.items() if value != 1)))

    def with_wish(self, name: str, value: float) -> Asking:
        """Args: name: one of WISHES."""
        changed: dict[str, Any] = {name: value}
        return replace(self, **changed) if name in WISHES else self

    def _with(self, changed: Filter) -> Asking:
        others = [one for one in self.filters if one.column != changed.column]
        filled = changed.values or changed.low is not None or changed.high is not None
        return replace(self, filters=(*others, *([changed] if filled else [])))


def moved(asking: Asking, press: dict[str, str]) -> Asking:
    """What is asked after a filter or a slider was moved.

    Raises:
        RequestError: there is no such filter or slider.
    """
    number = number_of(press.get("value", ""))
    match press.get("press"):
        case "value":
            return asking.with_value(press["column"], press["name"], on=press["on"].casefold() == "true")
        case "low" | "high" as side:
            return asking.with_bound(press["column"], side, number)
        case "weight":
            return asking.with_weight(press["name"], 1.0 if number is None else number)
        case "wish":
            return asking.with_wish(press["name"], number or 0.0)
    raise RequestError("There is no such filter here.", hint="Load the page anew.")


def number_of(text: str) -> float | None:
    """None for what is no finite number."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None

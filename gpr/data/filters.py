"""Filters over a catalogue's columns: which items have a value, or a number within a range.

It knows columns and items, not requests: what a filter leaves over is what may be recommended.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpr.data.dataset import Catalogue

MAX_VALUES = 60
"""A column with more different values is no choice."""
MAX_VALUE_CHARS = 40
FILLED = 0.5
"""Share of the items that must have a value, or a number, in a column that can be filtered by."""
TEXTS = ("title", "description", "summary", "image")
"""Roles that are read, not chosen from."""
_APART = re.compile(r"\s*[|;,、，；]\s*")


@dataclass(frozen=True)
class Choice:
    """A column of few values; an item may have several of them."""

    column: str
    values: tuple[tuple[str, int], ...]
    """Each value with the number of its items, the most frequent first."""


@dataclass(frozen=True)
class Range:
    """A column of numbers."""

    column: str
    low: float
    high: float
    whole: bool
    """All are whole numbers."""


Facet: TypeAlias = Choice | Range


@dataclass(frozen=True)
class Filter:
    """One condition on one column."""

    column: str
    values: tuple[str, ...] = ()
    """An item needs one of these; empty if it is about numbers."""
    low: float | None = None
    high: float | None = None
    """Both inclusive; None leaves that side open. Items without a number do not pass."""
    inverse: bool = False
    """Items that have one of the values do not pass, all others do."""


def facets(catalogue: Catalogue) -> list[Facet]:
    """What a catalogue can be filtered by, in the order of its columns."""
    found: list[Facet] = []
    for column in map(str, catalogue.table.columns):
        if column in TEXTS:
            continue
        numbers = _numbers(catalogue, column)
        known = numbers[~np.isnan(numbers)]
        if len(known) >= FILLED * len(catalogue) and len(np.unique(known)) > 2:
            found.append(Range(column, float(known.min()), float(known.max()), bool((known == known.round()).all())))
        elif choice := _choice(catalogue, column):
            found.append(choice)
    return found


def allowed(catalogue: Catalogue, filters: tuple[Filter, ...]) -> NDArray[np.bool_] | None:
    """(N,) the items that pass all filters; None if there is no filter. What names no column of these lets all pass."""
    known = [one for one in filters if one.column in catalogue.table.columns]
    if not known:
        return None
    return np.asarray(np.all([_passes(catalogue, one) for one in known], axis=0))


def _passes(catalogue: Catalogue, one: Filter) -> NDArray[np.bool_]:
    if not one.values:
        numbers = _numbers(catalogue, one.column)
        low = -np.inf if one.low is None else one.low
        high = np.inf if one.high is None else one.high
        return np.asarray((numbers >= low) & (numbers <= high))  # nothing is true of a missing number
    wanted = set(one.values)
    has = np.array([bool(wanted & set(values_of(text))) for text in catalogue.table[one.column]])
    return ~has if one.inverse else has


def values_of(text: str) -> list[str]:
    """'Action, Sci-Fi' -> ['Action', 'Sci-Fi']."""
    return [value for value in _APART.split(text.strip()) if value]


def _choice(catalogue: Catalogue, column: str) -> Choice | None:
    """None if the column's values are too many, too long, too rare, or all different."""
    texts = [text for text in catalogue.table[column] if text]
    counts = Counter(value for text in texts for value in dict.fromkeys(values_of(text)))
    if not 2 <= len(counts) <= MAX_VALUES or len(texts) < FILLED * len(catalogue):
        return None
    if max(map(len, counts)) > MAX_VALUE_CHARS or counts.most_common(1)[0][1] < 2:
        return None
    return Choice(column, tuple(counts.most_common()))


def _numbers(catalogue: Catalogue, column: str) -> NDArray[np.float64]:
    """(N,) NaN where there is none."""
    texts = catalogue.table[column].str.replace(r"^[$€£¥]\s?|(?<=\d),(?=\d{3})", "", regex=True)
    return np.asarray(pd.to_numeric(texts, errors="coerce"), np.float64)

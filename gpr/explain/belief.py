"""The probability over the whole catalogue as a tree: category, then title. What is small is pooled, nothing is lost.

It knows numbers and titles, not how they are drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpr.data.dataset import Catalogue

TITLES, CATEGORIES = 12, 16
"""At most so many titles of a category, and categories, are shown; the others are pooled."""
SMALLEST = 0.001
"""A title with less probability is pooled."""
CHANGES = 6
"""Titles of which two models differ the most, in each direction."""

Chances = NDArray[np.float64]


@dataclass(frozen=True)
class Node:
    """One rectangle: a category, a title, or the others of a category pooled."""

    key: str
    above: str
    """Key of the category, '' for a category itself."""
    text: str
    """A category or a title; '' where others are pooled."""
    items: tuple[int, ...]
    probability: float
    other: float
    """What another model believes of the same items; NaN without one."""

    @property
    def difference(self) -> float:
        return self.probability - self.other


def belief(catalogue: Catalogue, chances: Chances, other: Chances | None = None) -> list[Node]:
    """Categories, the most probable first, each followed by its titles. Those below a category sum to it, and the
    categories to 1.

    Args:
        chances: (N,) probability of each item. other: the same of another model.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(categories(catalogue)):
        groups[name].append(number)
    names = sorted(groups, key=lambda name: -chances[groups[name]].sum())
    named = [name for name in names if name][: CATEGORIES - 1] if len(names) > CATEGORIES else names
    rest = [number for name in names if name not in named for number in groups[name]]
    nodes: list[Node] = []
    for place, name in enumerate(named):
        nodes += _category(f"c{place}", name, groups[name], catalogue, chances, other)
    return nodes + (_category("rest", "", rest, catalogue, chances, other) if rest else [])


def categories(catalogue: Catalogue) -> Sequence[str]:
    """(N,) the first category of each item, '' for none."""
    column = catalogue.table.get("category")
    return [""] * len(catalogue) if column is None else [value.split(",")[0].strip() for value in column]


def _category(
    key: str, name: str, items: list[int], catalogue: Catalogue, chances: Chances, other: Chances | None
) -> list[Node]:
    def node(key: str, above: str, text: str, items: Sequence[int]) -> Node:
        numbers = list(items)
        believed = float("nan") if other is None else float(other[numbers].sum())
        return Node(key, above, text, tuple(numbers), float(chances[numbers].sum()), believed)

    likely = sorted(items, key=lambda number: -chances[number])
    shown = [number for number in likely[:TITLES] if chances[number] >= SMALLEST]
    pooled = likely[len(shown) :]
    titles = [node(f"i{number}", key, catalogue.titles[number], [number]) for number in shown]
    return [node(key, "", name, items), *titles, *([node(f"{key}-others", key, "", pooled)] if pooled else [])]


def changes(chances: Chances, other: Chances) -> tuple[list[int], list[int]]:
    """The items that the first believes more in than the other does, and less, the largest differences first."""
    difference = chances - other
    order = np.argsort(-difference, kind="stable")
    more = [int(number) for number in order[:CHANGES] if difference[number] > 0]
    less = [int(number) for number in order[::-1][:CHANGES] if difference[number] < 0]
    return more, less

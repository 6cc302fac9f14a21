"""The tree of the probability over the catalogue."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gpr.data.dataset import Dataset
from gpr.explain.belief import CATEGORIES, TITLES, belief, categories, changes
from tests.small_data import catalogue_of


def test_all_levels_sum_to_one_and_nothing_is_lost() -> None:
    n = 400
    names = [f"kind {number % 23}, other" if number % 7 else "" for number in range(n)]
    catalogue = catalogue_of([f"t{number}" for number in range(n)], category=names)
    chances = np.random.default_rng(0).dirichlet(np.full(n, 0.1))
    nodes = belief(catalogue, chances)
    tops = [node for node in nodes if not node.above]
    assert sum(node.probability for node in tops) == pytest.approx(1)
    assert len(tops) == CATEGORIES
    for top in tops:
        below = [node for node in nodes if node.above == top.key]
        assert sum(node.probability for node in below) == pytest.approx(top.probability)
        assert sorted(item for node in below for item in node.items) == sorted(top.items)
        assert len(below) <= TITLES + 1
    assert sorted(item for top in tops for item in top.items) == list(range(n))
    assert len({node.key for node in nodes}) == len(nodes)
    assert all(math.isnan(node.other) for node in nodes)


def test_the_first_category_counts_and_a_catalogue_without_any_is_one_group() -> None:
    catalogue = catalogue_of(["a", "b", "c"], category=["Drama, War", "War", ""])
    assert categories(catalogue) == ["Drama", "War", ""]
    nodes = belief(catalogue_of(["a", "b", "c"]), np.array([0.5, 0.4999, 0.0001]))
    assert [(node.above, node.text, node.items) for node in nodes] == [
        ("", "", (0, 1, 2)), ("c0", "a", (0,)), ("c0", "b", (1,)), ("c0", "", (2,)),
    ]  # fmt: skip


def test_what_two_models_differ_in(films: Dataset) -> None:
    one, other = np.full(10, 0.1), np.full(10, 0.1)
    one[3], one[4], other[5] = 0.15, 0.05, 0.1
    assert changes(one, other) == ([3], [4])
    nodes = belief(films.catalogue, one, other)
    [node] = [node for node in nodes if node.items == (3,) and node.above]
    assert (node.difference, node.text) == (pytest.approx(0.05), "Aliens")
    assert sum(node.difference for node in nodes if not node.above) == pytest.approx(0)

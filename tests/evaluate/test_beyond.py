"""Lists whose worth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gpr.data.dataset import Dataset, Example, Request, Sequence
from gpr.evaluate.beyond import Lists, coverage
from tests.small_data import catalogue_of

TITLES = ["red ship", "red ship again", "blue house", "green tree"]
PAIRS = tuple(Example(Request("q"), item) for item in (0, 0, 0, 1))
DATA = Dataset("d", catalogue_of(TITLES), {"train": PAIRS, "valid": (), "test": ()}, (Sequence((0, 2)),))
"""Chosen 4, 1, 1 and 0 times."""


def test_novelty_is_the_surprise_at_a_choice() -> None:
    found = Lists(DATA).judge(np.array([[0, -1], [3, 1]]))
    assert found["novelty"].tolist() == pytest.approx(
        [-math.log2(5 / 10), (-math.log2(1 / 10) - math.log2(2 / 10)) / 2]
    )


def test_popularity_is_the_place_among_the_catalogue() -> None:
    found = Lists(DATA).judge(np.array([[0, -1], [3, -1]]))
    assert found["popularity"].tolist() == pytest.approx([3.5 / 4, 0.5 / 4])


def test_diversity_compares_texts() -> None:
    like, unlike, single = Lists(DATA).judge(np.array([[0, 1], [0, 2], [0, -1]]))["diversity"]
    assert 0 < like < 0.7 < unlike == pytest.approx(1)
    assert math.isnan(single)


def test_coverage() -> None:
    assert coverage(np.array([[0, 1], [1, -1]]), 4) == 0.5

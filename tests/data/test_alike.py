"""Titles that are nearly the same, against hand-made cases and against comparing all with all."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from gpr.data.alike import _slips, near_duplicates, title_key


@pytest.mark.parametrize(
    "pair",
    [
        ("Matrix, The", "THE  matrix!"), ("Café Noir", "Cafe noir"), ("Red Lamps", "Red Lamp"), ("Box", "Boxes"),
        ("Toy Story", "Toy Stories"), ("Garden Chair", "Gardn Chair"), ("Garden Chair", "Graden Chair"),
        ("Garden Chair", "Chair, Gardens"),
    ],
)  # fmt: skip
def test_nearly_the_same(pair: tuple[str, str]) -> None:
    assert near_duplicates(pair).tolist() == [-1, 0]
    assert near_duplicates(pair[::-1]).tolist() == [-1, 0]


@pytest.mark.parametrize(
    "pair",
    [
        ("Alien 2", "Alien 3"), ("Rocky II", "Rocky III"), ("Cat", "Car"), ("Model X100", "Model X101"),
        ("北京旅游攻略", "南京旅游攻略"), ("Heating", "Beating"), ("Garden Chair", "Garden Table"), ("", ""),
        ("!", "?"),
    ],
)  # fmt: skip
def test_not_the_same(pair: tuple[str, str]) -> None:
    assert near_duplicates(pair).tolist() == [-1, -1]


def test_none() -> None:
    assert near_duplicates(()).tolist() == []
    assert title_key("The  MATRIX!") == "matrix the"


@given(st.sets(st.text("ab", min_size=5, max_size=8), max_size=30))
def test_slips_are_those_of_comparing_all_with_all(words: set[str]) -> None:
    known = sorted(words)
    expected = {
        (one, other) for one, other in combinations(known, 2) if one[0] == other[0] and OSA.distance(one, other) == 1
    }
    assert {(one, other) for one, other in _slips(known) if one[0] == other[0]} == expected

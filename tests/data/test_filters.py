from __future__ import annotations

import pandas as pd
import pytest

from gpr.data.dataset import Catalogue
from gpr.data.filters import Choice, Filter, Range, allowed, facets
from gpr.data.phrases import filter_of


@pytest.fixture
def catalogue() -> Catalogue:
    rows = [
        ("Alien", "1979", "Horror, Sci-Fi", "$9.50", "a"),
        ("Heat", "1995", "Crime", "$1,200", "b"),
        ("Amélie", "2001", "Romance", "7", "c"),
        ("Jaws", "", "Horror", "", "d"),
    ]
    table = pd.DataFrame(rows, columns=["title", "year", "genre", "price", "note"])
    return Catalogue(("1", "2", "3", "4"), table, {str(n + 1): n for n in range(4)})


def passing(catalogue: Catalogue, *filters: Filter) -> list[str]:
    found = allowed(catalogue, filters)
    return [title for number, title in enumerate(catalogue.titles) if found is None or found[number]]


def test_columns_that_can_be_filtered_by(catalogue: Catalogue) -> None:
    assert facets(catalogue) == [
        Range("year", 1979, 2001, True),
        Choice("genre", (("Horror", 2), ("Sci-Fi", 1), ("Crime", 1), ("Romance", 1))),
        Range("price", 7, 1200, False),
    ]


def test_what_passes(catalogue: Catalogue) -> None:
    assert allowed(catalogue, ()) is None
    assert passing(catalogue, Filter("genre", ("Sci-Fi", "Crime"))) == ["Alien", "Heat"]
    assert passing(catalogue, Filter("genre", ("Horror",), inverse=True)) == ["Heat", "Amélie"]
    assert passing(catalogue, Filter("year", high=1995)) == ["Alien", "Heat"]
    assert passing(catalogue, Filter("year", low=1995), Filter("price", high=10)) == ["Amélie"]
    assert passing(catalogue, Filter("year", low=3000)) == []
    assert passing(catalogue, Filter("of another catalogue", ("x",))) == list(catalogue.titles)


@pytest.mark.parametrize(
    ("phrase", "found"),
    [
        ("older than 1980", Filter("year", high=1979)),
        ("Before 1980.", Filter("year", high=1979)),
        ("since 1990", Filter("year", low=1990)),
        ("year at least 1990", Filter("year", low=1990)),
        ("under 20 euros", Filter("price", high=20)),
        ("price under 20", Filter("price", high=20)),
        ("cheaper than $20", Filter("price", high=20)),
        ("1990年以后", Filter("year", low=1990)),
        ("1980年以前", Filter("year", high=1979)),
        ("早于1980", Filter("year", high=1979)),
        ("no horror", Filter("genre", ("Horror",), inverse=True)),
        ("without any sci-fi", Filter("genre", ("Sci-Fi",), inverse=True)),
        ("不要Crime", Filter("genre", ("Crime",), inverse=True)),
        ("less scary", None),
        ("更短一点", None),
        ("no", None),
        ("not boring", None),
        ("under 20", None),
        ("stars over 3", None),
        ("set before 1980 in Paris", None),
    ],
)
def test_a_phrase_becomes_a_filter_where_it_says_one_thing(
    phrase: str, found: Filter | None, catalogue: Catalogue
) -> None:
    assert filter_of(phrase, facets(catalogue)) == found

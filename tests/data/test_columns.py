"""Roles by name in English and Chinese, and what happens when a name is missing."""

from __future__ import annotations

import pandas as pd
import pytest

from gpr.data.columns import SYNONYMS, column_of, map_columns, normalise
from gpr.data.table import Part, Table
from gpr.errors import DataError


def table(*names: str, values: tuple[str, ...] = ("some text", "more text")) -> Table:
    frame = pd.DataFrame({name: list(values) for name in names}, index=range(1, len(values) + 1), dtype="str")
    return Table("x.csv", frame, len(values))


def roles(part: Part, *names: str) -> dict[str, str]:
    return {name: meaning.role for name, meaning in map_columns(table(*names), part).items()}


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("items", {"Movie ID": "item_id", "movie_title": "title", "Genres": "category", "year": "other"}),
        ("items", {"ASIN": "item_id", "productName": "title", "overview": "description", "rating": "other"}),
        ("items", {"基金代码": "item_id", "基金名称": "title", "简介": "description", "类别": "category"}),
        ("items", {"编号": "item_id", "标题": "title", "描述": "description", "简介": "summary", "user": "other"}),
        ("items", {"title": "title", "name": "other", "id": "other", "item-id": "item_id"}),
        ("pairs", {"查询": "query", "商品编号": "item_id", "划分": "split"}),
        ("pairs", {"id": "other", "query": "query", "title": "title"}),
        (
            "interactions",
            {"用户": "user_id", "电影": "other", "物品id": "item_id", "评分": "rating", "时间": "timestamp"},
        ),
        ("interactions", {"id": "other", "user_id": "user_id", "title": "title", "split": "split"}),
        ("users", {"id": "user_id", "age": "user attribute", "title": "user attribute"}),
        ("single", {"title": "title", "rating": "other", "date": "other", "split": "other"}),
        ("single", {"query": "query", "title": "title", "split": "split", "rating": "other"}),
        ("single", {"user": "user_id", "title": "title", "stars": "rating", "date": "timestamp", "split": "split"}),
    ],
)
def test_roles_by_name(part: Part, expected: dict[str, str]) -> None:
    assert roles(part, *expected) == expected


@pytest.mark.parametrize("name", ["movie_id", "Movie ID", " MOVIE-id ", "movieId", "ｍｏｖｉｅ＿ｉｄ"])
def test_names_are_normalised(name: str) -> None:
    assert normalise(name) == "movieid"


def test_every_synonym_is_normal_and_every_role_knows_itself() -> None:
    for role, names in SYNONYMS.items():
        assert all(normalise(name) == name for name in names)
        assert normalise(role) in names


def test_every_column_has_a_reason() -> None:
    meanings = map_columns(table("title", "name", "colour"), "items")
    assert [meaning.reason for meaning in meanings.values()] == [
        "the name 'title' means title",
        "could be title, but 'title' is the surer name",
        "no known name; kept as a further column of the item",
    ]


def test_the_one_column_of_text_stands_in_for_the_title() -> None:
    frame = pd.DataFrame({"sku": ["1", "2"], "what": ["A", "b c"], "price": ["3", ""]}, index=[1, 2], dtype="str")
    meanings = map_columns(Table("x.csv", frame, 2), "items")
    assert column_of(meanings, "title") == "what"
    assert "only column of text" in meanings["what"].reason
    assert roles("items", "id", "description") == {"id": "item_id", "description": "title"}


@pytest.mark.parametrize(
    ("part", "names", "said"),
    [
        (
            "items",
            ("id", "colour", "shape"),
            "No column is the title; the columns are 'id', 'colour', 'shape'. Name it 'title' (also",
        ),
        ("single", ("query", "item_id"), "No column is the title"),
        ("pairs", ("title", "split"), "No column is the query"),
        ("pairs", ("query", "split"), "No column is the item_id"),
        ("interactions", ("item_id", "rating"), "No column is the user_id"),
        ("users", ("age",), "No column is the user_id"),
        ("single", ("1", "Alien"), "The first line does not look like column names"),
    ],
)
def test_missing_columns_name_what_is_understood(part: Part, names: tuple[str, ...], said: str) -> None:
    with pytest.raises(DataError) as caught:
        map_columns(table(*names), part)
    assert said in str(caught.value)
    assert caught.value.where == "x.csv"
    assert caught.value.hint


def test_no_usable_column() -> None:
    with pytest.raises(DataError, match="标题, 名称"):
        map_columns(table("a", "b", values=("1", "2")), "single")

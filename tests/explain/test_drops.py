"""A request with one thing less each time."""

from __future__ import annotations

import pytest

from gpr.data.dataset import Request
from gpr.explain.drops import MOST_ITEMS, MOST_PHRASES, drops, phrases


@pytest.mark.parametrize(
    ("query", "pieces"),
    [
        ("dreams", ["dreams"]),
        ("a film about dreams", ["a film", "about dreams"]),
        ("the end of the world, in paris!", ["the end", "of the world,", "in paris!"]),
        ("something to think of", ["something", "to think of"]),
        ("to be or not to be", ["to", "be", "or", "not", "to", "be"]),
        ("关于梦的电影", ["关于梦", "的电影"]),
        ("想学怎么让电脑看懂文章", ["想学", "怎么让电脑", "看懂", "文章"]),
        ("科幻电影 by nolan", ["科幻", "电影", "by nolan"]),
        ("", []),
        ("?!", ["?!"]),
    ],
)
def test_queries_in_pieces(query: str, pieces: list[str]) -> None:
    assert [query[start:end] for start, end in phrases(query)] == pieces


def test_a_long_query_is_cut_into_phrases_that_hold_all_of_it() -> None:
    query = " ".join(f"word{number}" for number in range(57))
    found = phrases(query)
    assert len(found) == MOST_PHRASES
    assert " ".join(query[start:end] for start, end in found) == query
    assert max(end - start for start, end in found) < len(query) / 4


def test_what_is_left_of_a_request() -> None:
    found = drops(Request("a film about dreams", (4, 7, 4), "age 24"))
    assert [(drop.text, drop.item) for drop in found] == [
        ("a film", None), ("about dreams", None), ("", 4), ("", 7), ("", 4),
    ]  # fmt: skip
    assert [drop.left.query for drop in found[:2]] == ["about dreams", "a film"]
    assert [drop.left.history for drop in found[2:]] == [(4, 7), (4, 4), (7, 4)]
    assert {drop.left.user for drop in found} == {"age 24"}


def test_of_a_long_history_the_most_recent_items_are_dropped() -> None:
    found = drops(Request("", tuple(range(30))))
    assert [drop.item for drop in found] == list(range(29, 29 - MOST_ITEMS, -1))

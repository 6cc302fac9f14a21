from __future__ import annotations

import pytest

from gpr.data.dataset import Dataset, Request
from gpr.scorers.words import Words, terms
from tests.small_data import catalogue_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The Hunted Creatures!", ["hunt", "creatur"]),
        ("Amélie's year 2001", ["améli", "s", "year", "2001"]),
        ("盗梦空间", ["盗梦", "梦空", "空间"]),
        ("梦", ["梦"]),
        ("red_shoes __init__", ["red", "shoe", "init"]),
        ("AI时代 one", ["ai", "时代", "one"]),
        ("the of and", []),
        ("?! 🎬", []),
    ],
)
def test_terms(text: str, found: list[str]) -> None:
    assert terms(text) == found


def best(words: Words, films: Dataset, request: Request) -> str:
    return films.catalogue.titles[int(words.score_all([request])[0].argmax())]


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("a simulated world", "The Matrix"),  # stem of a word of the description
        ("casablanca", "Casablanca"),
        ("desert", "Dune"),
        ("comedy", "Groundhog Day"),  # a further column
        ("空间", "盗梦空间"),
        ("潜入", "盗梦空间"),
    ],
)
def test_an_item_is_found_by_its_own_words(films: Dataset, query: str, title: str) -> None:
    assert best(Words(films), films, Request(query)) == title


def test_training_queries_are_words_of_the_item_on_request(films: Dataset) -> None:
    asked = Request("curses of the egyptian old")
    assert best(Words(films, with_queries=True), films, asked) == "The Mummy"
    assert not Words(films).score_all([Request("soldiers")]).any()
    assert best(Words(films, with_queries=True), films, Request("soldiers")) == "Aliens"


def test_test_queries_are_not(films: Dataset) -> None:
    scores = Words(films, with_queries=True).score_all([Request("cops robbers scary sand")])
    assert not scores.any()


def test_a_history_counts_by_the_words_of_its_titles(films: Dataset) -> None:
    scores = Words(films).score_all([Request("", (8,)), Request("heat")])
    assert (scores[0] == scores[1]).all()


def test_items_without_a_word_in_common_have_nothing(films: Dataset) -> None:
    scores = Words(films).score_all([Request("desert"), Request("zzz"), Request()])
    assert (scores[0] > 0).sum() == 1
    assert not scores[1:].any()


def test_a_catalogue_without_a_word_is_answered() -> None:
    data = Dataset("d", catalogue_of(["!", "?"]), {"train": (), "valid": (), "test": ()})
    assert Words(data).score_all([Request("a"), Request("!")]).tolist() == [[0, 0], [0, 0]]

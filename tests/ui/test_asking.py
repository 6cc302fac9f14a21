"""What is asked beside the first query, as values, as HTML, and as the query of an address."""

from __future__ import annotations

import pytest

from gpr.data.dataset import Catalogue
from gpr.data.filters import Choice, Facet, Filter, Range
from gpr.errors import RequestError
from gpr.ui.recommend.asking import Asking, moved
from gpr.ui.recommend.link import Link, found_data, link_of, read_link
from gpr.ui.recommend.panels import chips, filter_panel, slider_panel
from gpr.ui.recommend.picking import asked_before, remembered
from tests.ui.test_cards import EVIL, catalogue, is_text_only  # noqa: F401

KNOWN: list[Facet] = [Range("year", 1930, 2020, True), Choice("genre", (("Horror", 3), ("Comedy", 2)))]
FULL = Asking(
    ("less scary", "older than 1980"),
    (Filter("genre", ("Horror", "Comedy")), Filter("fee", low=0.5), Filter("year", low=1950, high=1999)),
    (("words", 2.5),),
    popularity=-0.5,
    novelty=0.3,
    diversity=0.9,
)


def test_a_follow_up_joins_the_query_or_filters() -> None:
    asking = Asking().and_then(" less  scary ").and_then("older than 1980").and_then("  ")
    assert asking.turns == ("less scary", "older than 1980")
    assert asking.text("a ghost film", KNOWN) == "a ghost film, less scary"
    assert asking.with_turn(0, "funny").text("", KNOWN) == "funny"
    assert asking.with_turn(1, "").turns == ("less scary",)
    assert asking.with_turn(7, "x") == asking


def test_moves_of_filters_and_sliders() -> None:
    asking = moved(Asking(), {"press": "value", "column": "genre", "name": "Horror", "on": "True"})
    asking = moved(asking, {"press": "low", "column": "year", "value": "1950"})
    asking = moved(asking, {"press": "weight", "name": "words", "value": "0.5"})
    asking = moved(asking, {"press": "wish", "name": "diversity", "value": "0.4"})
    assert asking == Asking(
        (), (Filter("genre", ("Horror",)), Filter("year", low=1950)), (("words", 0.5),), diversity=0.4
    )
    asking = moved(asking, {"press": "value", "column": "genre", "name": "Horror", "on": "false"})
    asking = moved(asking, {"press": "low", "column": "year", "value": ""})
    asking = moved(asking, {"press": "weight", "name": "words", "value": "1"})
    assert asking == Asking(diversity=0.4)
    with pytest.raises(RequestError, match="no such filter"):
        moved(asking, {"press": "no"})


def test_a_link_says_all_of_it_again() -> None:
    link = link_of("films", "tuned", "a & b=c ünï", ["m1", "m 2"], 7, FULL)
    assert read_link(f"https://host:1/path/{link}") == Link("films", "tuned", "a & b=c ünï", ("m1", "m 2"), 7, FULL)
    assert link_of("films", "", "x", [], 10, Asking()) == "?data=films&q=x&k=10"


@pytest.mark.parametrize(
    ("query", "asking"),
    [
        ("weight.words=nan&popularity=inf&k=-3&max.year=soon", Asking()),
        ("weight.words=99&diversity=7&novelty=-1", Asking(weights=(("words", 3.0),), diversity=0.9)),
        ("weight=2&popularity.x=1&min.=3&is.=4&turns=5&__class__=6", Asking()),
        ("q=" + "x" * 9_000 + "&diversity=0.5", Asking()),
    ],
)
def test_what_is_wrong_in_a_link_counts_as_not_said(query: str, asking: Asking) -> None:
    found = read_link(f"http://host/?{query}")
    assert (found.asking, found.k) == (asking, 0)


def test_a_link_about_data_that_is_not_here_is_said_in_words() -> None:
    assert found_data("b", [("/some/b", "b")]) == "/some/b"
    with pytest.raises(RequestError, match="about data 'gone', which is not here"):
        found_data("gone", [("/some/b", "b")])


def test_panels_and_chips_show_text_from_outside_as_text(catalogue: Catalogue) -> None:  # noqa: F811
    evil = Asking((EVIL,), (Filter(EVIL, (EVIL,)),), ((EVIL, 2.0),))
    known: list[Facet] = [Choice(EVIL, ((EVIL, 2), ("x", 1))), Range(EVIL, 0, 1, False)]
    for html in (filter_panel(known, evil), slider_panel([EVIL], evil), chips(evil, [0], catalogue, known)):
        assert is_text_only(html)
        assert "&lt;script&gt;" in html


def test_panels_show_what_is_chosen(catalogue: Catalogue) -> None:  # noqa: F811
    html = filter_panel(KNOWN, FULL)
    assert html.count(" checked") == 2
    assert 'value="1950"' in html
    assert slider_panel(["words"], FULL).count('type="range"') == 4
    shown = chips(FULL, [], catalogue, KNOWN)
    for words in ("year ≤ 1979", "genre: Horror, Comedy", "fee ≥ 0.5", "year 1950–1999"):
        assert words in shown
    assert chips(Asking(), [], catalogue, KNOWN) == filter_panel([], FULL) == ""


def test_recent_queries_are_of_their_data_and_once_each() -> None:
    kept = remembered(remembered(remembered("broken", "a", "x"), "b", " y "), "a", "x")
    assert kept == [["a", "x"], ["b", "y"]]
    assert remembered(kept, "a", "  ") == kept
    assert asked_before([*kept, "broken", ["a"]], "a") == ["x"]

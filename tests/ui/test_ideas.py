"""What the model writes freely, as HTML: marked, and told apart from the catalogue."""

from __future__ import annotations

from gpr.explain.ideas import Idea
from gpr.ui.ideas import BLURB, IDEAS, QUERIES, ideas_html
from tests.small_data import catalogue_of

CATALOGUE = catalogue_of(["Alien", "<i>Heat</i>"])


def test_an_idea_says_whether_the_catalogue_has_it() -> None:
    known = Idea("Alien", True, 0, ((0, 0.9), (1, 0.25)))
    unknown = Idea("<b>Aliens in Rome</b>", True, None, ((1, 0.5), (0, -0.1)))
    page = ideas_html([known, unknown], CATALOGUE, IDEAS)
    assert page.count("generated text") == 2
    first, second = page.split("<li>")[1:]
    assert ">in your catalogue<" in first
    assert ">not in your catalogue<" in second
    assert "Nearest in your catalogue: &lt;i&gt;Heat&lt;/i&gt; (50%) · Alien (0%)" in second
    assert "<b>Aliens" not in page


def test_while_it_is_written_nothing_is_claimed() -> None:
    page = ideas_html([Idea("The", False), Idea("", False)], CATALOGUE, IDEAS)
    assert "The …" in page
    assert page.count("<li>") == 1
    assert "your catalogue<" not in page


def test_a_query_can_be_taken_once_it_is_written() -> None:
    page = ideas_html([Idea("love & war", True), Idea("a film", False)], CATALOGUE, QUERIES)
    assert page.count('data-query="love &amp; war"') == page.count("Take this query") == 1
    assert "Alien" in ideas_html([Idea("A ship.", True)], CATALOGUE, BLURB, "Alien")

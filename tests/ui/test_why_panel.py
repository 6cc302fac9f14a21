"""The reasons below a card: on the page, and as HTML."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from gpr.data.dataset import Dataset, Request
from gpr.data.load import load
from gpr.ranking import FEEDBACK, WISHED, Wish, rank
from gpr.ui.why_panel import why_panel
from tests.ui.conftest import Visit
from tests.ui.fake_recommender import FakeRecommender


@pytest.fixture
def dataset(data: str) -> Dataset:
    return load(data, cache=None)  # type: ignore[arg-type]


def test_texts_from_outside_are_escaped_and_all_four_reasons_are_there(dataset: Dataset) -> None:
    recommender = FakeRecommender(dataset, "")
    request = Request("<b>bold</b> dreams", (5,))
    scored = recommender.score(request)
    answer = rank(scored, Wish())
    html = why_panel(recommender.explainer(scored, answer).why(answer[0].number), dataset.catalogue, "")
    assert html.count("<h4>") == 4
    assert "without “&lt;b&gt;bold&lt;/b&gt;”" in html
    assert "without “&lt;script&gt;" in html
    assert "<script>" not in html
    assert "<b>Other</b>" not in html
    assert html.count("of 4 ways, others: &lt;b&gt;Other&lt;/b&gt; 50%") == html.count("of 4 ways") == 1
    assert "The base model was not trained on them" in html


def test_every_part_has_words(dataset: Dataset) -> None:
    scored = FakeRecommender(dataset, "").score(Request("dreams"))
    answer = rank(scored, Wish())
    why = FakeRecommender(dataset, "").explainer(scored, answer).why(answer[0].number)
    parts = dict.fromkeys(
        ("generate", "match", "head", "words", "wording", "encoder", "popular", WISHED, FEEDBACK), 1.0
    )
    html = why_panel(replace(why, shares=parts), dataset.catalogue, "")
    assert [name for name in parts if f">{name}<" in html] == []


@pytest.mark.browser
def test_why_opens_below_its_card_and_closes_again(visit: Visit) -> None:
    page = visit.open()
    visit.ask("simulation dreams")
    why = page.get_by_role("button", name="Why The Matrix", exact=True)
    why.click()
    panel = page.get_by_role("region", name="Why The Matrix")
    expect(panel.get_by_role("heading")).to_have_count(4)
    expect(panel).to_contain_text("without “simulation”")
    expect(panel).to_contain_text("is the world only a dream")
    expect(panel).to_contain_text("of 4 ways")
    expect(why).to_have_attribute("aria-pressed", "true")
    page.locator(".gpr-card").first.locator("[data-press=good]").click()
    expect(page.locator(".gpr-card[data-verdict=good]")).to_have_count(1)
    expect(panel).to_be_visible()
    why.click()
    expect(panel).to_have_count(0)

"""Asking on, filtering, sharing, as visitors meet it in a real browser."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import Visit
from tests.ui.fake import FakeWorkspace

pytestmark = pytest.mark.browser


def titles(page: Page) -> list[str]:
    return [title.split("\n")[0] for title in page.locator(".gpr-card h3").all_inner_texts()]


def test_ask_follow_up_filter_share_and_more_like_this(
    visit: Visit, browser: Browser, workspace: FakeWorkspace
) -> None:
    page = visit.open()
    expect(page.locator("#gpr-examples button").first).to_be_visible()
    place = "document.querySelector('#gpr-answer').getBoundingClientRect().top + scrollY"
    before = page.evaluate(place)
    visit.ask("comedy")
    expect(page.locator(".gpr-card")).to_have_count(7)
    assert page.evaluate(place) == before, "the layout has jumped"
    expect(page.locator("#gpr-examples")).to_contain_text("Asked before")
    height = page.locator("#gpr-examples .prose, #gpr-examples .html-container").first.bounding_box()
    assert height
    assert page.evaluate("localStorage['gpr-room-gpr-examples']") == f"{round(height['height'])}px"
    follow = page.locator("#gpr-refine textarea, #gpr-refine input")
    follow.fill("horror")
    follow.press("Enter")
    expect(page.get_by_label("Follow-up: horror")).to_have_value("horror")
    expect(page.locator(".gpr-card")).to_have_count(7)
    follow.fill("older than 1996")
    follow.press("Enter")
    expect(page.locator("#gpr-chips")).to_contain_text("year ≤ 1995")
    expect(page.locator(".gpr-card")).to_have_count(4)
    expect(page.locator("#gpr-answer")).to_contain_text("percentages are of the 4 that pass the filters")
    (model,) = workspace.loaded.values()
    assert [request.query for request in model.asked] == ["comedy", "comedy, horror"], "a filter asks no model"
    page.get_by_text("Filters, history and model").click()
    page.locator("#gpr-filters").get_by_label("Horror").check()
    expect(page.locator(".gpr-card")).to_have_count(1)
    assert titles(page) == ["Alien"]
    with page.expect_download() as saved:
        page.get_by_role("link", name="JSON").click()
    assert json.loads(saved.value.path().read_text())["recommendations"][0]["item_id"] == "m3"
    page.wait_for_function("location.search.includes('is.category=Horror')")
    said = parse_qs(urlsplit(page.url).query)
    assert (said["q"], said["turn"], said["is.category"]) == (["comedy"], ["horror", "older than 1996"], ["Horror"])
    other = browser.new_context().new_page()
    other.goto(page.url)
    expect(other.locator(".gpr-card")).to_have_count(1)
    assert titles(other) == ["Alien"]
    expect(other.locator("#gpr-query textarea")).to_have_value("comedy")
    other.context.close()
    page.get_by_role("button", name="Start over").click()
    expect(page.locator("#gpr-answer")).to_contain_text("Nothing asked yet")
    visit.ask("creature")
    page.get_by_role("button", name="More like Alien").click()
    expect(page.locator("#gpr-chips")).to_contain_text("Alien")
    expect(page.locator(".gpr-card")).to_have_count(6)
    assert "Alien" not in titles(page)
    assert model.asked[-1].history == (2,)


def test_three_at_once_never_see_each_others_state(visit: Visit, browser: Browser) -> None:
    visit.open()
    pages = [visit.page, *(browser.new_context().new_page() for _ in range(2))]
    queries, turns = ("creature", "doll", "weatherman"), ("horror", "before 1996", "paris")
    for page in pages[1:]:
        page.goto(visit.url)
        expect(page.locator("#gpr-header")).to_contain_text("Model ready")
    for page, query in zip(pages, queries, strict=True):
        page.locator("#gpr-query textarea").fill(query)
        page.locator("#gpr-query textarea").press("Enter")
    for page, turn in zip(pages, turns, strict=True):
        expect(page.locator(".gpr-card").first).to_be_visible()
        box = page.locator("#gpr-refine textarea, #gpr-refine input")
        box.fill(turn)
        box.press("Enter")
    for page, turn, first in zip(pages, turns, ("Alien", "Toy Story", "Groundhog Day"), strict=True):
        expect(page.get_by_label(f"Follow-up: {turn}")).to_be_visible()
        expect(page.locator("#gpr-chips input")).to_have_count(1)
        expect(page.locator(".gpr-card h3").first).to_contain_text(first)
    for page in pages[1:]:
        page.context.close()


def test_a_question_can_be_cancelled_while_the_model_is_loaded_and_is_answered_in_two_stages(
    visit: Visit, workspace: FakeWorkspace
) -> None:
    page = visit.page
    workspace.ready.clear()
    page.goto(visit.url)
    visit.ask("creature")
    expect(page.locator("#gpr-answer")).to_contain_text("still being loaded")
    page.locator("#gpr-answer").get_by_role("button", name="Cancel").click()
    expect(page.locator("#gpr-answer")).to_contain_text("Cancelled")
    workspace.ready.set()
    visit.ask("doll")
    expect(page.locator(".gpr-card h3").first).to_contain_text("Toy Story")
    (model,) = workspace.loaded.values()
    model.thought.clear()
    visit.ask("crew")
    answer = page.locator("#gpr-answer")
    expect(answer).to_contain_text("These are the best; their probabilities follow.")
    expect(page.locator(".gpr-card h3").first).to_contain_text("Alien")
    expect(answer.locator(".gpr-cards[inert] .gpr-verdict")).to_have_count(14)  # not to be pressed yet
    expect(answer).not_to_contain_text("%")
    first = titles(page)
    model.thought.set()
    expect(answer).to_contain_text("probability among 7 candidates")
    expect(page.locator(".gpr-odds b")).to_contain_text(["%"] * 7)
    assert titles(page) == first
    page.get_by_role("button", name="Good: Alien").click()
    expect(answer).to_contain_text("Stored as good")

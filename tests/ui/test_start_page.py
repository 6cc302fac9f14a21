"""The start screen and the tour, as a first visitor meets them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from gpr.errors import DataError
from gpr.ui import start
from gpr.ui.context import Context
from gpr.ui.language import translations
from tests.ui.conftest import Visit
from tests.ui.fake import FakeJobs, FakeRun, FakeWorkspace

ASSETS = Path(__file__).parents[2] / "assets"


@pytest.fixture
def context(workspace: FakeWorkspace) -> Context:
    workspace.ready_made = [FakeRun("sample-news", "news")]
    return Context(workspace, FakeJobs())  # type: ignore[arg-type]


@pytest.mark.browser
def test_a_sample_is_chosen_and_the_tour_goes_by_keyboard_and_comes_once(visit: Visit) -> None:
    page = visit.open()
    gallery, card = page.locator("#gpr-gallery"), page.locator("#gpr-tour-card")
    expect(gallery).to_be_visible()
    assert gallery.locator(".gpr-tile b").all_inner_texts()[-2:] == ["MovieLens", "Bring your own"]
    gallery.get_by_role("button", name="News").click()
    expect(gallery).to_be_hidden()
    expect(page.locator("#gpr-header")).to_contain_text("Run sample-news")
    expect(card.locator("[data-step=next]")).to_be_focused()
    steps = int(card.locator("footer span").inner_text().split("/")[1])
    for step in range(2, steps + 1):
        page.keyboard.press("ArrowRight")
        expect(card).to_contain_text(f"{step} / {steps}")
        expect(page.locator(".gpr-toured")).to_be_visible()
    page.keyboard.press("Enter")
    expect(card).to_have_count(0)
    page.reload()
    expect(page.locator("#gpr-header")).to_contain_text("Run sample-news")
    expect(gallery).to_be_hidden()
    page.get_by_role("button", name="Samples").click()
    gallery.get_by_role("button", name="Films well-known").click()
    expect(page.locator("#gpr-header")).to_contain_text("movies")
    expect(card).to_have_count(0)
    page.get_by_role("button", name="Tour", exact=True).click()
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)


@pytest.mark.browser
def test_the_page_can_be_used_below_it(visit: Visit) -> None:
    page = visit.open()
    gallery = page.locator("#gpr-gallery")
    expect(gallery).to_be_visible()
    visit.tab("Data")
    expect(page.locator("#gpr-sources")).to_be_visible()
    visit.tab("Recommend")
    expect(gallery).to_be_visible()
    visit.ask("something with sharks")
    expect(gallery).to_be_hidden()


@pytest.mark.browser
def test_movielens_asks_before_it_downloads_and_ones_own_table_is_the_last_way(
    visit: Visit, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    asked: list[str] = []
    known = workspace.dataset

    def dataset(data: str, seed: int = 0) -> object:
        if data != "movielens-100k":
            return known(data, seed)
        asked.append(data)
        raise DataError("There is no network.")

    monkeypatch.setattr(workspace, "dataset", dataset)
    monkeypatch.setattr(start, "is_here", lambda name, cache: name != "movielens-100k")
    page = visit.open()
    gallery = page.locator("#gpr-gallery")
    gallery.get_by_role("button", name="MovieLens").click()
    expect(gallery).to_contain_text("its licence forbids passing it on")
    assert asked == []
    gallery.get_by_role("button", name="Download").click()
    expect(gallery).to_contain_text("There is no network.")
    assert asked == ["movielens-100k"]
    gallery.get_by_role("button", name="Bring your own").click()
    expect(gallery).to_be_hidden()
    expect(page.get_by_label("Name", exact=True)).to_be_visible()


def test_who_was_here_or_asked_for_something_is_not_disturbed(context: Context, workspace: FakeWorkspace) -> None:
    screen = start.StartScreen.__new__(start.StartScreen)
    screen.context = context
    assert "data-open" in screen.open(None, None)  # type: ignore[arg-type]
    assert "data-open" not in screen.open(context.remember(context.first()), None)  # type: ignore[arg-type]
    screen.context = Context(workspace, FakeJobs(), data="news", pinned=True)  # type: ignore[arg-type]
    assert "data-open" not in screen.open(None, None)  # type: ignore[arg-type]
    assert context.choose("news").run == "sample-news"
    workspace.base = "other"
    assert context.choose("news").run == "", "it has another base model than the workspace"


def test_the_tour_speaks_chinese() -> None:
    said = re.findall(r'(?:title: |text: |say\(|text:\n\s+)("[^"]+")', (ASSETS / "tour.js").read_text(encoding="utf-8"))
    assert len(said) == 18
    assert [text for text in map(json.loads, said) if text not in translations("zh")] == []

"""The page as a visitor meets it, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, expect

from gpr.errors import ModelError, WorkspaceError
from tests.ui.conftest import Visit
from tests.ui.fake import FakeRun, FakeWorkspace

pytestmark = pytest.mark.browser
TABS = ["Data", "Fine-tune", "Recommend", "Label", "Evaluate"]


def cards(visit: Visit) -> Locator:
    return visit.page.locator(".gpr-card")


def test_five_tabs_under_a_header_that_says_what_is_active(visit: Visit) -> None:
    page = visit.open()
    assert page.get_by_role("tab").all_inner_texts() == TABS
    expect(page.locator("#gpr-header")).to_contain_text("tiny")
    expect(page.locator("#gpr-header")).to_contain_text("Base model, not fine-tuned")
    assert page.locator("footer").count() == 0


def test_the_page_is_there_before_the_model(visit: Visit, workspace: FakeWorkspace) -> None:
    workspace.ready.clear()
    visit.page.goto(visit.url)
    expect(visit.page.locator("#gpr-header")).to_contain_text("Loading the model")
    visit.ask("dream")
    expect(visit.page.locator("#gpr-answer")).to_contain_text("still being loaded")
    workspace.ready.set()
    expect(cards(visit).first).to_be_visible()
    expect(visit.page.locator("#gpr-header")).to_contain_text("Model ready")


def test_a_model_that_cannot_be_loaded_is_said_in_words(visit: Visit, workspace: FakeWorkspace) -> None:
    workspace.fault = ModelError("The base model is missing.", hint="Run make run.")
    visit.page.goto(visit.url)
    expect(visit.page.locator("#gpr-header")).to_contain_text("The base model is missing. Run make run.")
    visit.ask("dream")
    expect(visit.page.locator("#gpr-answer .gpr-bad")).to_contain_text("The base model is missing.")
    workspace.fault = None
    visit.ask("dream")
    expect(cards(visit).first).to_be_visible()


def test_a_press_on_good_is_stored_at_once_and_again_taken_back(visit: Visit, workspace: FakeWorkspace) -> None:
    visit.open()
    visit.ask("simulation hacker")
    expect(cards(visit)).to_have_count(7)
    expect(cards(visit).first).to_contain_text("The Matrix")
    expect(visit.page.locator("#gpr-answer")).to_contain_text("base model, not fine-tuned")
    good = cards(visit).first.get_by_role("button", name="Good: The Matrix")
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
    [label] = workspace.labels.current()
    assert (label.verdict, label.item_id, label.query, label.annotator) == ("good", "m1", "simulation hacker", "me")
    assert label.rank == 1
    assert label.scores == {"generate": 2.0, "match": -2.0}
    good.click()
    expect(good).to_have_attribute("aria-pressed", "false")
    assert workspace.labels.current() == []


@pytest.mark.parametrize("width", [1280, 760, 390])
def test_all_buttons_of_a_card_are_inside_of_it(visit: Visit, width: int) -> None:
    page = visit.open()
    page.set_viewport_size({"width": width, "height": 844})
    visit.ask("monster")
    expect(cards(visit).first).to_be_visible()
    inside = """card => {
        const { right } = card.getBoundingClientRect(), padding = parseFloat(getComputedStyle(card).paddingRight);
        return [...card.querySelectorAll("button")].map(one => one.getBoundingClientRect().right <= right - padding);
    }"""
    assert cards(visit).first.evaluate(inside) == [True] * 4


def test_a_label_is_shown_again_when_the_same_is_asked(visit: Visit) -> None:
    visit.open()
    visit.ask("monster")
    cards(visit).first.locator("[data-press=bad]").click()
    expect(visit.page.locator(".gpr-card[data-verdict=bad]")).to_have_count(1)
    visit.page.reload()
    expect(visit.page.get_by_label("What are you looking for?")).to_have_value("monster")  # the address asks by itself
    expect(visit.page.locator(".gpr-card[data-verdict=bad]")).to_have_count(1)
    visit.ask("monster")
    expect(cards(visit)).to_have_count(7)
    expect(visit.page.locator(".gpr-card[data-verdict=bad]")).to_have_count(1)


@pytest.mark.parametrize(("query", "words"), [("   ", "The request is empty."), ("x" * 10_000, "10,000 characters")])
def test_a_query_that_cannot_be_answered_is_said_in_words(visit: Visit, query: str, words: str) -> None:
    visit.open()
    visit.ask(query)
    expect(visit.page.locator("#gpr-answer .gpr-bad")).to_contain_text(words)


def test_an_example_asks_and_titles_are_text(visit: Visit) -> None:
    page = visit.open()
    page.locator("#gpr-examples button").first.click()
    expect(cards(visit)).to_have_count(7)
    expect(page.locator("#gpr-answer")).to_contain_text("<script>window.hacked = 1</script> & <b>Sons</b>")
    expect(page.locator("#gpr-answer")).to_contain_text("${1+1} {{1}} <gpr-x")
    assert page.evaluate("window.hacked") is None


def test_a_history_and_a_number_are_answered(visit: Visit) -> None:
    page = visit.open()
    page.get_by_text("Filters, history and model").click()
    page.get_by_role("combobox", name="History").fill("Matr")
    page.get_by_role("option", name="The Matrix").click()
    page.keyboard.press("Escape")
    page.locator("#gpr-k input[type=number]").fill("2")
    page.locator("#gpr-go").click()
    expect(cards(visit)).to_have_count(2)
    expect(page.locator("#gpr-answer")).not_to_contain_text("The Matrix")


def test_a_press_that_cannot_be_stored_is_said_in_words_and_not_shown_as_stored(
    visit: Visit, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*said: object, **more: object) -> None:
        raise WorkspaceError("The disk is full.", hint="Free some space.")

    monkeypatch.setattr(workspace.labels, "add", full)
    page = visit.open()
    visit.ask("monster")
    cards(visit).first.locator("[data-press=good]").click()
    expect(page.locator(".toast-body")).to_contain_text("The disk is full. Free some space.")
    expect(page.locator(".gpr-card[data-verdict=good]")).to_have_count(0)


def test_two_visitors_do_not_see_each_other(visit: Visit, browser: Browser, workspace: FakeWorkspace) -> None:
    page = visit.open()
    visit.ask("creature")
    expect(cards(visit).first).to_contain_text("Alien")
    other = browser.new_context().new_page()
    other.goto(visit.url)
    expect(other.locator("#gpr-answer")).to_contain_text("Nothing asked yet")
    other.locator("#gpr-query textarea").fill("doll")
    other.locator("#gpr-query textarea").press("Enter")
    expect(other.locator(".gpr-card").first).to_be_visible()
    other.locator(".gpr-card [data-press=bad]").first.click()
    expect(other.locator(".gpr-card[data-verdict=bad]")).to_have_count(1)
    other.get_by_role("tab", name="Data", exact=True).click()
    other.locator("#gpr-sources").get_by_role("button", name="funds").click()
    expect(other.locator("#gpr-header")).to_contain_text("funds")
    expect(other.locator("#gpr-answer .gpr-card")).to_have_count(0)
    cards(visit).first.locator("[data-press=good]").click()
    expect(page.locator(".gpr-card[data-verdict=good]")).to_have_count(1)
    expect(page.locator(".gpr-card[data-verdict=bad]")).to_have_count(0)
    expect(page.locator("#gpr-header")).to_contain_text("tiny")
    stored = [(label.query, label.verdict) for label in workspace.labels.current()]
    assert stored == [("doll", "bad"), ("creature", "good")]
    other.context.close()


def test_a_run_is_started_watched_from_a_new_page_stopped_and_used(visit: Visit, workspace: FakeWorkspace) -> None:
    page = visit.open()
    visit.tab("Fine-tune")
    expect(page.get_by_label("Name of the run")).to_have_value("tiny-1")
    page.locator("#gpr-start").click()
    card = page.locator("#gpr-run-card")
    expect(card).to_contain_text("step 3 of 60")
    expect(card).to_contain_text("about 1 min 30 s left")
    expect(page.locator("#gpr-curve")).to_be_visible()
    expect(page.locator("#gpr-start")).to_have_text("Add to queue")
    page.goto("about:blank")
    workspace.known = [FakeRun("tiny-1", workspace.known[0].data, status="running", step=30, metrics={})]
    page.goto(visit.url)
    expect(page.locator("#gpr-header")).to_contain_text("Fine-tuning tiny-1 50%")
    visit.tab("Fine-tune")
    expect(card).to_contain_text("step 30 of 60")
    page.locator("#gpr-stop").click()
    expect(card).to_contain_text("stopped, usable")
    page.get_by_role("button", name="Use this run: tiny-1").click()
    expect(page.locator("#gpr-header")).to_contain_text("Run tiny-1")
    visit.tab("Recommend")
    visit.ask("dream")
    expect(page.locator("#gpr-answer")).to_contain_text("run tiny-1")


def test_a_failed_run_says_why(visit: Visit, workspace: FakeWorkspace, data: str) -> None:
    workspace.known = [FakeRun("tiny-1", data, status="failed", message="The disk is full. Free some space.")]
    page = visit.open()
    visit.tab("Fine-tune")
    expect(page.locator("#gpr-run-card .gpr-bad").last).to_contain_text("The disk is full.")
    page.get_by_label("Name of the run").fill("tiny-1")
    page.locator("#gpr-start").click()
    expect(page.locator("#gpr-train-notice .gpr-bad")).to_contain_text("A run named 'tiny-1' exists.")


def test_a_fault_of_ours_is_shown_without_a_traceback(
    visit: Visit, workspace: FakeWorkspace, caplog: pytest.LogCaptureFixture
) -> None:
    visit.open()
    workspace.fault = KeyError("secret detail")
    visit.ask("dream")
    expect(visit.page.locator("#gpr-answer .gpr-bad")).to_contain_text("Something went wrong on our side.")
    expect(visit.page.locator("body")).not_to_contain_text("secret detail")
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(visit: Visit, theme: str) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 844})
    page = visit.open(f"/?__theme={theme}")
    visit.ask("monster")
    expect(cards(visit)).to_have_count(7)
    for name in TABS:
        visit.tab(name)
        expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, name

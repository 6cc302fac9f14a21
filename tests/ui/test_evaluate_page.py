"""The tab Evaluate in a browser: figures, requests, reports; stopped and found again."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.ui.conftest import Visit
from tests.ui.fake import FakeWorkspace


def test_an_evaluation_from_figures_to_single_requests(visit: Visit) -> None:
    page = visit.open()
    visit.tab("Evaluate")
    expect(page.locator("#gpr-evaluate-about")).to_contain_text("since no run is chosen")
    page.locator("#gpr-evaluate").click()
    rows = page.locator("#gpr-metrics tbody tr")
    expect(rows).to_have_count(7)
    expect(rows.first).to_contain_text("★")
    expect(rows.last).to_contain_text("p < .001")
    expect(page.locator("#gpr-metrics")).to_contain_text("40 requests of the test split of tiny. Full ranking.")
    expect(page.locator("#gpr-verdict-words")).to_contain_text("Significantly better than Model: titles")
    page.locator("#gpr-metric").get_by_text("R@1", exact=True).click()
    expect(page.locator("#gpr-metrics thead")).to_contain_text("GPR differs in R@1")
    page.get_by_role("button", name="By group, and for cold items").click()
    expect(page.locator("#gpr-groups")).to_contain_text("cold items")
    page.get_by_role("button", name="Do probabilities mean what they say?").click()
    expect(page.locator("#gpr-reliability .js-plotly-plot")).to_be_visible()
    page.get_by_role("button", name="Request by request").click()
    page.get_by_label("Against").click()
    page.get_by_role("option", name="BM25", exact=True).click()
    first = page.locator("#gpr-requests details").first
    expect(first).to_contain_text("query <0>")
    first.locator("summary").click()
    expect(first.locator("section").nth(1).locator(".gpr-hit")).to_contain_text("The Matrix")
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_a_report_to_hand_on(visit: Visit, workspace: FakeWorkspace, data: str) -> None:
    workspace.evaluate(data)
    page = visit.open()
    visit.tab("Evaluate")  # what is kept is there at once
    for name, kind, start in (("Report as HTML", "html", "<!doctype html>"), ("as Markdown", "md", "# Evaluation")):
        with page.expect_download() as got:
            page.get_by_role("button", name=name).click()
        assert got.value.suggested_filename == f"evaluation-tiny-base.{kind}"
        assert Path(got.value.path()).read_text(encoding="utf-8").startswith(start)


def test_it_stops_and_goes_on(visit: Visit, workspace: FakeWorkspace) -> None:
    workspace.quick.clear()
    page = visit.open()
    visit.tab("Evaluate")
    page.locator("#gpr-evaluate").click()
    expect(page.locator("#gpr-evaluate-status")).to_contain_text("about 9 s left")
    page.locator("#gpr-evaluate-stop").click()
    expect(page.locator("#gpr-evaluate-status")).to_contain_text("Stopped at 50%")
    workspace.quick.set()
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#gpr-metrics tbody tr")).to_have_count(7)

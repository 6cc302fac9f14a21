"""The page for people who do not see it well, or hear it read: what axe finds."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.ui.conftest import Visit
from tests.ui.fake import FakeRun, FakeWorkspace, made_up_table

pytestmark = pytest.mark.browser
RULES: dict[str, dict[str, Any]] = {
    "light": {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "dark": {"runOnly": ["color-contrast"]},
}
"""Names and roles are the same in the dark."""
GRADIO = {"aria-prohibited-attr": (".empty",)}
"""Rule -> what gradio (6.31) makes itself and breaks the rule with: a plot without a picture is a div with a label."""
UNFOLD = """() => {
    for (const fold of document.querySelectorAll("button.label-wrap:not(.open)"))
        if (fold.checkVisibility()) fold.click();
}"""


def faults(visit: Visit, theme: str) -> list[str]:
    """What axe finds wrong on the page as it stands."""
    found = Axe().run(visit.page, options=RULES[theme] | {"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{fault['id']}: {node['target'][0]}: {node['html'][:300]} {node['failureSummary'][:300]}"
        for fault in found
        for node in fault["nodes"]
        if not any(part in node["target"][0] for part in GRADIO.get(fault["id"], ()))
    ]


def test_axe_finds_nothing_on_five_tabs_in_light_and_dark(visit: Visit, workspace: FakeWorkspace, data: str) -> None:
    workspace.tables[data, ""] = made_up_table(workspace.dataset(data))
    workspace.known = [FakeRun("one", data, status="failed", message="No."), FakeRun("other", data)]
    page = visit.page
    page.emulate_media(reduced_motion="reduce")
    visit.open("?data=tiny&q=monster")
    cards = page.locator(".gpr-card")
    cards.nth(0).locator("[data-press=good]").click()
    cards.nth(1).locator("[data-press=bad]").click()
    cards.nth(0).locator("[data-press=why]").click()
    expect(page.locator(".gpr-why .gpr-path")).to_be_visible()
    visit.tab("Label")
    page.get_by_label("Your name").fill("ada")
    page.get_by_label("Your name").press("Enter")
    expect(page.locator(".gpr-judge h3").first).to_be_visible()
    found = []
    for theme in RULES:
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
        for name in page.get_by_role("tab").all_inner_texts():
            visit.tab(name)
            expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
            page.evaluate(UNFOLD)
            if name == "Evaluate":
                expect(page.locator("#gpr-reliability .js-plotly-plot")).to_be_visible()
            found += [f"{theme} {name}: {fault}" for fault in faults(visit, theme)]
    assert found == []

"""The map of what the model believes: its numbers, and on the page, where plotly is this server's own."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from gpr.ui.belief import belief_html
from tests.small_data import catalogue_of
from tests.ui.conftest import Visit
from tests.ui.fake import FakeRun, FakeWorkspace

CATALOGUE = catalogue_of(["<i>A</i>", "B", "C"], category=["Drama", "Drama", "<b>War</b>"])


def figure(page: str) -> Any:
    found = re.search(r'data-map="([^"]*)"', page)
    assert found
    return json.loads(html.unescape(found[1]))


def test_the_smallest_rectangles_sum_to_the_whole_and_texts_are_escaped() -> None:
    page = belief_html(CATALOGUE, np.array([0.5, 0.3, 0.2]), None, "")
    drawn = figure(page)
    assert sum(drawn["values"]) == pytest.approx(1)
    assert set(drawn["above"]) - {""} <= set(drawn["keys"])
    assert drawn["labels"][:3] == ["The whole catalogue", "Drama", "&lt;i&gt;A&lt;/i&gt;"]
    assert drawn["percents"][:3] == ["100%", "80%", "50%"]
    assert drawn["differences"] == []
    assert [name for name in drawn["names"] if name] == ["Drama", "<b>War</b>"]
    assert "<b>War</b>" not in page


def test_beside_another_model_the_differences_are_told() -> None:
    page = belief_html(CATALOGUE, np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5]), "the base model")
    drawn = figure(page)
    assert dict(zip(drawn["keys"], drawn["differences"], strict=True)) == {
        "all": 0, "c0": pytest.approx(0.3), "i0": pytest.approx(0.3), "i1": 0, "c1": pytest.approx(-0.3),
        "i2": pytest.approx(-0.3),
    }  # fmt: skip
    assert "Believes more in than the base model" in page
    assert "20% → 50%" in page
    assert "-30.0 points" in page


@pytest.mark.browser
def test_the_map_is_drawn_zoomed_and_compared(visit: Visit, workspace: FakeWorkspace, data: str) -> None:
    workspace.known.append(FakeRun("backwards", data))
    page = visit.open()
    visit.ask("simulation")
    expect(page.locator(".gpr-card").first).to_be_visible()
    page.get_by_role("button", name="What the model believes").click()
    drawn = page.locator(".gpr-map[data-drawn]")
    expect(drawn).to_be_visible()
    rectangles = drawn.locator(".slice")
    shown = rectangles.count()
    assert shown > 8
    drawn.click()
    expect(rectangles).not_to_have_count(shown)
    page.get_by_role("button", name="Show only these").click()
    expect(page.locator("#gpr-chips")).to_contain_text("category: ")
    expect(page.locator(".gpr-card")).not_to_have_count(7)
    page.get_by_text("Filters, history and model").click()
    expect(page.locator("#gpr-filters input:checked")).to_have_count(1)
    page.get_by_label("Compare with").click()
    page.get_by_role("option").last.click()
    expect(page.locator(".gpr-belief aside")).to_contain_text("Believes more in than")
    expect(drawn).to_be_visible()

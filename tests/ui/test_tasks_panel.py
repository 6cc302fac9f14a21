"""The panel for runs that classify or score, on a page: it is there when there are such runs, and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpr.ui.context import Context
from gpr.ui.tasks_panel import bars
from tests.ui.fake import FakeRun, FakeWorkspace

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_bars_show_names_as_they_are() -> None:
    shown = bars([("<b>Knits</b>", 0.75)])
    assert "&lt;b&gt;Knits" in shown
    assert "75.0%" in shown
    assert "width:75.0%" in shown


def test_a_run_of_a_task_recommends_nothing_itself(workspace: FakeWorkspace, context: Context, data: str) -> None:
    workspace.known = [FakeRun("r", data), FakeRun("c", data, task="classify"), FakeRun("s", data, task="score")]
    assert [run.name for run in context.usable_runs()] == ["r"]
    assert [run.name for run in context.task_runs()] == ["s", "c"]


def test_a_text_is_classified_on_the_page(page: Page, url: str, workspace: FakeWorkspace, data: str) -> None:
    page.goto(url)
    assert not page.get_by_text("Classify or score").is_visible()
    workspace.known = [FakeRun("c", data, task="classify")]
    page.get_by_role("tab", name="Data").click()
    page.get_by_role("tab", name="Recommend").click()
    page.get_by_text("Classify or score").click()
    page.locator("#gpr-task-text textarea").fill("freighter creature")
    page.locator("#gpr-task-go").click()
    first = page.locator("#gpr-task-out li").first
    first.wait_for()
    assert "Alien" in first.inner_text()

"""What an annotator meets on the tab Label when something goes wrong, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from gpr.errors import ModelError, WorkspaceError
from tests.ui.conftest import Visit
from tests.ui.fake import FakeWorkspace
from tests.ui.test_label_page import said, sit_down, verdicts

pytestmark = pytest.mark.browser


def test_a_label_that_cannot_be_stored_is_said_in_words_and_not_counted(
    visit: Visit, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*said: object, **more: object) -> None:
        raise WorkspaceError("The disk is full.", hint="Free some space.")

    title, page = sit_down(visit), visit.page
    first = title.inner_text()
    with monkeypatch.context() as patch:
        patch.setattr(workspace.labels, "add", full)
        page.keyboard.press("g")
        expect(page.locator("#gpr-deck [role=alert]")).to_contain_text("The disk is full. Free some space.")
        expect(title).to_have_text(first)
    page.keyboard.press("g")
    said(visit, f"Good: {first}")
    expect(page.locator("#gpr-deck [role=alert]")).to_have_count(0)
    assert [label.title for label in workspace.labels.current()] == [first]  # type: ignore[union-attr]


def test_a_press_that_the_server_does_not_hear_is_told_and_can_be_repeated(
    visit: Visit, workspace: FakeWorkspace
) -> None:
    title, page = sit_down(visit), visit.page
    first = title.inner_text()
    page.keyboard.press("g")
    said(visit, f"Good: {first}")
    second = title.inner_text()
    page.route("**/component_server/**", lambda route: route.abort())
    for _ in range(2):
        page.keyboard.press("b")
        expect(page.locator("#gpr-deck [role=alert]")).to_have_count(1)
        expect(page.locator("#gpr-deck [role=alert]")).to_contain_text(
            "The server did not answer: this may not be stored."
        )
        expect(title).to_have_text(second)
    assert verdicts(workspace) == ["good"]
    page.unroute("**/component_server/**")
    page.keyboard.press("b")
    said(visit, f"Bad: {second}")
    expect(page.locator("#gpr-deck [role=alert]")).to_have_count(0)
    assert verdicts(workspace) == ["good", "bad"]
    visit.errors[:] = [error for error in visit.errors if "Failed to load resource" not in error]


def test_what_is_pressed_again_because_its_answer_was_lost_is_done_once(visit: Visit, workspace: FakeWorkspace) -> None:
    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    title, page = sit_down(visit), visit.page
    seen = []
    for _ in range(3):
        seen.append(title.inner_text())
        page.keyboard.press("g")
        said(visit, f"Good: {seen[-1]}")
    page.route("**/component_server/**", lose)
    page.keyboard.press("u")
    expect(page.locator("#gpr-deck [role=alert]")).to_contain_text("The server did not answer")
    page.unroute("**/component_server/**")
    page.keyboard.press("u")
    said(visit, f"Taken back: Good: {seen[2]}")
    assert verdicts(workspace) == ["good", "good"]
    page.keyboard.press("u")
    said(visit, f"Taken back: Good: {seen[1]}")
    assert verdicts(workspace) == ["good"]
    visit.errors[:] = [error for error in visit.errors if "Failed to load resource" not in error]


def test_an_answer_that_comes_when_another_sitting_is_shown_gives_way_to_it(
    visit: Visit, workspace: FakeWorkspace
) -> None:
    title, page = sit_down(visit), visit.page
    held: list[Route] = []
    first = title.inner_text()
    page.keyboard.press("g")
    said(visit, f"Good: {first}")
    page.route("**/component_server/**", lambda route: held.append(route))
    page.keyboard.press("g")
    page.get_by_label("Your name").fill("bob")
    page.get_by_label("Your name").press("Enter")
    expect(page.locator("#gpr-label-progress")).to_contain_text("0 labelled in this sitting")
    assert len(held) == 1
    page.unroute("**/component_server/**")  # which lets go what was held
    expect(title).to_have_text(first)
    page.keyboard.press("g")
    said(visit, f"Good: {first}")
    assert {label.annotator for label in workspace.labels.current()} == {"ada", "bob"}


def test_why_there_is_no_model_is_said_and_the_next_visit_tries_again(visit: Visit, workspace: FakeWorkspace) -> None:
    workspace.fault = ModelError("The base model is missing.", hint="Run make run.")
    visit.page.goto(visit.url)
    visit.tab("Label")
    visit.page.get_by_label("Your name").fill("ada")
    visit.page.get_by_label("Your name").press("Enter")
    expect(visit.page.locator("#gpr-deck [role=alert]")).to_contain_text("The base model is missing. Run make run.")
    workspace.fault = None
    visit.tab("Data")
    visit.tab("Label")
    expect(visit.page.locator(".gpr-judge")).to_be_visible()

"""A login: two annotators and the owner, each in a browser of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from gpr.ui.context import Context
from tests.ui.conftest import PANDAS_3_ON_GRADIO, WAIT_MS, served
from tests.ui.fake import FakeWorkspace

pytestmark = [pytest.mark.browser, *map(pytest.mark.filterwarnings, PANDAS_3_ON_GRADIO)]
PASSWORDS = {"olga": "secret-o", "ann": "secret-a", "bob": "secret-b"}
Enter = Callable[[str], Page]


@pytest.fixture
def enter(browser: Browser, context: Context) -> Iterator[Enter]:
    """Logs somebody in, and opens the tab Label."""
    context.owner = "olga"
    with ExitStack() as stack:
        url = stack.enter_context(served(context, [*PASSWORDS.items()]))

        def enter(name: str) -> Page:
            own = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
            stack.callback(own.close)
            page = own.new_page()
            page.set_default_timeout(WAIT_MS)
            page.goto(url)
            page.get_by_label("username", exact=False).fill(name)
            page.get_by_label("password", exact=False).fill(PASSWORDS[name])
            page.get_by_role("button", name="Login").click()
            expect(page.locator("#gpr-header")).to_contain_text("Model ready", timeout=WAIT_MS)
            page.get_by_role("tab", name="Label", exact=True).click()
            expect(page.locator(".gpr-judge h3").first).to_be_visible(timeout=WAIT_MS)
            return page

        yield enter


def test_two_annotators_disagree_and_the_owner_rules(enter: Enter, workspace: FakeWorkspace) -> None:
    titles = []
    for name, key in (("ann", "g"), ("bob", "b")):
        page = enter(name)
        box = page.get_by_label("Your name")
        expect(box).to_have_value(name)
        expect(box).to_be_disabled()
        titles.append(page.locator(".gpr-judge h3").first.inner_text())
        page.keyboard.press(key)
        expect(page.locator("#gpr-deck .gpr-last")).to_contain_text(titles[-1])
        page.keyboard.press("i")
        expect(page.locator("#gpr-guidelines-text")).to_contain_text("No guidelines yet.")
        expect(page.locator("#gpr-guidelines-save")).to_be_hidden()
    assert titles[0] == titles[1]
    assert {label.annotator: label.verdict for label in workspace.labels.current()} == {"ann": "good", "bob": "bad"}
    page = enter("olga")
    page.keyboard.press("i")
    expect(page.locator("#gpr-guidelines-save")).to_be_visible()
    page.get_by_text("Annotators, agreement and conflicts").click()
    expect(page.locator("#gpr-conflicts")).to_contain_text("ann: good; bob: bad")
    page.locator("#gpr-conflicts").get_by_role("button", name=f"Good: {titles[0]}").click()
    expect(page.locator("#gpr-conflicts")).not_to_contain_text("ann: good")
    [ruling] = workspace.labels.rulings()
    assert (ruling.title, ruling.verdict, ruling.annotator) == (titles[0], "good", "olga")

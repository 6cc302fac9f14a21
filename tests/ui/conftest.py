"""The page on a workspace without a model, started for one test, and a browser's page that watches for faults."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.ui.fake import FakeJobs, FakeWorkspace, write_data

if TYPE_CHECKING:
    from gradio import Blocks
    from playwright.sync_api import ConsoleMessage, Page, Request

    from gpr.ui.context import Context

WAIT_MS = 15_000
LEFT_BEHIND = """(() => {
    let left = false;
    const complain = console.error;
    addEventListener("beforeunload", () => { left = true; });
    console.error = (...said) => {
        const cutOff = /signal is aborted|Connection errored out/.test(said.map(String).join(" "));
        if (!(left && cutOff)) complain.apply(console, said);
    };
})();"""
"""A page that is being left cuts off what it waits for; gradio says so on its console, which nobody sees any more."""
PANDAS_3_ON_GRADIO = ("ignore:'future.no_silent_downcasting' is deprecated", "ignore:The copy keyword is deprecated")
"""What gradio's own statistics of events do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "url" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.filterwarnings(*PANDAS_3_ON_GRADIO))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[FakeWorkspace]:
    workspace = FakeWorkspace(tmp_path / "workspace")
    yield workspace
    workspace.ready.set()
    workspace.labels.close()


@pytest.fixture
def data(tmp_path: Path) -> str:
    return str(write_data(tmp_path / "tiny"))


@pytest.fixture
def context(workspace: FakeWorkspace, data: str) -> Context:
    from gpr.ui.context import Context

    return Context(workspace, FakeJobs(), data=data)  # type: ignore[arg-type]


@pytest.fixture
def url(context: Context) -> Iterator[str]:
    """The address of the page, started for this test."""
    with served(context) as address:
        yield address


@contextmanager
def served(context: Context, auth: list[tuple[str, str]] | None = None) -> Iterator[str]:
    """The page, started for a while; its address."""
    from gpr.ui.page import build, launch_settings

    async def start() -> Blocks:
        page = build(context)
        page.launch(
            server_name="127.0.0.1",
            server_port=port,
            prevent_thread_lock=True,
            quiet=True,
            auth=auth,
            **launch_settings(context),
        )
        return page

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with ThreadPoolExecutor(1) as starter:  # outside of a running event loop gradio makes some, and never closes them
        page = starter.submit(lambda: asyncio.run(start())).result()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        page.close(verbose=False)


@dataclass
class Visit:
    """A page in the browser, and what went wrong on it."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    """What the console complained about."""
    outside: list[str] = field(default_factory=list)
    """Requests that left this machine."""

    def open(self, path: str = "") -> Page:
        """The page, once its model is ready."""
        from playwright.sync_api import expect

        self.page.goto(self.url + path)
        expect(self.page.locator("#gpr-header")).to_contain_text("Model ready")
        return self.page

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name, exact=True).click()

    def ask(self, query: str) -> None:
        box = self.page.get_by_label("What are you looking for?")
        box.fill(query)
        box.press("Enter")

    def heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def requested(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            self.outside.append(request.url)


@pytest.fixture
def visit(page: Page, url: str) -> Iterator[Visit]:
    """A visitor. At the end nothing was requested from outside, and the console is clean."""
    from playwright.sync_api import expect

    visit = Visit(page, url)
    page.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    page.add_init_script(LEFT_BEHIND)
    page.on("console", visit.heard)
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on("request", visit.requested)
    yield visit
    page.goto("about:blank")
    assert visit.outside == []
    assert visit.errors == []

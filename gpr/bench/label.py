"""How quick labelling is: the time from a key press to the next card, in a real browser on the real page.

It starts the page on a workspace of its own, labels by keyboard at a person's pace, and looks after each card whether
the label was in the database before the card changed. Then it takes back, says again, kills the page, starts it anew,
and counts what is left. It needs Playwright and a Chromium.
"""

from __future__ import annotations

import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from gpr.errors import ModelError, WorkspaceError
from gpr.labels.store import LabelStore

LIMIT_MS = 60.0
"""The 95th percentile that is to be held."""
START_SECONDS, CARD_SECONDS = 300.0, 60.0
KEYS = ("g", "b", "ArrowRight", " ", "ArrowLeft")
APP = Path(__file__).parents[2] / "app.py"
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
WATCH = """() => {
  const shown = () => document.querySelector('#gpr-deck [data-turn]')?.dataset.turn;
  window.gprTimes = [];
  let pressed = 0, before = null;
  document.addEventListener('keydown', () => { pressed = performance.now(); before = shown(); }, true);
  new MutationObserver(() => {
    const now = shown();
    if (!pressed || !now || now === before) return;
    const from = pressed;
    pressed = 0;
    requestAnimationFrame(() => window.gprTimes.push(performance.now() - from));
  }).observe(document.getElementById('gpr-deck'), {childList: true, subtree: true, attributes: true});
}"""
"""Keeps the milliseconds from each key to the frame that shows another card."""


def measure(
    labels: int = 200, pause: float = 0.7, back: int = 50, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Labels so many cards of the sample 'movies', asked of the base model.

    Args:
        pause: seconds between a card and the next key, in which the server thinks ahead.
        back: labels to take back in the end, and to say again.
        say: hears how far it is.

    Returns:
        `labels`, `median_ms`, `p95_ms`, `max_ms`, `limit_ms`, `late` (labels that were not stored before the card
        changed), `after_undo`, `after_redo` and `after_kill` (labels that stood then) and `holds`.

    Raises:
        WorkspaceError: no Playwright, no Chromium, or the page does not start.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        raise WorkspaceError(
            "The browser cannot be driven.", hint="Install Playwright: pip install -r requirements-dev.txt"
        ) from None
    chromium = shutil.which("chromium")
    if chromium is None:
        raise WorkspaceError("There is no Chromium on the PATH.", hint="Install it (Debian: apt-get install chromium).")
    with tempfile.TemporaryDirectory(prefix="gpr-bench-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
        database = Path(folder) / "labels.db"
        try:
            with _server(folder) as url:
                page = _first_card(browser, url, "bench")
                say("The first card is there.")
                late = _label(page, database, labels, pause, say)
                times = [float(value) for value in page.evaluate("window.gprTimes")]
                counts = {
                    "after_undo": _press(page, database, "u", back),
                    "after_redo": _press(page, database, "y", back),
                }
            say("The page was killed, and starts again.")
            with _server(folder) as url:
                _first_card(browser, url, "bench")
                counts["after_kill"] = _standing(database)
        finally:
            browser.close()
    return _figures(times, late, counts, labels, back)


def _first_card(browser: Any, url: str, name: str) -> Any:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(1000 * CARD_SECONDS)
    page.goto(url)
    page.get_by_text("Model ready").wait_for(timeout=1000 * START_SECONDS)
    page.get_by_role("tab", name="Label", exact=True).click()
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your name").press("Enter")
    page.wait_for_selector("#gpr-deck [data-turn]")
    return page


def _standing(database: Path) -> int:
    """Labels that stand, as another process sees them."""
    store = LabelStore(database)
    try:
        return int(store.stats()["total"])
    finally:
        store.close()


def _press(page: Any, database: Path, key: str, times: int) -> int:
    """One press after the other, each answered; returns how many labels stand then."""
    for _ in range(times):
        before = page.locator("#gpr-deck [data-turn]").get_attribute("data-turn")
        page.keyboard.press(key)
        page.wait_for_function(
            "before => { const now = document.querySelector('#gpr-deck [data-turn]')?.dataset.turn;"
            " return now && now !== before; }",
            arg=before,
        )
    return _standing(database)


def _label(page: Any, database: Path, labels: int, pause: float, say: Callable[[str], None]) -> int:
    page.evaluate(WATCH)
    late = 0
    with closing(sqlite3.connect(database)) as connection:
        for number in range(1, labels + 1):
            page.wait_for_timeout(1000 * pause)
            page.keyboard.press(KEYS[number % len(KEYS)])
            page.wait_for_function(f"window.gprTimes.length === {number}")
            (kept,) = connection.execute("SELECT count(*) FROM label_actions WHERE verdict IS NOT NULL").fetchone()
            late += kept < number
            if number % 50 == 0:
                say(f"{number} labels")
    return late


def _figures(times: list[float], late: int, counts: dict[str, int], labels: int, back: int) -> dict[str, Any]:
    p95 = statistics.quantiles(times, n=20)[-1]
    kept = counts == {"after_undo": labels - back, "after_redo": labels, "after_kill": labels}
    return {
        "labels": len(times),
        "median_ms": round(statistics.median(times), 1),
        "p95_ms": round(p95, 1),
        "max_ms": round(max(times), 1),
        "limit_ms": LIMIT_MS,
        "late": late,
        **counts,
        "holds": p95 <= LIMIT_MS and late == 0 and kept,
    }


@contextmanager
def _server(folder: str) -> Iterator[str]:
    """The address of the page on a workspace; killed in the end, without a word before."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(APP), "--port", str(port), "--workspace", folder, "--data", "movies"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, server)
        yield url
    finally:
        server.kill()
        server.communicate()


def _wait(url: str, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            said = (server.stderr.read() if server.stderr else "").strip().splitlines()
            raise ModelError("The page did not start.", hint=said[-1] if said else "Start app.py to see why.")
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise ModelError(f"The page did not start in {START_SECONDS:.0f} seconds.", hint="Start app.py to see why.")

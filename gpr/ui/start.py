"""The start screen: the samples as tiles, and last 'bring your own'. It stands above the tabs until something is
chosen or asked; the browser shows and hides it (assets/start.js)."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from gpr.cache import cache_folder
from gpr.data.samples import DOWNLOADED, SAMPLES, is_here
from gpr.ui.context import Active, Context
from gpr.ui.data.sources import DOWNLOADS
from gpr.ui.events import REFRESH
from gpr.ui.language import say
from gpr.ui.messages import failure, notice
from gpr.ui.press import button, pressable, pressed
from gpr.ui.recommend.answering import Answering

TITLES = {
    "movies": "Films", "courses-zh": "Courses", "news": "News", "funds": "Funds", "movielens-100k": "MovieLens",
}  # fmt: skip
SIZE = "About 5 MB."
OWN = "A table with titles is enough. It stays on this machine."


class StartScreen:
    """Builds it; `wire` connects it."""

    def __init__(self, context: Context, active: gr.BrowserState) -> None:
        self.context, self.active = context, active
        self.screen = pressable(elem_id="gpr-start-screen")

    def wire(self, loaded: Any, tabs: gr.Tabs, own: gr.Accordion) -> None:
        """Args: loaded: the event of a new page. own: where one brings one's own table, on the tab Data."""
        loaded(self.open, self.active, self.screen, **REFRESH)
        self.screen.press(
            self.choose,
            self.active,
            [self.screen, self.active, tabs, own],
            concurrency_limit=4,
            show_progress="hidden",
            api_visibility="private",
        )

    def open(self, stored: object, who: gr.Request) -> str:
        """On a new page; shown at once to who comes for the first time, with nothing asked for."""
        new = not self.context.knows(stored) and self.context.default_start
        return self.html(open=new and not Answering(self.context).opened(stored, who)[1].data)

    def choose(self, stored: object, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        """A tile: its data with the run that comes with it, or the way to one's own."""
        press = pressed(event)
        wanted, nothing = press.get("source", ""), (gr.skip(), gr.skip(), gr.skip())
        if press["press"] == "own":
            yield self.html(), gr.skip(), gr.Tabs(selected="data"), gr.Accordion(open=True)
            return
        if press["press"] != "choose":
            yield self.html(open=True, asks=press["press"] == "ask"), *nothing
            return
        if not is_here(wanted, cache_folder()):
            yield self.html(open=True, words=notice("Downloading…")), *nothing
        try:
            self.context.dataset(Active(wanted))
            chosen = self.context.remember(self.context.choose(wanted))
        except Exception as error:
            yield self.html(open=True, words=failure(error)), *nothing
            return
        yield self.html(), chosen, gr.Tabs(selected="recommend"), gr.skip()

    def html(self, *, open: bool = False, asks: bool = False, words: str = "") -> str:
        """The dialog.

        Args:
            open: the browser shows it. asks: whether to download. words: HTML, what goes on or went wrong.
        """
        ready = {run.data for run in self.context.workspace.shipped()}
        tiles = "".join(_tile(name, ready=name in ready) for name in SAMPLES)
        tiles += _button("Bring your own", OWN, "", press="own", close="own")
        inside = _question() if asks else f'<div class="gpr-gallery">{tiles}</div>'
        shown = " data-open" if open else ""
        return (
            f'<dialog id="gpr-gallery" aria-labelledby="gpr-gallery-title"{shown}>'
            f'<h2 id="gpr-gallery-title">{say("What shall be recommended?")}</h2>'
            f"<p>{say('Choose a sample: each can be asked at once. Or bring a table of your own.')}</p>"
            f'{words}{inside}<div class="gpr-gallery-end">'
            f'<button type="button" class="gpr-button gpr-quiet" data-tour>{say("Tour of 60 seconds")}</button>'
            f'<button type="button" class="gpr-button gpr-quiet" data-close>{say("Close")}</button>'
            "</div></dialog>"
        )


def _tile(name: str, *, ready: bool) -> str:
    """A sample; one that is fetched first asks."""
    fetched = not is_here(name, cache_folder())
    badge = "ready to use" if ready else "asks before it downloads" if fetched else ""
    said = (TITLES[name], SAMPLES[name], badge)
    if fetched:
        return _button(*said, press="ask")
    return _button(*said, press="choose", source=name, close="chosen")


def _button(title: str, about: str, badge: str, press: str, **data: str) -> str:
    inside = f"<b>{escape(say(title))}</b><span>{escape(say(about))}</span>"
    inside += f"<small>{escape(say(badge))}</small>" if badge else ""
    return button(inside, press, style="gpr-tile", **data)  # type: ignore[arg-type]


def _question() -> str:
    """Before anything is fetched."""
    yes = button(escape(say("Download")), "choose", style="gpr-large", source=DOWNLOADED)
    no = button(escape(say("Back")), "back", style="gpr-large gpr-quiet")
    return f"<p>{escape(say(DOWNLOADS))} {escape(say(SIZE))}</p><p>{yes} {no}</p>"

"""The tab Label without a browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import pytest

from gpr.errors import WorkspaceError
from gpr.labels.label import Label
from gpr.labels.team import Team
from gpr.ui import label_tab
from gpr.ui.context import Context
from gpr.ui.deck import Deck, Sitting, Turn
from gpr.ui.label_tab import LabelTab


def tab_of(context: Context) -> LabelTab:
    async def build() -> LabelTab:
        with gr.Blocks():
            return LabelTab(context, gr.BrowserState(), gr.BrowserState(""), gr.State([]))

    with ThreadPoolExecutor(1) as builder:  # outside of a running event loop gradio makes some, and never closes them
        return builder.submit(lambda: asyncio.run(build())).result()


def shown(**data: str) -> gr.EventData:
    return gr.EventData(None, data)


@pytest.fixture
def overtaken(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sitting]:
    """A sitting whose deck comes to its end while the wait for its next turn is written."""
    written, thought = label_tab._turn, threading.Event()

    def turns() -> Iterator[Turn]:
        thought.wait(60)
        yield from ()

    def meanwhile(sitting: Sitting) -> str:
        html = written(sitting)
        sitting.deck.exhausted = True
        return html

    monkeypatch.setattr(label_tab, "_turn", meanwhile)
    yield Sitting("key", Deck(turns, 0, set()), "ada", 0, lambda said: None)
    thought.set()


def test_a_turn_that_comes_while_a_look_writes_the_wait_for_it_is_looked_for_again(
    context: Context, overtaken: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = tab_of(context)
    monkeypatch.setattr(tab.queue, "choice", lambda *about: overtaken.key)
    card, _, _, timer = tab.watch(None, "ada", "", [], overtaken, gr.Request())
    assert "Thinking of the next one" in card
    assert not overtaken.deck.waiting
    assert timer.active


def test_a_turn_that_comes_while_a_press_writes_the_wait_for_it_is_looked_for_again(
    context: Context, overtaken: Sitting
) -> None:
    tab, sitting = tab_of(context), overtaken
    card = tab._shown(sitting)
    assert "Thinking of the next one" in card
    assert not sitting.deck.waiting
    assert 'data-waits="yes"' in card
    assert tab.follow(sitting, shown(sitting=sitting.token, waits="yes"))[1].active
    assert tab.follow(sitting, shown(sitting="another", waits=""))[1].active
    assert tab.follow(sitting, shown(sitting=sitting.token, waits=""))[1] == gr.skip()


def test_a_label_is_told_as_stored_though_no_reason_for_it_can_be_read(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unread(team: Team) -> tuple[str, ...]:
        raise WorkspaceError("The reasons cannot be read.")

    monkeypatch.setattr(Team, "reasons", property(unread))
    sitting = Sitting("key", Deck(lambda: iter(()), 0, set()), "ada", 0, lambda said: None)
    sitting.latest = (Label("r", "q", (), "1", "t", "", 0.5, -1.0, 1, "bad", "ada"), "batch")
    assert "The reasons cannot be read." in tab_of(context)._shown(sitting)


def test_a_press_of_a_page_whose_server_was_started_anew_waits_for_a_new_sitting(context: Context) -> None:
    tab = tab_of(context)
    assert "One moment" in tab.press({"press": "good", "sitting": "of another server"})
    assert tab.follow(None, shown())[1].active
    assert context.workspace.labels.current() == []


def test_who_is_logged_in_labels_under_no_other_name(context: Context) -> None:
    tab = tab_of(context)
    sitting = Sitting("key", Deck(lambda: iter(()), 0, set()), "ada", 0, lambda said: None)
    tab.sittings[sitting.token] = sitting
    seen: list[str] = []
    tab._do = lambda sitting, press, annotator: seen.append(annotator)  # type: ignore[method-assign]
    for named in (True, False):
        sitting.named = named
        tab.press({"press": "undo", "sitting": sitting.token, "along": "bob"})
    assert seen == ["bob", "ada"]

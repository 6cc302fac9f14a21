"""The tab Label without a browser."""

from __future__ import annotations

import asyncio

import gradio as gr
import pytest

from gpr.ui import label_tab
from gpr.ui.context import Context
from gpr.ui.deck import Deck, Sitting
from gpr.ui.label_tab import LabelTab


def tab_of(context: Context) -> LabelTab:
    async def build() -> LabelTab:  # outside of a running event loop gradio makes some, and never closes them
        with gr.Blocks():
            return LabelTab(context, gr.BrowserState(), gr.BrowserState(""), gr.State([]))

    return asyncio.run(build())


def test_a_turn_that_comes_while_the_wait_for_it_is_written_is_looked_for_again(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = label_tab._turn

    def meanwhile(sitting: Sitting) -> str:
        html = written(sitting)
        sitting.deck.exhausted = True
        return html

    monkeypatch.setattr(label_tab, "_turn", meanwhile)
    sitting = Sitting("key", Deck(lambda: iter(()), 0, set()), "ada", 0, lambda said: None)
    assert "Thinking of the next one" in tab_of(context)._shown(sitting)
    assert not sitting.deck.waiting
    assert sitting.waits, "nothing would show that turn"


def test_a_press_of_a_page_whose_server_was_started_anew_waits_for_a_new_sitting(context: Context) -> None:
    tab = tab_of(context)
    assert "One moment" in tab.press({"press": "good", "sitting": "of another server"})
    assert tab.follow(None)[1].active
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

"""The line on top of the page: what is active, and whether the model is there."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import gradio as gr

from gpr.ui.context import BASE_WORDS, Active, Context
from gpr.ui.language import say
from gpr.ui.press import KEEPS_ROOM
from gpr.ui.speaking import switch

if TYPE_CHECKING:
    from gpr.workspace import RunInfo

BUSY_SECONDS, IDLE_SECONDS = 1.0, 15.0
"""Between two looks, while something goes on and while nothing does."""


def build_header() -> gr.HTML:
    return gr.HTML(bar("", "", "", ""), elem_id="gpr-header", apply_default_css=False, js_on_load=KEEPS_ROOM)


def show_header(context: Context, active: Active) -> tuple[str, gr.Timer]:
    """The header, and when to look again. Starts to load the model if nothing did so yet."""
    task = context.load(active)
    words = context.workspace.loading() if task.state == "running" else ""
    state = {
        "running": ("busy", words or "Loading the model…"),
        "done": ("ready", "Model ready"),
        "failed": ("failed", task.words),
    }[task.state]
    run = context.running()
    busy = task.state == "running" or run is not None
    html = bar(active.name, say(f"Run {active.run}" if active.run else BASE_WORDS.capitalize()), *state, _training(run))
    return html, gr.Timer(BUSY_SECONDS if busy else IDLE_SECONDS)


def _training(run: RunInfo | None) -> str:
    if run is None:
        return ""
    share = f" {100 * run.step // run.steps}%" if run.steps else ""
    return f"Fine-tuning {run.name}{share}"


def _ways() -> str:
    """Buttons for the start screen and the tour, which the browser answers (assets/start.js, assets/tour.js)."""
    return "".join(
        f'<button type="button" class="gpr-button gpr-small gpr-quiet" {what}>{say(words)}</button>'
        for what, words in (("data-start", "Samples"), ("data-tour", "Tour"))
    )


def bar(data: str, run: str, kind: str, words: str, training: str = "") -> str:
    """The header as HTML."""
    chips = [("Data", data), ("Model", run)]
    active = "".join(
        f'<span class="gpr-active"><small>{say(name)}</small><b>{escape(value)}</b></span>'
        for name, value in chips
        if value
    )
    job = f'<span class="gpr-state gpr-busy"><i></i>{escape(say(training))}</span>' if training else ""
    state = f'<span class="gpr-state gpr-{kind}"><i></i>{escape(say(words))}</span>' if words else ""
    return (
        f'<header class="gpr-header"><h1>GPR<span>{say("recommends from your catalogue")}</span></h1>'
        f'<div class="gpr-actives">{active}</div><div class="gpr-states" role="status">{job}{state}</div>'
        f"{_ways()}{switch()}</header>"
    )

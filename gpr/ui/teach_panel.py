"""The part of the tab Fine-tune where the run in use learns from labels; and what teaching changed, as HTML."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Any

import gradio as gr

from gpr.errors import RunError
from gpr.learn.taught import words
from gpr.ui.context import Active, Context
from gpr.ui.language import say
from gpr.ui.messages import failure


class TeachPanel:
    """A line on the labels, and the button."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.about = gr.HTML("", elem_id="gpr-teach-about", apply_default_css=False, js_on_load=None)
        self.button = gr.Button("Teach from labels", interactive=False, elem_id="gpr-teach")

    @property
    def outputs(self) -> list[Any]:
        return [self.about, self.button]

    def show(self, active: Active) -> tuple[str, gr.Button]:
        """Whether the run in use can be taught, and by how many labels."""
        try:
            text, ready = self._about(active)
        except Exception as error:
            return failure(error), gr.Button(interactive=False)
        return f'<p class="gpr-about">{escape(say(text))}</p>', gr.Button(interactive=ready)

    def _about(self, active: Active) -> tuple[str, bool]:
        workspace = self.context.workspace
        if not active.run:
            return "Labels teach a run that is in use: train one first.", False
        dataset = workspace.dataset(workspace.run(active.run).data)
        counts = Counter(label.verdict for label in workspace.labels.current(dataset=dataset.name))
        if not counts["good"] + counts["bad"]:
            return "Label some recommendations: they can teach the run in use.", False
        return f"{active.run} can learn from {counts['good']:,} good and {counts['bad']:,} bad labels.", True

    def start(self, active: Active) -> str:
        """Starts teaching as a run of its own, and names it.

        Raises:
            RunError: nothing can be taught.
        """
        if not active.run:
            raise RunError("No run is in use.", hint="Press 'Use this run' in the table below.")
        return str(self.context.jobs.teach(self.context.workspace, active.run).name)


def taught_words(figures: dict[str, Any]) -> str:
    """What teaching changed; '' for a run that was not taught."""
    if not figures:
        return ""
    lists = "".join(
        f"<li>{escape(one['query'] or ', '.join(one['history']))}<br>"
        f'<span class="gpr-muted">{_moved("+", one["new"])} {_moved("−", one["gone"])}</span></li>'
        for one in figures["lists"]
        if one["new"]
    )
    more = f"<details><summary>{escape(say('Requests with other items'))}</summary><ul>{lists}</ul></details>"
    return f'<p class="gpr-muted">{escape(say(words(figures)))}</p>{more if lists else ""}'


def _moved(sign: str, titles: list[str]) -> str:
    return " ".join(f"{sign} {escape(title)}" for title in titles)
